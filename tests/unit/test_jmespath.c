/* Which value of a JSON text is meant, and what of JMESPath is refused, by its name. */
#include "unit.h"

#include "base/jmespath.h"

static void test_found(void **state)
{
	static const char text[] =
		"{\"a\":1,\"b\":{\"c\":[\"x\",{\"d_1\":\"y\"},[true]]},\"db-pass.x\":"
		"\"p\","
		"\"\\u00e9\":\"e\",\"\":\"empty\",\"_9\":9,\"q\\\"\":\"quote\"}";
	static const struct {
		const char *path, *want;
	} rows[] = {
		{ "a", "1" },
		{ "b.c[0]", "x" },
		{ "b.c[1].d_1", "y" },
		{ "b.c[2][0]", "true" },
		{ "b.c[02]", "[true]" },
		{ "b.c", "[\"x\",{\"d_1\":\"y\"},[true]]" },
		{ "\"b\".\"c\"[0]", "x" },
		{ "\"db-pass.x\"", "p" },
		{ "\"\xc3\xa9\"", "e" },
		{ "\"\\u00e9\"", "e" },
		{ "\"\"", "empty" },
		{ "_9", "9" },
		{ "\"q\\\"\"", "quote" },
		{ "\"\\u0061\"", "1" },
	};
	struct jsontext root, found;
	struct err err = { 0 };

	(void)state;
	check_ok("text", jsontext_parse(text, strlen(text), &root, &err), &err);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf struct buf out = BUF_INIT(1000);

		check_ok(rows[i].path, jmespath_check(rows[i].path, &err), &err);
		check_ok(rows[i].path, jmespath_find(rows[i].path, &root, &found, &err),
			 &err);
		check_ok(rows[i].path, jsontext_write(&found, &out, &err), &err);
		check_text(rows[i].path, buf_str(&out), rows[i].want);
	}
}

static void test_missing(void **state)
{
	static const struct {
		const char *text, *path, *says;
	} rows[] = {
		{ "{\"a\":{\"b\":\"MARKER\"}}", "x", "has no key 'x'" },
		{ "{\"a\":{\"b\":\"MARKER\"}}", "A", "has no key 'A'" },
		{ "{\"a\":{\"b\":\"MARKER\"}}", "a.x.y", "has no key 'a.x'" },
		{ "{\"a\":{\"b\":\"MARKER\"}}", "a.b.c", "has no key 'a.b.c'" },
		{ "{\"a\":{\"b\":\"MARKER\"}}", "a[0]", "has no item 'a[0]'" },
		{ "{\"a\":\"MARKER\"}", "ab", "has no key 'ab'" },
		{ "[\"MARKER\"]", "[1]", "has no item '[1]'" },
		{ "[\"MARKER\"]", "[99999999999999999999]",
		  "has no item '[99999999999999999999]'" },
		{ "{\"a\\u0062\":\"MARKER\",\"abc\":1}", "a", "has no key 'a'" },
		{ "[\"MARKER\"]", "a", "has no key 'a'" },
		{ "\"MARKER\"", "a", "has no key 'a'" },
		{ "7", "[0]", "has no item '[0]'" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct jsontext root, found;
		struct err err = { 0 };

		check_ok(rows[i].text,
			 jsontext_parse(rows[i].text, strlen(rows[i].text), &root, &err),
			 &err);
		check_err(rows[i].path, jmespath_find(rows[i].path, &root, &found, &err),
			  &err, ERR_CONFIG, rows[i].says);
		check(rows[i].path, strstr(err.msg, "MARKER") == NULL);
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *path, *says;
	} rows[] = {
		{ "", "its end where a key or a ] was expected at character 1" },
		{ "a.", "its end where a key or a ] was expected at character 3" },
		{ ".a", "a dot without a key at character 1" },
		{ "a..b", "a dot without a key at character 3" },
		{ "a[*].b", "a list wildcard at character 2" },
		{ "a.*", "a wildcard at character 3" },
		{ "*", "a wildcard at character 1" },
		{ "a[?b==`1`]", "a filter at character 2" },
		{ "a[]", "a flatten operator at character 2" },
		{ "a[-1]", "a negative index at character 2" },
		{ "a[0:2]", "a slice at character 4" },
		{ "a[:2]", "a slice at character 2" },
		{ "a[b]", "a multi-select list at character 2" },
		{ "a.[b,c]", "a multi-select list at character 3" },
		{ "a[0", "its end where a key or a ] was expected at character 4" },
		{ "a[ 0 ]", "a multi-select list at character 2" },
		{ "a.{b:c}", "a multi-select hash at character 3" },
		{ "a|b", "a pipe at character 2" },
		{ "a || b", "a blank at character 2" },
		{ "a||b", "an or expression at character 2" },
		{ "a&&b", "an and expression" },
		{ "&a", "an expression reference at character 1" },
		{ "@", "the current node at character 1" },
		{ "@.a", "the current node at character 1" },
		{ "length(a)", "a function call or parentheses at character 7" },
		{ "!a", "a not expression" },
		{ "a==b", "a comparison" },
		{ "`1`", "a literal" },
		{ "'a'", "a raw string" },
		{ "db-password", "a hyphen outside of quotes at character 3" },
		{ "db-password", "YAML takes one pair of quotes away" },
		{ "9a", "a character that no key may hold" },
		{ "a/b", "a character that no key may hold" },
		{ "\xc3\xa9", "a character that no key may hold" },
		{ "\"a", "a quoted key that is no JSON string at character 1" },
		{ "\"\\x\"", "a quoted key that is no JSON string" },
		{ "a.\"b\tc\"", "a quoted key that is no JSON string at character 3" },
		{ "\"\xff\"", "a quoted key that is no JSON string" },
		{ "\"\\ud800\"", "a quoted key that is no JSON string" },
		{ "\"a\\\"", "a quoted key that is no JSON string" },
		{ "a\"b\"", "a quoted key that is no JSON string" },
		{ "a[0]b", "a character that no key may hold outside of quotes at "
			   "character 5" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = { 0 };

		check_err(rows[i].path, jmespath_check(rows[i].path, &err), &err,
			  ERR_CONFIG, rows[i].says);
		check_holds(rows[i].path, err.msg, "only keys and indexes");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
