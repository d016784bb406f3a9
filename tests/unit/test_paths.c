/* Lists of paths, and the patterns of on=. */
#include "unit.h"

#include "deliver/paths.h"

static struct paths of(const char *text)
{
	struct paths made = { 0 };
	auto_free char *copy = xstrdup(text);
	char *rest = copy, *path;

	while ((path = strsep(&rest, " ")) != NULL)
		if (*path != '\0')
			paths_add(&made, path);
	return made;
}

static void test_match(void **state)
{
	static const struct {
		const char *patterns, *paths;
		bool match;
	} rows[] = {
		{ "", "a", false },
		{ "a", "", false },
		{ "a", "a", true },
		{ "a", "ab", false },
		{ "a", "b/a", false },
		{ "tls/*", "tls/a", true },
		{ "tls/*", "tls/a/b", true }, /* below a directory that is meant */
		{ "tls/*", "tls", false },
		{ "tls", "tls/a/b", true },
		{ "tls", "tlsx/a", false },
		{ "*", "a", true },
		{ "*", "a/b", true },
		{ "*.pem", "a.pem", true },
		{ "*.pem", "tls/a.pem", false },
		{ "*/*.pem", "tls/a.pem", true },
		{ "t?s", "tls", true },
		{ "t[kl]s/a", "tls/a", true },
		{ "x y tls", "a b tls/c", true },
		{ "x y", "a b c", false },
		{ "a\\*", "ab", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct paths patterns = of(rows[i].patterns), paths = of(rows[i].paths);

		check_int(rows[i].patterns, paths_match(&patterns, &paths),
			  rows[i].match);
		paths_done(&patterns);
		paths_done(&paths);
	}
}

static void test_each_once_and_in_order(void **state)
{
	struct paths a = of("b a c a"), b = of("d a b");
	auto_buf struct buf text = BUF_INIT(100);

	(void)state;
	paths_add_all(&a, &b);
	paths_write(&a, &text);
	assert_string_equal(buf_str(&text), "a\nb\nc\nd");
	paths_done(&a);
	paths_done(&b);
	assert_int_equal(a.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_match),
		cmocka_unit_test(test_each_once_and_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
