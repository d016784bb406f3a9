/* How often a thing is tried in one sync, and when. */
#include "fake_log.h"

#include "sync/tries.h"

static struct jitter jitter = { 1 };

static int tear_down(void **state)
{
	(void)state;
	buf_done(&said);
	return 0;
}

static struct err failure(enum err_kind kind, int retry_after_ms)
{
	struct err err = { 0 };

	err_set(&err, kind, "no");
	err.retry_after_ms = retry_after_ms;
	return err;
}

/* Only what may be over in a moment is tried again. */
static void test_kinds(void **state)
{
	static const struct {
		enum err_kind kind;
		bool again;
	} rows[] = {
		{ ERR_UNAVAILABLE, true }, { ERR_GARBLED, true },   { ERR_DENIED, false },
		{ ERR_NOTFOUND, false },   { ERR_IDENTITY, false }, { ERR_CONFIG, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = failure(rows[i].kind, 0);
		struct tries t = TRIES_NONE;

		assert_int_equal(tries_again(&t, &err, 0, &jitter, 0), rows[i].again);
	}
}

/* Not before the time that the service names, which is the same for all pods, and not all
 * at that time. */
static void test_named_delay(void **state)
{
	static const int named[] = { 0, 10, 5000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(named); i++) {
		struct err err = failure(ERR_UNAVAILABLE, named[i]);
		int64_t least = INT64_MAX, most = 0;

		for (int n = 0; n < 200; n++) {
			struct tries t = TRIES_NONE;
			int64_t delay;

			assert_true(tries_again(&t, &err, 1000, &jitter, 1000));
			delay = t.not_before - 1000;
			least = delay < least ? delay : least;
			most = delay > most ? delay : most;
		}
		check("least", least >= named[i] + 500);
		check("most", most <= named[i] + 1500);
		check("spread", most - least > 500);
	}
}

static void test_ends(void **state)
{
	struct err err = failure(ERR_UNAVAILABLE, 0);
	struct err late = failure(ERR_UNAVAILABLE, TRIES_LAST_MS);
	struct tries t = TRIES_NONE;
	int tries = 1;

	(void)state;
	while (tries_again(&t, &err, 0, &jitter, 0))
		tries++;
	assert_int_equal(tries, 6);
	t = TRIES_NONE;
	assert_false(tries_again(&t, &late, 0, &jitter, 0));
	t = TRIES_NONE;
	assert_false(tries_again(&t, &err, 0, &jitter, TRIES_LAST_MS));
}

#define TEST(test) cmocka_unit_test_teardown(test, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_kinds),
		TEST(test_named_delay),
		TEST(test_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
