/* Text of others at a terminal: what it obeys is never shown, and columns are counted. */
#include "unit.h"

#include "command/plain.h"

#define NUL_INSIDE "a\0b"

static void test_add(void **state)
{
	static const struct {
		const char *text, *line, *lines;
	} rows[] = {
		{ "", "", "" },
		{ "db-password", "db-password", "db-password" },
		{ "a\nb\tc\n", "a?b?c?", "a\nb\tc\n" },
		{ "\x1b[31mred\x1b[0m", "?[31mred?[0m", "?[31mred?[0m" },
		{ "\r\b\a\v\f\x7f", "??????", "??????" },
		{ "\x9b"
		  "31m",
		  "?31m", "?31m" },
		{ "a\xc2\x9b"
		  "b\xc2\x85",
		  "a?b?", "a?b?" }, /* CSI and NEL of Unicode */
		{ "\xe2\x80\xae"
		  "abc",
		  "?abc", "?abc" }, /* right to left */
		{ "\xe2\x81\xa6\xe2\x80\x8b\xe2\x80\xa8\xef\xbb\xbf", "????", "????" },
		{ "\xf3\xa0\x81\x81\xee\x80\x80\xc2\xad", "???", "???" },
		{ "\xff\xfe\xc3", "???", "???" },             /* no UTF-8, and cut */
		{ "\xc0\x9b\xed\xa0\x80", "?????", "?????" }, /* overlong; a surrogate */
		{ "schl\xc3\xbcssel/\xe9\x8d\xb5", "schl\xc3\xbcssel/\xe9\x8d\xb5",
		  "schl\xc3\xbcssel/\xe9\x8d\xb5" },
		{ "%s%n", "%s%n", "%s%n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf struct buf line = BUF_INIT(100), lines = BUF_INIT(100);

		plain_add(&line, rows[i].text, strlen(rows[i].text), false);
		plain_add(&lines, rows[i].text, strlen(rows[i].text), true);
		check_text(rows[i].text, buf_str(&line), rows[i].line);
		check_text(rows[i].text, buf_str(&lines), rows[i].lines);
	}
}

static void test_add_bytes(void **state)
{
	auto_buf struct buf out = BUF_INIT(100);

	(void)state;
	plain_add(&out, NUL_INSIDE, sizeof(NUL_INSIDE) - 1, true);
	check_text("NUL", buf_str(&out), "a?b");
	check_int("NUL", out.len, 3);
}

static void test_cut(void **state)
{
	static const struct {
		const char *text;
		size_t width, columns;
		const char *want;
	} rows[] = {
		{ "", 0, 3, "" },
		{ "abcdef", 6, 6, "abcdef" },
		{ "abcdefg", 7, 6, "ab...g" },
		{ "abcdefgh", 8, 7, "ab...gh" },
		{ "abcdefgh", 8, 3, "..." },
		{ "abcdefgh", 8, 2, "" },
		{ "abcdefgh", 8, 0, "" },
		{ "\xc3\xa4\xc3\xb6\xc3\xbcxyz", 6, 5, "\xc3\xa4...z" },
		/* A wide letter that does not fit is left out. */
		{ "\xe9\x8d\xb5\xe9\x8d\xb5\xe9\x8d\xb5\xe9\x8d\xb5", 8, 7,
		  "\xe9\x8d\xb5...\xe9\x8d\xb5" },
		{ "\xe9\x8d\xb5\xe9\x8d\xb5\xe9\x8d\xb5\xe9\x8d\xb5", 8, 5, "..." },
		/* An accent stays with its letter. */
		{ "ae\xcc\x81xyzxyz", 8, 6, "ae\xcc\x81...z" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf struct buf out = BUF_INIT(100);

		check_int(rows[i].text, plain_width(rows[i].text), rows[i].width);
		plain_cut(&out, rows[i].text, rows[i].columns);
		check_text(rows[i].text, buf_str(&out), rows[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_add_bytes),
		cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
