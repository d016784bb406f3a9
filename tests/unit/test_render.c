/* One secret becomes the bytes of its file. */
#include "unit.h"

#include "render/render.h"

static void test_render(void **state)
{
	static const struct {
		const char *value;
		enum text_encoding encoding;
		const char *want; /* NULL: refused */
		size_t len;
	} rows[] = {
		{ "", TEXT_UTF8, "", 0 },
		{ "p\xc3\xa4ss\n", TEXT_UTF8, "p\xc3\xa4ss\n", 6 },
		{ "YQ==", TEXT_UTF8, "YQ==", 4 },
		{ "AGEA/w==", TEXT_BASE64, "\0a\0\xff", 4 },
		{ "", TEXT_BASE64, "", 0 },
		{ "00ff0A", TEXT_HEX, "\0\xff\n", 3 },
		{ "MARKER!", TEXT_BASE64, NULL, 0 },
		{ "MARKER", TEXT_BASE64, NULL, 0 },
		{ "MARKER", TEXT_HEX, NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf struct buf out = BUF_INIT(100);
		struct err err = { 0 };
		auto_buf struct buf value = BUF_INIT(100);
		int result;

		buf_text(&value, rows[i].value);
		result = render_secret(&value, rows[i].encoding, &out, &err);

		if (rows[i].want == NULL) {
			check_err(rows[i].value, result, &err, ERR_CONFIG, "not ");
			check(rows[i].value, strstr(err.msg, "MARKER") == NULL);
			continue;
		}
		check_ok(rows[i].value, result, &err);
		assert_int_equal(out.len, rows[i].len);
		assert_memory_equal(buf_str(&out), rows[i].want, rows[i].len);
	}
}

/* They are kept on the volume: another text would make every file anew. */
static void test_options(void **state)
{
	(void)state;
	assert_string_equal(render_options(TEXT_UTF8), "encoding=utf-8");
	assert_string_equal(render_options(TEXT_BASE64), "encoding=base64");
	assert_string_equal(render_options(TEXT_HEX), "encoding=hex");
}

static void test_too_large(void **state)
{
	auto_buf struct buf out = BUF_INIT(3);
	auto_buf struct buf value = BUF_INIT(100);
	struct err err = { 0 };

	(void)state;
	buf_text(&value, "four");
	check_err("bound", render_secret(&value, TEXT_UTF8, &out, &err), &err,
		  ERR_UNAVAILABLE, "larger than 3 bytes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_render),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_too_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
