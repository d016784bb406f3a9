/* The content of a file goes through filters into a template, and never into a message.
 */
#include "unit.h"

#include "render/fill.h"

#define BYTES(text) (text), sizeof(text) - 1

struct row {
	enum template_filter filters[3];
	size_t count;
	const char *content;
	size_t len;
	const char *want; /* or a part of the message, when want_len is 0 */
	size_t want_len;
};

static int fill(const struct row *row, struct buf *out, struct err *err)
{
	struct template_part part = { .path = (char *)"p", .filter_count = row->count };

	memcpy(part.filters, row->filters, sizeof(row->filters));
	return fill_place(&part, row->content, row->len, out, err);
}

static void test_filters(void **state)
{
	static const struct row rows[] = {
		{ { 0 }, 0, BYTES("a\0\xff'"), BYTES("<a\0\xff'>") },
		{ { TEMPLATE_BASE64 }, 1, BYTES("a\0\xff"), BYTES("<YQD/>") },
		{ { TEMPLATE_BASE64 }, 1, BYTES("a"), BYTES("<YQ==>") },
		{ { TEMPLATE_BASE64 }, 1, BYTES(""), BYTES("<>") },
		{ { TEMPLATE_JSON }, 1, BYTES(""), BYTES("<\"\">") },
		{ { TEMPLATE_JSON },
		  1,
		  BYTES("a\"\\/\n\t\0\x7f\xc3\xbc"),
		  BYTES("<\"a\\\"\\\\/\\n\\u0009\\u0000\x7f\xc3\xbc\">") },
		{ { TEMPLATE_SHELL }, 1, BYTES("it's $x"), BYTES("<'it'\\''s $x'>") },
		{ { TEMPLATE_SHELL }, 1, BYTES(""), BYTES("<''>") },
		{ { TEMPLATE_SHELL }, 1, BYTES("\xff\n"), BYTES("<'\xff\n'>") },
		{ { TEMPLATE_TRIM }, 1, BYTES(" \t\r\n\v\f a b \n\n"), BYTES("<a b>") },
		{ { TEMPLATE_TRIM }, 1, BYTES(" \n"), BYTES("<>") },
		{ { TEMPLATE_TRIM }, 1, BYTES("\0 a \0"), BYTES("<\0 a \0>") },
		{ { TEMPLATE_URL },
		  1,
		  BYTES("aZ09-._~ /?#[]@!$&'()*+,;=:%\0\xff"),
		  BYTES("<aZ09-._~%20%2F%3F%23%5B%5D%40%21%24%26%27%28%29%2A%2B%2C%3B%3D"
			"%3A%25%00%FF>") },
		{ { TEMPLATE_TRIM, TEMPLATE_BASE64, TEMPLATE_URL },
		  3,
		  BYTES(" a\n"),
		  BYTES("<YQ%3D%3D>") },
		{ { TEMPLATE_URL, TEMPLATE_JSON }, 2, BYTES("\xff"), BYTES("<\"%FF\">") },
		{ { TEMPLATE_FILE_KEY_REF },
		  1,
		  BYTES("a\n\"\\$`# \r"),
		  BYTES("<'a\n\"\\$`# \r'>") },
		{ { TEMPLATE_FILE_KEY_REF }, 1, BYTES(""), BYTES("<''>") },
		{ { TEMPLATE_DOTENV },
		  1,
		  BYTES("a\n\"\\$`# "),
		  BYTES("<'a\n\"\\$`# '>") },
		{ { TEMPLATE_DOTENV }, 1, BYTES("it's #1"), BYTES("<\"it's #1\">") },
		{ { TEMPLATE_DOTENV }, 1, BYTES(""), BYTES("<''>") },
		{ { TEMPLATE_DOTENV }, 1, BYTES("\\a"), BYTES("<'\\a'>") },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *row = xasprintf("row %zu", i);
		auto_buf struct buf out = BUF_INIT(1000);
		struct err err = { 0 };

		buf_text(&out, "<");
		check_ok(row, fill(&rows[i], &out, &err), &err);
		buf_text(&out, ">");
		check_int(row, out.len, rows[i].want_len);
		check(row, memcmp(out.data, rows[i].want, out.len) == 0);
	}
}

static void test_refused(void **state)
{
	static const struct row rows[] = {
		{ { TEMPLATE_JSON }, 1, BYTES("MARKER\xff"), "is not UTF-8 text", 0 },
		{ { TEMPLATE_JSON }, 1, BYTES("MARKER\xc3"), "is not UTF-8 text", 0 },
		{ { TEMPLATE_SHELL }, 1, BYTES("MARKER\0"), "has a NUL byte", 0 },
		{ { TEMPLATE_FILE_KEY_REF }, 1, BYTES("MARKER'"), "has a ' in it", 0 },
		{ { TEMPLATE_FILE_KEY_REF }, 1, BYTES("MARKER\0"), "has a NUL byte", 0 },
		{ { TEMPLATE_FILE_KEY_REF }, 1, BYTES("MARKER\xff"), "not UTF-8", 0 },
		{ { TEMPLATE_FILE_KEY_REF }, 1, BYTES("MARKER\r\nx"), "CR LF", 0 },
		{ { TEMPLATE_DOTENV }, 1, BYTES("MARKER\0"), "has a NUL byte", 0 },
		{ { TEMPLATE_DOTENV }, 1, BYTES("MARKER\xff"), "not UTF-8", 0 },
		{ { TEMPLATE_DOTENV }, 1, BYTES("MARKER\r"), "carriage return", 0 },
		{ { TEMPLATE_DOTENV }, 1, BYTES("MARKER'\""), "different things", 0 },
		{ { TEMPLATE_DOTENV }, 1, BYTES("MARKER'\n"), "different things", 0 },
		{ { TEMPLATE_DOTENV }, 1, BYTES("MARKER'$"), "different things", 0 },
		{ { TEMPLATE_DOTENV }, 1, BYTES("MARKER'`"), "different things", 0 },
		{ { TEMPLATE_DOTENV }, 1, BYTES("MARKER'\\"), "different things", 0 },
		{ { TEMPLATE_DOTENV }, 1, BYTES("MARKER${x}"), "different things", 0 },
		{ { TEMPLATE_DOTENV }, 1, BYTES("MARKER\\"), "different things", 0 },
		{ { TEMPLATE_DOTENV }, 1, BYTES("MARKER\\\\x"), "different things", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf struct buf out = BUF_INIT(1000);
		struct err err = { 0 };

		check_err(rows[i].content, fill(&rows[i], &out, &err), &err, ERR_CONFIG,
			  rows[i].want);
		check(rows[i].content, strstr(err.msg, "MARKER") == NULL);
	}
}

static void test_bounds(void **state)
{
	auto_free char *large = xcalloc(1, FILL_FILE_KEY_REF_VALUE_MAX + 1);
	struct row row = { .filters = { TEMPLATE_FILE_KEY_REF },
			   .count = 1,
			   .content = large,
			   .len = FILL_FILE_KEY_REF_VALUE_MAX };
	auto_buf struct buf out = BUF_INIT(FILL_FILE_KEY_REF_FILE_MAX);
	auto_buf struct buf small = BUF_INIT(10);
	struct err err = { 0 };

	(void)state;
	memset(large, 'x', FILL_FILE_KEY_REF_VALUE_MAX + 1);
	check_ok("most", fill(&row, &out, &err), &err);
	row.len++;
	check_err("more", fill(&row, &out, &err), &err, ERR_CONFIG,
		  "more than fileKeyRef");
	row = (struct row){ .content = large, .len = 10 };
	check_ok("fits", fill(&row, &small, &err), &err);
	row.len = 1;
	check_err("full", fill(&row, &small, &err), &err, ERR_CONFIG,
		  "larger than 10 bytes");
	/* Each filter may multiply what comes, but not without end. */
	row = (struct row){ .filters = { TEMPLATE_URL, TEMPLATE_URL, TEMPLATE_URL },
			    .count = 3,
			    .content = "\xff\xff\xff\xff",
			    .len = 4 };
	check_err("grows", fill(&row, &small, &err), &err, ERR_CONFIG,
		  "larger than 10 bytes");
	/* Also when it would shrink again. */
	row = (struct row){ .filters = { TEMPLATE_TRIM },
			    .count = 1,
			    .content = "           ",
			    .len = 11 };
	check_err("shrinks", fill(&row, &small, &err), &err, ERR_CONFIG,
		  "larger than 10 bytes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
