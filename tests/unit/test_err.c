/* The error channel: messages, bounds, and which of two failures is told. */
#include "unit.h"

#include <errno.h>

static void test_set(void **state)
{
	struct err err = {
		.retry_after_ms = 5, .request = "old", .msg = "old", .tokenless = true
	};

	(void)state;
	assert_int_equal(err_set(&err, ERR_DENIED, "no %s", "entry"), -1);
	assert_string_equal(err.msg, "no entry");
	assert_int_equal(err.kind, ERR_DENIED);
	assert_int_equal(err.retry_after_ms, 0);
	assert_string_equal(err.request, "");
	assert_false(err.tokenless);
	/* Its own message may be an argument. */
	err_set(&err, ERR_IO, "%s (%s)", err.msg, err.msg);
	assert_string_equal(err.msg, "no entry (no entry)");
}

static void test_errno(void **state)
{
	struct err err;

	(void)state;
	errno = ENOENT;
	assert_int_equal(err_set_errno(&err, ERR_IO, "cannot open '%s'", "x"), -1);
	assert_string_equal(err.msg, "cannot open 'x': No such file or directory");
	assert_int_equal(errno, ENOENT);
}

static void test_around(void **state)
{
	struct err err;

	(void)state;
	err_set(&err, ERR_NOTFOUND, "404");
	err.retry_after_ms = 7;
	memcpy(err.request, "id", 3);
	assert_int_equal(err_wrap(&err, "secret '%s'", "a"), -1);
	assert_int_equal(err_hint(&err, "check %d", 1), -1);
	assert_int_equal(err_wrap(&err, "%s", err.msg), -1);
	assert_string_equal(err.msg,
			    "secret 'a': 404; check 1: secret 'a': 404; check 1");
	assert_int_equal(err.kind, ERR_NOTFOUND);
	assert_int_equal(err.retry_after_ms, 7);
	assert_string_equal(err.request, "id");
}

/* Text of a user or a server cannot start a new line, nor command a terminal. */
static void test_one_line(void **state)
{
	struct err err;

	(void)state;
	err_set(&err, ERR_CONFIG, "'%s'", "a\nb\x1b[2J\x7f\xc3\xa9");
	err_wrap(&err, "x\r");
	err_hint(&err, "y\t");
	assert_string_equal(err.msg, "x?: 'a?b?[2J?\xc3\xa9'; y?");
}

static void test_cut(void **state)
{
	struct err err;
	char big[4096];

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	err_set(&err, ERR_IO, "%s", big);
	assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
	err_hint(&err, "%s", big);
	assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
	err_wrap(&err, "front");
	assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
	assert_memory_equal(err.msg, "front: xxx", 10);
	err_wrap(&err, "%s", big);
	assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
	errno = EIO;
	err_set_errno(&err, ERR_IO, "%s", big);
	assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
}

/* Every pair: configuration, then identity and permission, not found, network, files. */
static void test_outranks(void **state)
{
	static const struct {
		enum err_kind kind;
		int place;
	} order[] = {
		{ ERR_NONE, 0 },     { ERR_IO, 1 },     { ERR_UNAVAILABLE, 2 },
		{ ERR_NOTFOUND, 3 }, { ERR_DENIED, 4 }, { ERR_IDENTITY, 4 },
		{ ERR_CONFIG, 5 },   { ERR_USAGE, 5 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(order); i++)
		for (size_t j = 0; j < ARRAY_LEN(order); j++) {
			struct err a = { .kind = order[i].kind };
			struct err b = { .kind = order[j].kind };

			assert_int_equal(err_outranks(&a, &b),
					 order[i].place > order[j].place);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set),      cmocka_unit_test(test_errno),
		cmocka_unit_test(test_around),   cmocka_unit_test(test_cut),
		cmocka_unit_test(test_outranks), cmocka_unit_test(test_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
