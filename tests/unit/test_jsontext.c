/* Values of a JSON text, found and copied as they were written. */
#include "unit.h"

#include "base/jsontext.h"

static struct jsontext root_of(const char *text)
{
	struct jsontext root = { 0 };
	struct err err = { 0 };

	check_ok(text, jsontext_parse(text, strlen(text), &root, &err), &err);
	return root;
}

/* Each value as the content of a file. */
static void test_written(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "\"a\"", "a" },
		{ " \"a\\n\\u00e9\\ud83d\\ude00\\/\" ", "a\n\xc3\xa9\xf0\x9f\x98\x80/" },
		{ "\"\"", "" },
		{ "1", "1" },
		{ "-0.50e+03", "-0.50e+03" },
		{ "12345678901234567890123456789.10",
		  "12345678901234567890123456789.10" },
		{ "1E400", "1E400" },
		{ " true ", "true" },
		{ "false", "false" },
		{ "null", "null" },
		{ "{}", "{}" },
		{ " [ ] ", "[]" },
		{ "{ \"a\" : [ 1 , 2.0 ,\t\"x  y\" ],\r\n\"b\":{ } }",
		  "{\"a\":[1,2.0,\"x  y\"],\"b\":{}}" },
		{ "[\"\\u0041 \\\" ]\", 1]", "[\"\\u0041 \\\" ]\",1]" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct jsontext root = root_of(rows[i].text);
		auto_buf struct buf out = BUF_INIT(1000), none = BUF_INIT(0);
		struct err err = { 0 };

		check_ok(rows[i].text, jsontext_write(&root, &out, &err), &err);
		check_text(rows[i].text, buf_str(&out), rows[i].want);
		check_int(rows[i].text, jsontext_write(&root, &none, &err),
			  rows[i].want[0] ? -1 : 0);
	}
}

static void test_nul(void **state)
{
	struct jsontext root = root_of("\"a\\u0000b\"");
	auto_buf struct buf out = BUF_INIT(10);
	struct err err = { 0 };

	(void)state;
	check_ok("NUL", jsontext_write(&root, &out, &err), &err);
	assert_int_equal(out.len, 3);
	assert_memory_equal(out.data, "a\0b", 3);
}

/* The message says where and why, and holds nothing of the text. */
static void test_refused(void **state)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{ "", "it is empty, at byte 1" },
		{ "  ", "it is empty, at byte 3" },
		{ "MARKER", "neither a value nor a number, at byte 1" },
		{ "{MARKER:1}", "a key was expected, at byte 2" },
		{ "{'MARKER':1}", "a key was expected" },
		{ "{\"a\"}", "a colon was expected, at byte 5" },
		{ "{\"a\":}", "neither a value nor a number, at byte 6" },
		{ "{\"a\":1,}", "a key was expected, at byte 8" },
		{ "{\"a\":1", "a comma or } was expected, at byte 7" },
		{ "{\"a\":", "a value was expected, at byte 6" },
		{ "{\"a\":1]", "a comma or } was expected" },
		{ "[1,]", "neither a value nor a number" },
		{ "[1 2]", "a comma or ] was expected, at byte 4" },
		{ "[", "a value was expected" },
		{ "[1", "a comma or ] was expected" },
		{ "{} {}", "something behind the value, at byte 4" },
		{ "01", "something behind the value" },
		{ "-", "neither a value nor a number" },
		{ "1.", "neither a value nor a number" },
		{ "1e", "neither a value nor a number" },
		{ "+1", "neither a value nor a number" },
		{ ".5", "neither a value nor a number" },
		{ "tru", "neither a value nor a number" },
		{ "nullx", "something behind the value" },
		{ "NaN", "neither a value nor a number" },
		{ "\"MARKER", "a string without its end" },
		{ "\"MARKER\\\"", "a string without its end" },
		{ "\"a\nb\"", "a control character in a string, at byte 3" },
		{ "\"\xc3\"", "a string that is not UTF-8" },
		{ "\"\xed\xa0\x80\"", "a string that is not UTF-8" },
		{ "\"\\x\"", "an escape that is no character" },
		{ "\"\\ud800\"", "an escape that is no character" },
		{ "\"\\u12\"", "an escape that is no character" },
		{ "{\"\\x\":1}", "an escape that is no character" },
		{ "{\"a\":1,\"a\":2}", "has a key twice" },
		{ "{\"a\":1,\"\\u0061\":2}", "has a key twice" },
		{ "[{\"b\":{\"x\":1,\"a\":1,\"x\":2}}]", "has a key twice" },
		{ "\xef\xbb\xbf{}",
		  "it starts with a byte order mark, which JSON may not, "
		  "at byte 1" },
		{ "\xef\xbb", "neither a value nor a number, at byte 1" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct jsontext root = { 0 };
		struct err err = { 0 };

		check_err(rows[i].text,
			  jsontext_parse(rows[i].text, strlen(rows[i].text), &root, &err),
			  &err, ERR_CONFIG, rows[i].says);
		check(rows[i].text, strstr(err.msg, "MARKER") == NULL);
		assert_null(root.at);
	}
}

static void test_depth(void **state)
{
	char text[2 * JSONTEXT_DEPTH_MAX + 3];
	struct jsontext root;
	struct err err = { 0 };

	(void)state;
	memset(text, '[', JSONTEXT_DEPTH_MAX);
	memset(text + JSONTEXT_DEPTH_MAX, ']', JSONTEXT_DEPTH_MAX);
	check_ok("deepest", jsontext_parse(text, 2 * JSONTEXT_DEPTH_MAX, &root, &err),
		 &err);
	memset(text, '[', JSONTEXT_DEPTH_MAX + 1);
	memset(text + JSONTEXT_DEPTH_MAX + 1, ']', JSONTEXT_DEPTH_MAX + 1);
	check_err("deeper", jsontext_parse(text, 2 * JSONTEXT_DEPTH_MAX + 2, &root, &err),
		  &err, ERR_CONFIG, "too many objects");
}

/* Members and items in their order, each with its value. */
static void test_members(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "{}", "" },
		{ "[ ]", "" },
		{ "\"ab\"", "" },
		{ "1", "" },
		{ "{\"a\":1}", "\"a\"=1;" },
		{ " { \"a\" : 1 , \"b c\" : [ 2 , { } ] , \"\":\"x,}\" } ",
		  "\"a\"=1;\"b c\"=[ 2 , { } ];\"\"=\"x,}\";" },
		{ "[1,[2,3],{\"a\":[]},\"x]\",null]",
		  "=1;=[2,3];={\"a\":[]};=\"x]\";=null;" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct jsontext root = root_of(rows[i].text);
		auto_buf struct buf out = BUF_INIT(1000);
		struct jsontext_member m = { 0 };

		while (jsontext_next(&root, &m))
			buf_printf(&out, "%.*s=%.*s;", (int)m.key.len,
				   m.key.at ? m.key.at : "", (int)m.value.len,
				   m.value.at);
		check_text(rows[i].text, buf_str(&out), rows[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_written), cmocka_unit_test(test_nul),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_depth),
		cmocka_unit_test(test_members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
