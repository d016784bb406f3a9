/* What a reference wants of a file: values of JSON as they are written, and what akv2k8s
 * means by its keys. */
#include "unit.h"

#include "exec/part.h"

#define PEM_CERTIFICATE "-----BEGIN CERTIFICATE-----\nQQ==\n-----END CERTIFICATE-----\n"
#define PEM_KEY "-----BEGIN EC PRIVATE KEY-----\nQg==\n-----END EC PRIVATE KEY-----"
#define JSON                                                                             \
	" {\"a\": {\"b/c\": [1, 2.50, {\"~\": \"x\\n\\u00e9\"}]}, \"n\": null,"          \
	" \"\": \"empty key\", \"\\u0061b\": \"escaped key\", \"0\": \"zero\"} "

static int take(const char *file, const char *reference, struct buf *out, struct err *err)
{
	auto_buf struct buf bytes = BUF_INIT(4096);
	struct reference r;
	bool found;
	int result;

	buf_text(&bytes, file);
	check_ok(reference, reference_parse(&r, reference, &found, err), err);
	result = part_take(&r, &bytes, out, err);
	reference_done(&r);
	return result;
}

static void test_values(void **state)
{
	static const struct {
		const char *file, *reference, *value;
	} rows[] = {
		{ "x\n", "akvsync:f", "x\n" },
		{ "", "akvsync:f", "" },
		{ JSON, "akvsync:f#/a/b~1c/0", "1" },
		{ JSON, "akvsync:f#/a/b~1c/1", "2.50" },
		{ JSON, "akvsync:f#/a/b~1c/2/~0", "x\n\303\251" },
		{ JSON, "akvsync:f#n", "null" },
		{ JSON, "akvsync:f#/", "empty key" },
		{ JSON, "akvsync:f#ab", "escaped key" },
		{ JSON, "akvsync:f#0", "zero" },
		{ JSON, "f@azurekeyvault?ab", "escaped key" },
		{ "{\"/a\":\"slash\"}", "f@azurekeyvault?/a", "slash" },
		{ "{\"username\":\"u\"}", "f@azurekeyvault?username", "u" },
		{ "{\"tls.crt\":\"c\"}", "f@azurekeyvault?tls.crt", "c" },
		{ "u:p:q", "f@azurekeyvault?username", "u" },
		{ "u:p:q", "f@azurekeyvault?password", "p:q" },
		{ ":", "f@azurekeyvault?password", "" },
		{ "u:p", "f@azurekeyvault?raw", "u:p" },
		{ "text\n" PEM_CERTIFICATE PEM_KEY, "f@azurekeyvault?tls.key", PEM_KEY },
		{ PEM_KEY "\n" PEM_CERTIFICATE PEM_CERTIFICATE, "f@azurekeyvault?tls.crt",
		  PEM_CERTIFICATE PEM_CERTIFICATE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf struct buf out = BUF_INIT(4096);
		struct err err;

		check_ok(rows[i].reference,
			 take(rows[i].file, rows[i].reference, &out, &err), &err);
		check_text(rows[i].reference, buf_str(&out), rows[i].value);
	}
}

/* Each file holds "secret", which no message may. */
static void test_mistakes(void **state)
{
	static const struct {
		const char *file, *reference;
		enum err_kind kind;
		const char *says;
	} rows[] = {
		{ "{\"secret\":1}", "akvsync:f#b", ERR_NOTFOUND, "has no '/b'" },
		{ "{\"a\":\"secret\"}", "akvsync:f#/a/b", ERR_NOTFOUND, "at 'b'" },
		{ "[1,\"secret\"]", "akvsync:f#/2", ERR_NOTFOUND, "has no '/2'" },
		{ "[1,\"secret\"]", "akvsync:f#/-", ERR_NOTFOUND, "has no '/-'" },
		{ "[1,\"secret\"]", "akvsync:f#/00", ERR_NOTFOUND, "has no '/00'" },
		{ "[1,\"secret\"]", "akvsync:f#a", ERR_NOTFOUND, "has no '/a'" },
		{ "secret", "akvsync:f#a", ERR_CONFIG, "it is not JSON" },
		{ "", "akvsync:f#a", ERR_CONFIG, "it is not JSON" },
		{ "{\"a\":1,\"a\":\"secret\"}", "akvsync:f#a", ERR_CONFIG,
		  "it is not JSON" },
		{ "{\"a\":\"secret\"", "akvsync:f#a", ERR_CONFIG, "it is not JSON" },
		{ "secret", "f@azurekeyvault?username", ERR_CONFIG, "'user:password'" },
		{ "secret", "f@azurekeyvault?tls.crt", ERR_NOTFOUND, "of a certificate" },
		{ PEM_CERTIFICATE "secret", "f@azurekeyvault?tls.key", ERR_NOTFOUND,
		  "of a private key" },
		{ "-----BEGIN CERTIFICATE-----\nsecret", "f@azurekeyvault?tls.crt",
		  ERR_NOTFOUND, "no PEM block" },
		{ "secret", "f@azurekeyvault?other", ERR_CONFIG, "it is not JSON" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf struct buf out = BUF_INIT(4096);
		struct err err = { 0 };

		check_err(rows[i].file, take(rows[i].file, rows[i].reference, &out, &err),
			  &err, rows[i].kind, rows[i].says);
		check_holds(rows[i].file, err.msg, "file 'f'");
		check(rows[i].file, strstr(err.msg, "secret") == NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_mistakes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
