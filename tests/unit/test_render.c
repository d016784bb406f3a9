/* One secret becomes the bytes of its file. */
#include "unit.h"

#include "render/render.h"

/* A plain secret with that encoding becomes one file. */
static int render(const char *value, enum text_encoding encoding,
		  struct render_files *out, struct err *err)
{
	auto_buf struct buf bytes = BUF_INIT(1024);
	struct render_how how = { .encoding = encoding };

	buf_text(&bytes, value);
	return render_object(&how, &(struct render_source){ .value = &bytes }, out, err);
}

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
		struct render_files files = { 0 };
		struct err err = { 0 };
		int result = render(rows[i].value, rows[i].encoding, &files, &err);

		if (rows[i].want == NULL) {
			check_err(rows[i].value, result, &err, ERR_CONFIG, "not ");
			check(rows[i].value, strstr(err.msg, "MARKER") == NULL);
			continue;
		}
		check_ok(rows[i].value, result, &err);
		assert_int_equal(files.items[0].len, rows[i].len);
		assert_memory_equal(buf_str(&files.items[0]), rows[i].want, rows[i].len);
		render_files_done(&files);
	}
}

/* They are kept on the volume: another text would make every file anew. */
static void test_options(void **state)
{
	static const struct {
		struct render_how how;
		const char *want;
	} rows[] = {
		{ { .encoding = TEXT_UTF8 }, "encoding=utf-8" },
		{ { .encoding = TEXT_BASE64 }, "encoding=base64" },
		{ { .encoding = TEXT_HEX }, "encoding=hex" },
		{ { .kind = OBJECT_KEY }, "public-key" },
		{ { .kind = OBJECT_CERTIFICATE }, "certificate" },
		{ { .format = OBJECT_PFX, .password_object = "p" },
		  "encoding=utf-8;format=pfx;password=p" },
		{ { .layout = OBJECT_TLS }, "encoding=utf-8;layout=kubernetes.io/tls" },
		{ { .layout = OBJECT_SPLIT }, "encoding=utf-8;layout=split" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *options = render_options(&rows[i].how);

		check_text(rows[i].want, options, rows[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_render),
		cmocka_unit_test(test_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
