/* Objects become the bytes of their files; test_pki.c has the order of certificates. */
#include "certs.h"

#include "render/render.h"

static int render(enum text_encoding encoding, const char *value,
		  struct render_files *out, struct err *err)
{
	auto_buf struct buf bytes = BUF_INIT(1000);

	*err = (struct err){ 0 };
	buf_text(&bytes, value);
	return render_object(&(struct render_how){ .path = "a", .encoding = encoding },
			     &(struct render_source){ .value = &bytes }, out, err);
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
		struct render_files out = { 0 };
		struct err err;
		int result = render(rows[i].encoding, rows[i].value, &out, &err);

		if (rows[i].want == NULL) {
			check_err(rows[i].value, result, &err, ERR_CONFIG, "not ");
			check(rows[i].value, strstr(err.msg, "MARKER") == NULL);
			continue;
		}
		check_ok(rows[i].value, result, &err);
		assert_int_equal(out.items[0].bytes.len, rows[i].len);
		assert_memory_equal(buf_str(&out.items[0].bytes), rows[i].want,
				    rows[i].len);
		render_files_done(&out);
	}
}

/* To ask for it again would not help. */
static void test_too_large(void **state)
{
	auto_buf struct buf bytes = BUF_INIT(300 * 1024);
	struct render_files out = { 0 };
	struct err err = { 0 };

	(void)state;
	while (bytes.len < bytes.max)
		assert_int_equal(buf_add(&bytes, "x", 1, &err), 0);
	check_err("300 KiB",
		  render_object(&(struct render_how){ .path = "a" },
				&(struct render_source){ .value = &bytes }, &out, &err),
		  &err, ERR_CONFIG, "");
}

static struct certs certs;

static int set_up(void **state)
{
	(void)state;
	certs = certs_of(EVP_EC_gen("P-256"), -1, 9);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	certs_free(&certs);
	return 0;
}

/* The secret of a certificate as PEM; parts as in certs.h. */
static void test_pem(void **state)
{
	static const char pem[] = "application/x-pem-file";
	static const struct {
		const char *parts, *type;
		enum object_layout layout;
		bool plain;                /* no certificate is behind the secret */
		const char *files[3];      /* in parts */
		const char *unread, *says; /* why it was left as it is, or refused */
	} rows[] = {
		{ "klbr", pem, OBJECT_SINGLE, false, .files = { "klbr" } },
		{ "lbrt", pem, OBJECT_SINGLE, false, .files = { "lbrt" } },
		{ "rblt", pem, OBJECT_SINGLE, false, .files = { "tlbr" } },
		{ "rblt", pem, OBJECT_SINGLE, true, .files = { "rblt" } },
		{ "rblt", "text/plain", OBJECT_SINGLE, true, .files = { "rblt" } },
		{ "lbrt", NULL, OBJECT_SINGLE, false, .files = { "lbrt" } },
		{ "lbrt", pem, OBJECT_SPLIT, false, .files = { "lbrt", "lbr", "t" } },
		{ "rblt", pem, OBJECT_SPLIT, true, .files = { "tlbr", "lbr", "t" } },
		{ "rblt", pem, OBJECT_TLS, false, .files = { "lb", "t", "r" } },
		{ "kxlbr", pem, OBJECT_SINGLE, false, .files = { "kxlbr" },
		  .unread = "more than one" },
		{ "elbr", pem, OBJECT_SINGLE, false, .files = { "elbr" },
		  .unread = "has a password" },
		{ "kxlbr", pem, OBJECT_SPLIT, false, .says = "more than one private" },
		{ "lbr", pem, OBJECT_SPLIT, false, .says = "no private key" },
		{ "", pem, OBJECT_SINGLE, false, .says = "it is not PEM" },
		{ "klbr", "text/plain", OBJECT_SINGLE, false, .says = "neither" },
		{ "klbr", NULL, OBJECT_TLS, true, .says = "looks like PEM" },
		{ "klbr", "text/plain", OBJECT_SPLIT, true, .says = "looks like PEM" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *row = rows[i].parts;
		auto_buf struct buf value = BUF_INIT(65536);
		struct render_files out = { 0 };
		struct err err = { 0 };
		int result;

		certs_write(&certs, row, &value);
		result = render_object(
			&(struct render_how){ .path = "a", .layout = rows[i].layout },
			&(struct render_source){ .value = &value,
						 .content_type = rows[i].type,
						 .of_certificate = !rows[i].plain },
			&out, &err);
		if (rows[i].says != NULL) {
			check_err(row, result, &err, ERR_CONFIG, rows[i].says);
			continue;
		}
		check_ok(row, result, &err);
		check_holds(row, out.unread.msg, rows[i].unread ? rows[i].unread : "");
		check(row, (rows[i].unread != NULL) == (out.unread.kind != ERR_NONE));
		for (size_t n = 0; n < out.count; n++) {
			auto_buf struct buf want = BUF_INIT(65536);

			certs_write(&certs, rows[i].files[n] ? rows[i].files[n] : "",
				    &want);
			check_text(row, buf_str(&out.items[n].bytes),
				   rows[i].unread && n == 0 ? buf_str(&value)
							    : buf_str(&want));
		}
		render_files_done(&out);
	}
}

/* They are kept on the volume: another text would make every file anew. */
static void test_options(void **state)
{
	static const struct {
		struct render_how how;
		const char *want, *suffixes;
	} rows[] = {
		{ { .encoding = TEXT_UTF8 }, "encoding=utf-8", " |" },
		{ { .encoding = TEXT_BASE64 }, "encoding=base64", " |" },
		{ { .encoding = TEXT_HEX }, "encoding=hex", " |" },
		{ { .kind = OBJECT_KEY }, "public-key", " |" },
		{ { .kind = OBJECT_CERTIFICATE }, "certificate", " |" },
		{ { .format = OBJECT_PFX }, "encoding=utf-8;format=pfx", " |" },
		{ { .format = OBJECT_TRUSTSTORE, .password_object = "p" },
		  "encoding=utf-8;format=truststore;password=p",
		  " |" },
		{ { .kind = OBJECT_CERTIFICATE, .format = OBJECT_PKCS12 },
		  "certificate;format=pkcs12",
		  " |" },
		{ { .format = OBJECT_PFX, .password_object = "p" },
		  "encoding=utf-8;format=pfx;password=p",
		  " |" },
		{ { .layout = OBJECT_SPLIT },
		  "encoding=utf-8;layout=split",
		  " | .crt| .key|" },
		{ { .layout = OBJECT_TLS },
		  "encoding=utf-8;layout=kubernetes.io/tls",
		  " /tls.crt| /tls.key| /ca.crt|" },
	};

	const struct object_part part = { .expression = (char[]){ "a.b[0]" },
					  .path = (char[]){ "xp" },
					  .mode = 0400 };
	const struct render_how json = { .path = "x", .parts = &part, .part_count = 1 };
	struct render_files made;

	(void)state;
	render_outline(&json, &made);
	assert_int_equal(made.count, 2);
	assert_string_equal(made.items[0].options, "encoding=utf-8");
	assert_string_equal(made.items[1].options, "encoding=utf-8;jmesPath=a.b[0]");
	assert_string_equal(made.items[1].path, "xp");
	assert_int_equal(made.items[1].mode, 0400);
	render_files_done(&made);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf struct buf suffixes = BUF_INIT(100);
		struct render_how how = rows[i].how;
		struct render_files files;

		how.path = "a";
		how.mode = 0640;
		render_outline(&how, &files);
		for (size_t n = 0; n < files.count; n++) {
			buf_printf(&suffixes, " %s|", files.items[n].path + 1);
			check_text(rows[i].want, files.items[n].options, rows[i].want);
			check_int(rows[i].want, files.items[n].mode, 0640);
		}
		check_text(rows[i].want, buf_str(&suffixes), rows[i].suffixes);
		render_files_done(&files);
	}
}

static void test_metadata(void **state)
{
	auto_buf struct buf all = BUF_INIT(1000), least = BUF_INIT(1000);
	static const char tags[] = "{\"env\":\"a\\\"b\",\"odd\":1}";
	auto_json struct json *json = NULL;
	struct err err;

	(void)state;
	check_ok("tags", json_parse(tags, strlen(tags), &json, &err), &err);
	render_metadata(&(struct render_facts){ .name = "n",
						.kind = "secret",
						.version = "v",
						.content_type = "text/plain",
						.created = 0,
						.updated = 1767222000,
						.not_before = 4102444800,
						.expires = 253402300799,
						.tags = json },
			&all);
	assert_string_equal(
		buf_str(&all),
		"{\"name\":\"n\",\"type\":\"secret\",\"version\":\"v\","
		"\"created\":\"1970-01-01T00:00:00Z\","
		"\"updated\":\"2025-12-31T23:00:00Z\","
		"\"notBefore\":\"2100-01-01T00:00:00Z\","
		"\"expires\":\"9999-12-31T23:59:59Z\","
		"\"contentType\":\"text/plain\",\"tags\":{\"env\":\"a\\\"b\"}}\n");
	render_metadata(&(struct render_facts){ .name = "n",
						.kind = "key",
						.version = "v",
						.created = -1,
						.updated = -1,
						.not_before = -1,
						.expires = -1 },
			&least);
	assert_string_equal(buf_str(&least),
			    "{\"name\":\"n\",\"type\":\"key\",\"version\":\"v\","
			    "\"created\":null,\"updated\":null,\"notBefore\":null,"
			    "\"expires\":null,\"contentType\":null,\"tags\":{}}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_render),   cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_pem),      cmocka_unit_test(test_options),
		cmocka_unit_test(test_metadata),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
