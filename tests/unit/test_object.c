/* The rules of one entry: the names that are made of its path must fit as well. */
#include "unit.h"

#include "config/object.h"

/* "d/d/…/d" of so many parts. */
static char *path_of(int parts)
{
	char *path = xcalloc((size_t)parts, 2);

	for (int i = 0; i < parts; i++) {
		path[2 * i] = 'd';
		path[2 * i + 1] = i + 1 < parts ? '/' : '\0';
	}
	return path;
}

static void test_depth(void **state)
{
	static const struct {
		const char *row;
		struct object o;
		int most; /* parts of a path */
	} rows[] = {
		{ "plain", { .mode = 0440 }, 32 },
		{ "a history", { .history = 2 }, 31 },
		{ "tls", { .layout = OBJECT_TLS }, 31 },
		{ "split", { .layout = OBJECT_SPLIT }, 32 },
		{ "metadata", { .metadata = true }, 32 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (int more = 0; more < 2; more++) {
			auto_free char *path = path_of(rows[i].most + more);
			struct object o = rows[i].o;
			struct err err = { 0 };
			int result;

			o.name = (char *)(uintptr_t) "a";
			o.path = path;
			result = object_check(&o, &err);
			if (more)
				check_err(rows[i].row, result, &err, ERR_CONFIG,
					  "more than 32 parts");
			else
				check_ok(rows[i].row, result, &err);
		}
}

/* A name and what is appended to it: at most 255 bytes. */
static void test_length(void **state)
{
	static const struct {
		const char *row;
		struct object o;
		int most;
	} rows[] = {
		{ "plain", { .mode = 0440 }, 255 },
		{ "split", { .layout = OBJECT_SPLIT }, 250 },
		{ "metadata", { .metadata = true }, 250 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (int more = 0; more < 2; more++) {
			char path[300] = "";
			struct object o = rows[i].o;
			struct err err = { 0 };
			int result;

			memset(path, 'x', (size_t)(rows[i].most + more));
			o.name = (char *)(uintptr_t) "a";
			o.path = path;
			result = object_check(&o, &err);
			if (more)
				check_err(rows[i].row, result, &err, ERR_CONFIG,
					  "longer than 255 bytes");
			else
				check_ok(rows[i].row, result, &err);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
