// LDFLAGS: -Wl,--wrap=free
/* Reading JSON that others send, and quoting text for JSON of our own. */
#include "unit.h"

#include <malloc.h>

#include "base/json.h"

static const char *sought; /* in blocks that are freed; NULL: nothing is */
static volatile int freed_with;

void __real_free(void *p);
void __wrap_free(void *p);
void __wrap_free(void *p)
{
	if (p != NULL && sought != NULL &&
	    memmem(p, malloc_usable_size(p), sought, strlen(sought)) != NULL)
		freed_with++;
	__real_free(p);
}

static struct json *parsed(const char *text)
{
	struct json *root = NULL;
	struct err err = { 0 };

	check_ok(text, json_parse(text, strlen(text), &root, &err), &err);
	return root;
}

static void test_refused(void **state)
{
	static const char *const rows[] = {
		"",         " ",           "{",           "[1",         "\"open",
		"{\"a\":}", "{\"a\":1}x",  "{\"a\":1}{}", "{\"a\":1},", "<html>",
		"{'a':1}",  "\"\\ud800\"", "\"\\x\"",     "tru",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct json *root = NULL;
		struct err err = { 0 };

		check_err(rows[i], json_parse(rows[i], strlen(rows[i]), &root, &err),
			  &err, ERR_UNAVAILABLE, "not JSON");
		assert_null(root);
	}
}

/* The message never repeats the input, which may be secret. */
static void test_silent(void **state)
{
	static const char text[] = "{\"value\":\"MARKER\"";
	struct json *root = NULL;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(json_parse(text, strlen(text), &root, &err), -1);
	assert_null(strstr(err.msg, "MARKER"));
}

static void test_nul(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		enum err_kind refused;
	} rows[] = {
#define ROW(text, refused) { text, sizeof(text) - 1, refused }
		ROW("{\"a\":\"x\\u0000y\"}", ERR_CONFIG),
		ROW("\"\\u0000\"", ERR_CONFIG),
		ROW("\"\\\\\\u0000\"", ERR_CONFIG), /* a backslash, then NUL */
		ROW("\"\\\\u0000\"", ERR_NONE),     /* the text \u0000 */
		ROW("\"\\\\\\\\u0000\"", ERR_NONE),
		ROW("\"\\u00001\"", ERR_CONFIG),
		ROW("\"\\u0001\"", ERR_NONE),
		ROW("\"u0000\"", ERR_NONE),
		ROW("{\"\\u0000\":1}", ERR_CONFIG),
		ROW("\"a\0b\"", ERR_UNAVAILABLE),
		ROW("{}\0", ERR_UNAVAILABLE),
#undef ROW
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_json struct json *root = NULL;
		struct err err = { 0 };
		int result = json_parse(rows[i].text, rows[i].len, &root, &err);

		if (rows[i].refused)
			check_err(rows[i].text, result, &err, rows[i].refused, "NUL");
		else
			check_ok(rows[i].text, result, &err);
	}
}

/* A reply may be nested without end; the parser's stack is not. */
static void test_depth(void **state)
{
	char *deep = xcalloc(1, 200001);
	struct json *root = NULL;
	struct err err = { 0 };

	(void)state;
	memset(deep, '[', 100000);
	memset(deep + 100000, ']', 100000);
	assert_int_equal(json_parse(deep, 200000, &root, &err), -1);
	free(deep);
}

static void test_getters(void **state)
{
	auto_json struct json *root = parsed(
		" {\"s\":\"text\",\"e\":\"\",\"n\":5,\"t\":true,\"f\":false,\"z\":null,"
		"\"o\":{\"s\":\"inner\"},\"a\":[1,\"two\"],\"S\":\"upper\",\"s\":\"2nd\"}"
		"\r\n");
	const struct json *item;

	(void)state;
	check_text("s", json_string(root, "s"), "text");
	check_text("S", json_string(root, "S"), "upper");
	check_text("e", json_string(root, "e"), "");
	check_text("n", json_string(root, "n"), NULL);
	check_text("absent", json_string(root, "absent"), NULL);
	check_text("o.s", json_string(json_get(root, "o"), "s"), "inner");
	check("null is absent", json_get(root, "z") == NULL);
	check_int("n", json_int(root, "n", -1), 5);
	check_int("s", json_int(root, "s", -1), -1);
	check_int("t", json_bool(root, "t", false), true);
	check_int("f", json_bool(root, "f", true), false);
	check_int("z", json_bool(root, "z", true), true);
	check_int("s", json_bool(root, "s", true), true);
	/* Of nothing, of a text, of a list. */
	check_text("NULL", json_string(NULL, "s"), NULL);
	check_text("of text", json_string(json_get(root, "s"), "s"), NULL);
	check_text("of list", json_string(json_get(root, "a"), "s"), NULL);
	check("no items", json_first(json_get(root, "s")) == NULL);
	check("no items", json_first(NULL) == NULL);
	item = json_first(json_get(root, "a"));
	check_int("a[0]", json_number(item, -1), 1);
	check_text("a[0]", json_text(item), NULL);
	item = json_next(item);
	check_text("a[1]", json_text(item), "two");
	check("the end", json_next(item) == NULL);
	check_text("member", json_name(json_first(json_get(root, "o"))), "s");
	check_text("bare", json_text(NULL), NULL);
}

static void test_numbers(void **state)
{
	static const struct {
		const char *text;
		int64_t strict, loose; /* -7: the fallback */
	} rows[] = {
		{ "0", 0, 0 },
		{ "2147483648", INT64_C(2147483648), INT64_C(2147483648) },
		{ "253402300799", INT64_C(253402300799), INT64_C(253402300799) },
		{ "9007199254740992", INT64_C(9007199254740992),
		  INT64_C(9007199254740992) },
		{ "9007199254740994", -7, -7 },
		{ "1e400", -7, -7 },
		{ "-1e400", -7, -7 },
		{ "1e3", 1000, 1000 },
		{ "1.9", 1, 1 },
		{ "-5", -5, -5 },
		{ "\"3600\"", -7, 3600 },
		{ "\"9223372036854775807\"", -7, INT64_MAX },
		{ "\"9223372036854775808\"", -7, -7 },
		{ "\"99999999999999999999999\"", -7, -7 },
		{ "\"-1\"", -7, -7 },
		{ "\" 1\"", -7, -7 },
		{ "\"1 \"", -7, -7 },
		{ "\"\"", -7, -7 },
		{ "true", -7, -7 },
		{ "null", -7, -7 },
		{ "[1]", -7, -7 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *text = xasprintf("{\"n\":%s}", rows[i].text);
		auto_json struct json *root = parsed(text);

		check_int(text, json_int(root, "n", -7), rows[i].strict);
		check_int(text, json_loose_int(root, "n", -7), rows[i].loose);
	}
}

static void test_fractions(void **state)
{
	static const struct {
		const char *text;
		double want; /* -7: the fallback */
	} rows[] = {
		{ "0.125", 0.125 }, { "-2.5", -2.5 }, { "1e300", 1e300 },
		{ "1e400", -7 },    { "-1e400", -7 }, { "\"0.5\"", -7 },
		{ "true", -7 },     { "null", -7 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *text = xasprintf("{\"n\":%s}", rows[i].text);
		auto_json struct json *root = parsed(text);

		check(text, json_real(root, "n", -7) == rows[i].want);
	}
}

static void test_quote(void **state)
{
#define BAD "\\ufffd"
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "", "" },
		{ "plain /", "plain /" },
		{ "\"\\", "\\\"\\\\" },
		{ "a\nb\r\t", "a\\nb\\u000d\\u0009" },
		{ "\x01\x1b\x7f", "\\u0001\\u001b\\u007f" },
		{ "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x94\x91",
		  "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x94\x91" },
		{ "\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\xf4\x8f\xbf\xbf",
		  "\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\xf4\x8f\xbf\xbf" },
		{ "\x80", BAD }, /* continues nothing */
		{ "\xc3", BAD }, /* cut */
		{ "\xc3(", BAD "(" },
		{ "\xe2\x82", BAD BAD },
		{ "\xf0\x9f\x94", BAD BAD BAD },
		{ "\xc0\xaf", BAD BAD }, /* overlong */
		{ "\xc1\xbf", BAD BAD },
		{ "\xe0\x9f\xbf", BAD BAD BAD },
		{ "\xf0\x8f\xbf\xbf", BAD BAD BAD BAD },
		{ "\xed\xa0\x80", BAD BAD BAD }, /* surrogate */
		{ "\xed\x9f\xbf", "\xed\x9f\xbf" },
		{ "\xf4\x90\x80\x80", BAD BAD BAD BAD }, /* past U+10FFFF */
		{ "\xf5\x80\x80\x80", BAD BAD BAD BAD },
		{ "\xff\xfe", BAD BAD },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf struct buf out = BUF_INIT(1000);
		auto_free char *want = xasprintf("\"%s\"", rows[i].want);
		auto_json struct json *back = NULL;
		struct err err;

		json_quote(&out, rows[i].text);
		check_text(want, buf_str(&out), want);
		assert_int_equal(json_parse(buf_str(&out), out.len, &back, &err), 0);
		if (strstr(want, BAD) == NULL)
			check_text(want, json_text(back), rows[i].text);
	}
}

/* The bytes of a top-level string, exact, and blanked in what is left. */
static void test_take(void **state)
{
	static const struct {
		const char *text, *want, *rest; /* want NULL: not found */
		size_t len;
	} rows[] = {
		{ "{\"v\":\"abc\"}", "abc", "{\"v\":\"   \"}", 3 },
		{ " { \"a\" : 1 , \"v\" : \"\" } ", "", " { \"a\" : 1 , \"v\" : \"\" } ",
		  0 },
		{ "{\"v\":\"a\\u0000b\\\\u0000\"}", "a\0b\\u0000",
		  "{\"v\":\"               \"}", 9 },
		{ "{\"v\":\"\\\"\\/\\b\\f\\n\\r\\t\"}", "\"/\b\f\n\r\t",
		  "{\"v\":\"              \"}", 7 },
		{ "{\"v\":\"\\u00e9\\u20ac\\ud83d\\udd11\"}",
		  "\xc3\xa9\xe2\x82\xac\xf0\x9f\x94\x91", NULL, 9 },
		{ "{\"o\":{\"v\":\"no\",\"l\":[1,\"}\"]},\"v\":\"yes\"}", "yes", NULL,
		  3 },
		{ "{\"v\":null}", NULL, "{\"v\":null}", 0 },
		{ "{\"v\":{\"v\":\"x\"}}", NULL, NULL, 0 },
		{ "[\"v\"]", NULL, NULL, 0 },
		{ "{\"v\":\"open", NULL, NULL, 0 },
		{ "{\"v\"", NULL, NULL, 0 },
		{ "{", NULL, NULL, 0 },
		{ "", NULL, NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *text = xstrdup(rows[i].text);
		auto_buf struct buf out = BUF_INIT(100);
		struct err err = { 0 };
		bool found;

		check_ok(rows[i].text,
			 json_take_string(text, strlen(text), "v", &out, &found, &err),
			 &err);
		check_int(rows[i].text, found, rows[i].want != NULL);
		check_int(rows[i].text, out.len, rows[i].len);
		check(rows[i].text,
		      memcmp(buf_str(&out), rows[i].want ? rows[i].want : "",
			     rows[i].len) == 0);
		if (rows[i].rest != NULL)
			check_text(rows[i].text, text, rows[i].rest);
	}
}

static void test_take_refused(void **state)
{
	static const struct {
		const char *text, *cause;
	} rows[] = {
		{ "{\"v\":\"\\x\"}", "an escape that is no character" },
		{ "{\"v\":\"\\u12\"}", "an escape that is no character" },
		{ "{\"v\":\"\\u12g4\"}", "an escape that is no character" },
		{ "{\"v\":\"\\ud800\"}", "half of a surrogate pair" },
		{ "{\"v\":\"\\ud800\\u0041\"}", "half of a surrogate pair" },
		{ "{\"v\":\"\\udc00\"}", "half of a surrogate pair" },
		{ "{\"v\":\"longer than it may be\"}", "larger than 10 bytes" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *text = xstrdup(rows[i].text);
		auto_buf struct buf out = BUF_INIT(10);
		struct err err = { 0 };
		bool found;

		check_err(rows[i].text,
			  json_take_string(text, strlen(text), "v", &out, &found, &err),
			  &err, ERR_UNAVAILABLE, rows[i].cause);
		check_int(rows[i].text, out.len, 0);
	}
}

/* Whatever a reply says may be a secret. */
static void test_freed_memory_is_clean(void **state)
{
	static const char text[] = "{\"planted-marker\":[\"planted-marker\"]}";

	(void)state;
	sought = "planted-marker";
	freed_with = 0;
	json_free(parsed(text));
	assert_int_equal(freed_with, 0);
	free(xstrdup(text));
	assert_int_equal(freed_with, 1); /* the check does see bytes */
	sought = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_silent),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_getters),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_take),
		cmocka_unit_test(test_take_refused),
		cmocka_unit_test(test_fractions),
		cmocka_unit_test(test_quote),
		cmocka_unit_test(test_freed_memory_is_clean),
	};

	json_global_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
