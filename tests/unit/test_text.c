/* The strict little parsers: each takes the whole text or nothing. */
#include "unit.h"

#include "base/text.h"

static void test_duration(void **state)
{
	static const struct {
		const char *text;
		int64_t want; /* -1: refused */
	} rows[] = {
		{ "0", 0 },
		{ "0s", 0 },
		{ "30s", 30000 },
		{ "5m", 300000 },
		{ "250ms", 250 },
		{ "1h30m", 5400000 },
		{ "1h1m1s1ms", 3661001 },
		{ "1h1ms", 3600001 },
		{ "90m", 5400000 },
		{ "007s", 7000 },
		{ "8784h", INT64_C(31622400000) }, /* 366 days: the most */
		{ "8784h1ms", -1 },
		{ "8785h", -1 },
		{ "31622400001ms", -1 },
		{ "9223372036854775807h", -1 },
		{ "9223372036854775808ms", -1 },
		{ "18446744073709551617s", -1 }, /* 2^64 + 1 */
		{ "", -1 },
		{ "30", -1 },
		{ "00", -1 },
		{ "s", -1 },
		{ "-5s", -1 },
		{ "+5s", -1 },
		{ " 5s", -1 },
		{ "5s ", -1 },
		{ "5 s", -1 },
		{ "1.5s", -1 },
		{ "5S", -1 },
		{ "5d", -1 },
		{ "5sec", -1 },
		{ "5hm", -1 },
		{ "5mm", -1 },
		{ "30m1h", -1 }, /* the largest unit first */
		{ "1ms1s", -1 },
		{ "1s1s", -1 },
		{ "1m30", -1 },
		{ "1e3s", -1 },
		{ "0x5s", -1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t ms = -1;

		check_int(rows[i].text, text_duration(rows[i].text, &ms),
			  rows[i].want < 0 ? -1 : 0);
		check_int(rows[i].text, ms, rows[i].want);
	}
}

static void test_from_duration(void **state)
{
	static const struct {
		int64_t ms;
		const char *want;
	} rows[] = {
		{ 0, "0s" },
		{ 1, "1ms" },
		{ 999, "999ms" },
		{ 1000, "1s" },
		{ 90000, "1m30s" },
		{ 3600000, "1h" },
		{ 3600001, "1h1ms" },
		{ 86400000, "24h" },
		{ 3661001, "1h1m1s1ms" },
		{ INT64_C(31622400000), "8784h" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *text = text_from_duration(rows[i].ms);
		int64_t back = -1;

		check_text(rows[i].want, text, rows[i].want);
		assert_int_equal(text_duration(text, &back), 0);
		check_int(text, back, rows[i].ms);
	}
}

static void test_mode(void **state)
{
	static const struct {
		const char *text;
		int want; /* -1: refused */
	} rows[] = {
		{ "0440", 0440 }, { "440", 0440 },      { "0", 0 },     { "0777", 0777 },
		{ "7", 7 },       { "0000", 0 },        { "", -1 },     { "1777", -1 },
		{ "4755", -1 },   { "00440", -1 },      { "0800", -1 }, { "0o44", -1 },
		{ "0x1f", -1 },   { " 440", -1 },       { "440 ", -1 }, { "-440", -1 },
		{ "rw-r", -1 },   { "4294967296", -1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		mode_t mode = 0;

		check_int(rows[i].text, text_mode(rows[i].text, &mode),
			  rows[i].want < 0 ? -1 : 0);
		check_int(rows[i].text, mode, rows[i].want < 0 ? 0 : rows[i].want);
	}
}

static void test_number(void **state)
{
	static const struct {
		const char *text;
		int64_t max, want; /* -1: refused */
	} rows[] = {
		{ "0", 0, 0 },
		{ "1", 0, -1 },
		{ "9", 5, -1 },
		{ "0005", 5, 5 },
		{ "2147483648", INT64_MAX, INT64_C(2147483648) },
		{ "2147483648", INT32_MAX, -1 },
		{ "9007199254740993", INT64_MAX, INT64_C(9007199254740993) },
		{ "9223372036854775807", INT64_MAX, INT64_MAX },
		{ "9223372036854775808", INT64_MAX, -1 },
		{ "99999999999999999999999999", INT64_MAX, -1 },
		{ "", 5, -1 },
		{ "-1", 5, -1 },
		{ "+1", 5, -1 },
		{ " 1", 5, -1 },
		{ "1 ", 5, -1 },
		{ "1a", 5, -1 },
		{ "0x1", 5, -1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t number = -1;

		check_int(rows[i].text, text_number(rows[i].text, rows[i].max, &number),
			  rows[i].want < 0 ? -1 : 0);
		check_int(rows[i].text, number, rows[i].want);
	}
}

static void test_bool(void **state)
{
	static const struct {
		const char *text;
		int want; /* -1: refused */
	} rows[] = {
		{ "true", 1 }, { "TRUE", 1 },   { "1", 1 },      { "yes", 1 },
		{ "On", 1 },   { "false", 0 },  { "0", 0 },      { "No", 0 },
		{ "off", 0 },  { "", -1 },      { "2", -1 },     { "y", -1 },
		{ "t", -1 },   { " true", -1 }, { "truex", -1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bool value = rows[i].want != 1;

		check_int(rows[i].text, text_bool(rows[i].text, &value),
			  rows[i].want < 0 ? -1 : 0);
		if (rows[i].want >= 0)
			check_int(rows[i].text, value, rows[i].want);
	}
}

static void test_compare(void **state)
{
	(void)state;
	assert_true(text_starts("abc", "ab"));
	assert_true(text_starts("abc", ""));
	assert_false(text_starts("ab", "abc"));
	assert_false(text_starts("ABC", "ab"));
	assert_true(text_same("Vault.Azure.Net", "vault.azure.net"));
	assert_false(text_same("vault.azure.net", "vault.azure.net."));
	assert_true(text_ends_same("x.Vault.azure.NET", ".vault.azure.net"));
	assert_true(text_ends_same("x", ""));
	assert_false(text_ends_same("net", ".net"));
}

static void test_trim(void **state)
{
	static const char *const rows[][2] = {
		{ "", "" },
		{ "  \t\r\n", "" },
		{ "a", "a" },
		{ " a b \n", "a b" },
		{ "\r\na", "a" },
		{ "a\v\f", "a" },
		/* Of Unicode: no-break space, ideographic space, line separator. */
		{ "\xc2\xa0"
		  "a\xc2\xa0"
		  "b \xc2\xa0",
		  "a\xc2\xa0"
		  "b" },
		{ "\xe3\x80\x80\xe2\x80\xa8"
		  "a\xe2\x80\x89\xc2\x85",
		  "a" },
		{ "\xc2\xa0\xe1\x9a\x80", "" },
		/* What looks like the start or the end of one. */
		{ "\xc3\xa9", "\xc3\xa9" },
		{ "\xe2\x80\x8b", "\xe2\x80\x8b" },
		{ "a\xc2", "a\xc2" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *text = xstrdup(rows[i][0]);

		check_text(rows[i][0], text_trim(text), rows[i][1]);
	}
}

static void test_nearest(void **state)
{
	static const char *const names[] = { "AKVSYNC_DIR", "AKVSYNC_VAULT",
					     "AKVSYNC_RETAIN" };
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "AKVSYNC_VUALT", "AKVSYNC_VAULT" },
		{ "akvsync_dir", "AKVSYNC_DIR" },
		{ "AKVSYNC_RETA", "AKVSYNC_RETAIN" },
		{ "AKVSYNC_DIRS", "AKVSYNC_DIR" },
		{ "AKVSYNC_RETIAN", "AKVSYNC_RETAIN" },
		{ "AKVSYNC_DIRECTORY_OF_ALL", NULL },
		{ "x", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_text(rows[i].text,
			   text_nearest(rows[i].text, names, ARRAY_LEN(names)),
			   rows[i].want);
	assert_null(text_nearest("a", NULL, 0));
}

/* Text of a file that stands where a name is expected must not hold up the program. */
static void test_nearest_of_long_names(void **state)
{
	char name[TEXT_NEAREST_MAX + 2], typo[TEXT_NEAREST_MAX + 2];
	const char *const names[] = { "x", name };

	(void)state;
	for (size_t len = TEXT_NEAREST_MAX; len <= TEXT_NEAREST_MAX + 1; len++) {
		memset(name, 'a', len);
		name[len] = '\0';
		memcpy(typo, name, sizeof(name));
		typo[0] = 'b';
		assert_ptr_equal(text_nearest(typo, names, ARRAY_LEN(names)),
				 len == TEXT_NEAREST_MAX ? name : NULL);
	}
}

static void test_distance(void **state)
{
	static const struct {
		const char *a, *b;
		size_t want;
	} rows[] = {
		{ "", "", 0 },       { "", "abc", 3 },      { "abc", "", 3 },
		{ "abc", "ABC", 0 }, { "abc", "acb", 1 },   { "abc", "abcd", 1 },
		{ "abc", "bc", 1 },  { "abc", "xbc", 1 },   { "kitten", "sitting", 3 },
		{ "ab", "ba", 1 },   { "abcd", "badc", 2 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		check_int(rows[i].a, text_distance(rows[i].a, rows[i].b), rows[i].want);
		check_int(rows[i].b, text_distance(rows[i].b, rows[i].a), rows[i].want);
	}
}

typedef int decoder(const char *s, size_t len, struct buf *out, struct err *err);

struct decoding {
	const char *text;
	const char *want;  /* NULL: refused */
	const char *cause; /* of the refusal */
};

static void check_decoding(decoder *decode, const struct decoding *row, size_t len)
{
	auto_buf struct buf out = BUF_INIT(100);
	struct err err = { 0 };
	int result = decode(row->text, len, &out, &err);

	if (row->want == NULL) {
		check_err(row->text, result, &err, ERR_CONFIG, row->cause);
		return;
	}
	check_ok(row->text, result, &err);
	check_text(row->text, buf_str(&out), row->want);
}

static void test_base64(void **state)
{
	static const struct decoding rows[] = {
		{ "", "", NULL },
		{ "YQ==", "a", NULL },
		{ "YWI=", "ab", NULL },
		{ "YWJj", "abc", NULL },
		{ "YWJjZA==", "abcd", NULL },
		{ "YW\r\nJj\n", "abc", NULL },
		{ "Y\nQ=\n=\n", "a", NULL },
		{ "/+9=", "\xff\xef", NULL },
		{ "YQ", NULL, "its end is missing" },
		{ "YQ=", NULL, "its end is missing" },
		{ "YWJjZ", NULL, "its end is missing" },
		{ "=", NULL, "character 1" },
		{ "Y===", NULL, "character 2" },
		{ "YQ=a", NULL, "character 4" },
		{ "YQ==YQ==", NULL, "character 5" },
		{ "YWJj=", NULL, "character 5" },
		{ "YQ====", NULL, "character 5" },
		{ "YW Jj", NULL, "character 3" },
		{ "YWJj\t", NULL, "character 5" },
		{ "YW-_", NULL, "character 3" }, /* base64url */
		{ "YWJ\xc3", NULL, "character 4" },
	};
	static const struct decoding nul = { "YW\0j", NULL, "character 3" };
	auto_buf struct buf zero = BUF_INIT(100), small = BUF_INIT(2);
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_decoding(text_from_base64, &rows[i], strlen(rows[i].text));
	check_decoding(text_from_base64, &nul, 4);
	assert_int_equal(text_from_base64("AGEA", 4, &zero, &err), 0);
	assert_int_equal(zero.len, 3);
	assert_memory_equal(zero.data, "\0a\0", 4);
	check_err("bound", text_from_base64("YWJj", 4, &small, &err), &err,
		  ERR_UNAVAILABLE, "larger");
}

static void test_base64url(void **state)
{
	static const struct decoding rows[] = {
		{ "", "", NULL },
		{ "YQ", "a", NULL },
		{ "YWI", "ab", NULL },
		{ "_-8", "\xff\xef", NULL },
		{ "Y", NULL, "not standard base64" },
		{ "/-8", NULL, "character 1" },
		{ "_+8", NULL, "character 2" },
		{ "YQ==", NULL, "character 3" },
		{ "YW\nI", NULL, "character 3" },
	};
	auto_buf struct buf text = BUF_INIT(100);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_decoding(text_from_base64url, &rows[i], strlen(rows[i].text));
	text_to_base64url("\xff\xef", 2, &text);
	assert_string_equal(buf_str(&text), "_-8");
}

/* The borders of RFC 3629, section 4. */
static void test_utf8(void **state)
{
	static const struct {
		const char *text;
		size_t length;
	} rows[] = {
		{ "a", 1 },
		{ "\x7f", 1 },
		{ "\x80", 0 },
		{ "\xc1\xbf", 0 }, /* overlong */
		{ "\xc2\x80", 2 },
		{ "\xdf\xbf", 2 },
		{ "\xdf\x7f", 0 },
		{ "\xdf", 0 },
		{ "\xe0\x9f\xbf", 0 }, /* overlong */
		{ "\xe0\xa0\x80", 3 },
		{ "\xed\x9f\xbf", 3 },
		{ "\xed\xa0\x80", 0 }, /* half of a surrogate pair */
		{ "\xee\x80\x80", 3 },
		{ "\xef\xbf\xbf", 3 },
		{ "\xef\xbf", 0 },
		{ "\xf0\x8f\xbf\xbf", 0 }, /* overlong */
		{ "\xf0\x90\x80\x80", 4 },
		{ "\xf4\x8f\xbf\xbf", 4 },
		{ "\xf4\x90\x80\x80", 0 }, /* beyond U+10FFFF */
		{ "\xf5\x80\x80\x80", 0 },
		{ "\xff", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_int(rows[i].text, text_utf8_length(rows[i].text), rows[i].length);
}

static void test_hash(void **state)
{
	(void)state;
	assert_int_equal(text_hash(TEXT_HASH, "ab"), text_hash(TEXT_HASH, "ab"));
	assert_int_not_equal(text_hash(TEXT_HASH, "ab"), text_hash(TEXT_HASH, "ba"));
	assert_int_not_equal(text_hash(TEXT_HASH, NULL), text_hash(TEXT_HASH, ""));
	/* Where one text ends and the next begins counts. */
	assert_int_not_equal(text_hash(text_hash(TEXT_HASH, "ab"), "c"),
			     text_hash(text_hash(TEXT_HASH, "a"), "bc"));
}

static void test_hex(void **state)
{
	static const struct decoding rows[] = {
		{ "", "", NULL },
		{ "61", "a", NULL },
		{ "61Ff6a", "a\xffj", NULL },
		{ "6", NULL, "odd number" },
		{ "616", NULL, "odd number" },
		{ "6g", NULL, "character 2" },
		{ "616263g1", NULL, "character 7" },
		{ "0x61", NULL, "character 2" },
		{ "61 62 ", NULL, "character 3" },
		{ "61\n", "a", NULL },
		{ "6\n1\r\n62\r\n", "ab", NULL },
		{ "6\n", NULL, "odd number" },
		{ "61\t", NULL, "character 3" },
		{ "@A", NULL, "character 1" },
		{ "\xff\xff", NULL, "character 1" },
	};
	auto_buf struct buf zero = BUF_INIT(100), small = BUF_INIT(1);
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_decoding(text_from_hex, &rows[i], strlen(rows[i].text));
	assert_int_equal(text_from_hex("00ff00", 6, &zero, &err), 0);
	assert_int_equal(zero.len, 3);
	assert_memory_equal(zero.data, "\0\xff\0", 4);
	check_err("bound", text_from_hex("6161", 4, &small, &err), &err, ERR_UNAVAILABLE,
		  "larger");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_duration),
		cmocka_unit_test(test_from_duration),
		cmocka_unit_test(test_mode),
		cmocka_unit_test(test_number),
		cmocka_unit_test(test_bool),
		cmocka_unit_test(test_compare),
		cmocka_unit_test(test_trim),
		cmocka_unit_test(test_nearest),
		cmocka_unit_test(test_nearest_of_long_names),
		cmocka_unit_test(test_distance),
		cmocka_unit_test(test_base64),
		cmocka_unit_test(test_hex),
		cmocka_unit_test(test_base64url),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
