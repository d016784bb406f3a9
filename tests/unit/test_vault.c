/* Key Vault's data plane: URLs, good replies, and each refusal with its reaction. */
#include "unit.h"

#include "azure/vault.h"

#define VAULT "https://shop-kv.vault.azure.net"
#define VERSION "0123456789abcdef0123456789abcdef"
#define ID "\"id\":\"" VAULT "/secrets/a/" VERSION "\""

static void test_urls(void **state)
{
	auto_free char *current = vault_object_url(VAULT, OBJECT_SECRET, "db-pass", NULL);
	auto_free char *pinned =
		vault_object_url(VAULT, OBJECT_SECRET, "db-pass", VERSION);
	auto_free char *id = vault_object_id(VAULT, OBJECT_SECRET, "db-pass");

	(void)state;
	assert_string_equal(current, VAULT "/secrets/db-pass?api-version=7.4");
	assert_string_equal(pinned, VAULT "/secrets/db-pass/" VERSION "?api-version=7.4");
	assert_string_equal(id, VAULT "/secrets/db-pass");
}

static int parse_kind(enum object_kind kind, int status, const char *body,
		      struct vault_object *out, struct err *err)
{
	struct http_reply reply = { .status = status,
				    .body = BUF_INIT(64 * 1024),
				    .retry_after_ms = 1500,
				    .request_id = "1f2e-3" };
	int result;

	*err = (struct err){ 0 };
	buf_text(&reply.body, body);
	result = vault_object_parse(&reply,
				    &(struct refusal_context){ .kind = kind,
							       .client_id = "client-1",
							       .vault = "shop-kv" },
				    out, err);
	buf_done(&reply.body);
	return result;
}

static int parse(int status, const char *body, struct vault_object *out, struct err *err)
{
	return parse_kind(OBJECT_SECRET, status, body, out, err);
}

/* A key or certificate that the vault gives is taken, whether or not it is enabled. */
static void test_disabled(void **state)
{
#define OFF "\"attributes\":{\"enabled\":false}"
#define KEY "\"key\":{\"kid\":\"https://x/keys/a/" VERSION "\",\"kty\":\"RSA\"}"
	static const struct {
		enum object_kind kind;
		const char *body, *says; /* NULL: it is taken */
		bool disabled;
	} rows[] = {
		{ OBJECT_KEY, "{" KEY "," OFF "}", NULL, true },
		{ OBJECT_KEY, "{" KEY ",\"attributes\":{\"enabled\":true}}", NULL,
		  false },
		{ OBJECT_KEY, "{" KEY "}", NULL, false },
		{ OBJECT_CERTIFICATE, "{" ID ",\"cer\":\"MII\"," OFF "}", NULL, true },
		{ OBJECT_CERTIFICATE, "{" ID ",\"cer\":\"MII\"}", NULL, false },
		{ OBJECT_CERTIFICATE, "{" ID "," OFF "}",
		  "the certificate is disabled, or not issued yet", false },
		{ OBJECT_CERTIFICATE, "{" ID ",\"cer\":null," OFF "}",
		  "the certificate is disabled, or not issued yet", false },
		{ OBJECT_KEY, "{\"key\":{}," OFF "}", "the key is disabled: enable it",
		  false },
		{ OBJECT_SECRET, "{\"value\":\"MARKER\"," ID "," OFF "}",
		  "the secret is disabled: enable it", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct vault_object object = { 0 };
		struct err err;
		int result = parse_kind(rows[i].kind, 200, rows[i].body, &object, &err);

		if (rows[i].says != NULL) {
			check_err(rows[i].body, result, &err, ERR_DENIED, rows[i].says);
			continue;
		}
		check_ok(rows[i].body, result, &err);
		check(rows[i].body, object.disabled == rows[i].disabled);
		vault_object_done(&object);
	}
}

static void test_good(void **state)
{
	static const struct {
		const char *body, *value, *version;
	} rows[] = {
		{ "{\"value\":\"v\"," ID "}", "v", VERSION },
		{ "{\"value\":\"\"," ID "}", "", VERSION },
		{ "{\"value\":\"\\u00e9\\n\\\\u0000\"," ID ",\"kid\":null}",
		  "\xc3\xa9\n\\u0000", VERSION },
		/* The service escapes these signs, too. */
		{ "{\"value\":\"\\u002B\\u003C\\u003e\\u0026\\u0027\\u0060\"," ID "}",
		  "+<>&'`", VERSION },
		{ "{\"value\":\"v\",\"id\":\"https://x/"
		  "ABCDEF0123456789abcdef0123456789\","
		  "\"attributes\":{\"enabled\":true,\"exp\":253402300799},\"new\":[{}],"
		  "\"contentType\":\"text\",\"managed\":true}",
		  "v", "ABCDEF0123456789abcdef0123456789" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct vault_object secret = { 0 };
		struct err err;

		check_ok(rows[i].body, parse(200, rows[i].body, &secret, &err), &err);
		check_text(rows[i].body, buf_str(&secret.value), rows[i].value);
		check_text(rows[i].body, secret.version, rows[i].version);
		vault_object_done(&secret);
		assert_null(secret.value.data);
	}
}

/* A gateway or an emulator may escape base64, which the service does not. */
static void test_escaped_certificate(void **state)
{
	struct vault_object object = { 0 };
	struct err err;

	(void)state;
	check_ok("cer",
		 parse_kind(OBJECT_CERTIFICATE, 200,
			    "{\"cer\":\"MIIB\\u002B\\/\\u003D=\"," ID "}", &object, &err),
		 &err);
	check_text("cer", object.cer, "MIIB+/==");
	vault_object_done(&object);
}

static void test_bytes(void **state)
{
	struct vault_object secret = { 0 };
	struct err err;

	(void)state;
	check_ok("NUL", parse(200, "{\"value\":\"a\\u0000b\"," ID "}", &secret, &err),
		 &err);
	assert_int_equal(secret.value.len, 3);
	assert_memory_equal(secret.value.data, "a\0b", 3);
	assert_false(secret.of_certificate);
	vault_object_done(&secret);
	check_ok("kid",
		 parse(200, "{\"value\":\"v\",\"kid\":\"x\"," ID "}", &secret, &err),
		 &err);
	assert_true(secret.of_certificate);
	vault_object_done(&secret);
}

static void test_garbled(void **state)
{
	static const struct {
		const char *body;
		enum err_kind kind;
		const char *cause;
	} rows[] = {
		{ "", ERR_GARBLED, "garbled reply: it is empty" },
		{ "<html>MARKER", ERR_GARBLED, "garbled reply: not JSON" },
		{ "{\"value\":\"MARKER\"," ID, ERR_GARBLED, "not JSON" },
		{ "[]", ERR_GARBLED, "no value" },
		{ "{\"value\":\"MARKER\"}", ERR_GARBLED, "no version in its id" },
		{ "{\"value\":\"MARKER\",\"id\":5}", ERR_GARBLED, "no version" },
		{ "{\"value\":\"MARKER\",\"id\":\"" VERSION "\"}", ERR_GARBLED,
		  "no version" },
		{ "{\"value\":\"MARKER\",\"id\":\"/" VERSION "0\"}", ERR_GARBLED,
		  "no version" },
		{ "{\"value\":\"MARKER\",\"id\":\"/g123456789abcdef0123456789abcdef\"}",
		  ERR_GARBLED, "no version" },
		{ "{\"value\":\"MARKER\",\"id\":\"/" VERSION "g\"}", ERR_GARBLED,
		  "no version" },
		{ "{\"value\":\"MARKER\",\"id\":\"/" VERSION "/\"}", ERR_GARBLED,
		  "no version" },
		{ "{" ID "}", ERR_GARBLED, "no value" },
		{ "{\"value\":null," ID "}", ERR_GARBLED, "no value" },
		{ "{\"value\":[\"MARKER\"]," ID "}", ERR_GARBLED, "no value" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct vault_object secret = { 0 };
		struct err err;

		check_err(rows[i].body, parse(200, rows[i].body, &secret, &err), &err,
			  rows[i].kind, rows[i].cause);
		check(rows[i].body, strstr(err.msg, "MARKER") == NULL);
		check(rows[i].body, secret.body == NULL && secret.value.data == NULL);
	}
}

#define CODE(c) "{\"error\":{\"code\":\"" c "\",\"message\":\"MARKER\"}}"
#define INNER(c)                                                                         \
	"{\"error\":{\"code\":\"Forbidden\",\"innererror\":{\"code\":\"" c "\"}}}"

/* What Azure says of a firewall. */
#define FIREWALL(address)                                                                \
	"{\"error\":{\"code\":\"Forbidden\",\"message\":\"Client address is not "        \
	"authorized "                                                                    \
	"and caller is not a trusted service.\\r\\nClient address: " address             \
	"\",\"innererror\":{\"code\":\"ForbiddenByFirewall\"}}}"
#define PASSES "; vault 'shop-kv', or a gateway before it, has a fault: it is asked again"
#define NO_VAULT "; this is no answer of a Key Vault: is a proxy, a firewall"

static void test_refusals(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum err_kind kind;
		const char *msg;
	} rows[] = {
		/* One row a row of the table. */
		{ 403, INNER("SecretDisabled"), ERR_DENIED,
		  "403 SecretDisabled; the secret is disabled" },
		{ 403, INNER("ForbiddenByRbac"), ERR_DENIED,
		  "403 ForbiddenByRbac; identity client-1 may not read it; grant \"Key "
		  "Vault Secrets User\" on vault 'shop-kv' or the secret" },
		{ 403, INNER("AccessDenied"), ERR_DENIED,
		  "identity client-1 may not read it; give it the secret permission" },
		{ 403, INNER("ForbiddenByFirewall"), ERR_DENIED,
		  "firewall of vault 'shop-kv' does not admit this pod's address; add" },
		{ 403, FIREWALL("203.0.113.7\\r\\nCaller: MARKER"), ERR_DENIED,
		  "firewall of vault 'shop-kv' does not admit 203.0.113.7; add the "
		  "cluster's egress" },
		{ 403, FIREWALL("2001:db8::7 MARKER"), ERR_DENIED,
		  "firewall of vault 'shop-kv' does not admit 2001:db8::7; add" },
		{ 403, FIREWALL("<MARKER>"), ERR_DENIED,
		  "admit this pod's address; add" },
		{ 403, INNER("ForbiddenByConnection"), ERR_DENIED, "private" },
		{ 404, CODE("SecretNotFound"), ERR_NOTFOUND,
		  "404 SecretNotFound; check the name, and whether it was deleted from "
		  "vault 'shop-kv'" },
		{ 429, CODE("Throttled"), ERR_UNAVAILABLE,
		  "429 Throttled; too many requests to vault 'shop-kv', counted over all "
		  "that use it; lengthen AKVSYNC_POLL_INTERVAL" },
		/* The status alone. */
		{ 400, "", ERR_CONFIG, "400" NO_VAULT },
		{ 401, "", ERR_IDENTITY,
		  "does not accept the token of identity client-1" },
		{ 403, CODE("Forbidden"), ERR_DENIED,
		  "403 Forbidden; identity client-1 may not read it: check its role" },
		{ 403, "", ERR_DENIED, "403" NO_VAULT },
		{ 403, "<html>MARKER", ERR_DENIED, "403" NO_VAULT },
		{ 403, "{\"message\":\"MARKER\"}", ERR_DENIED, "403" NO_VAULT },
		{ 404, "<html>MARKER", ERR_NOTFOUND, "404" NO_VAULT },
		{ 404, CODE("NotFoundException"), ERR_NOTFOUND,
		  "404 NotFoundException; check the name, whether it was deleted from "
		  "vault 'shop-kv'" },
		{ 404, CODE("a.b.MARKER"), ERR_NOTFOUND, "404; check the name" },
		{ 405, "", ERR_CONFIG, "405" NO_VAULT },
		{ 408, "", ERR_UNAVAILABLE, "408" PASSES },
		{ 409, CODE("ObjectIsBeingDeleted"), ERR_UNAVAILABLE,
		  "409 ObjectIsBeing" },
		{ 413, "", ERR_CONFIG, "413" },
		{ 423, "", ERR_UNAVAILABLE, "423" },
		{ 429, "", ERR_UNAVAILABLE, "429; too many requests to vault" },
		{ 499, "", ERR_UNAVAILABLE, "499" },
		{ 500, CODE("InternalError"), ERR_UNAVAILABLE,
		  "500 InternalError" PASSES },
		{ 503, "[]", ERR_UNAVAILABLE, "503" PASSES },
		{ 204, "", ERR_UNAVAILABLE, "204" },
		{ 302, "", ERR_UNAVAILABLE, "redirects are not followed" },
		/* The vault's own words for a 401. */
		{ 401,
		  "{\"error\":{\"code\":\"Unauthorized\",\"message\":\"AKV10032: "
		  "MARKER\"}}",
		  ERR_IDENTITY, "401 Unauthorized AKV10032; " },
		{ 401, "{\"error\":{\"message\":\"[TokenExpired] MARKER\"}}",
		  ERR_IDENTITY, "401 TokenExpired; " },
		{ 403, "{\"error\":{\"message\":\"AKV10032: MARKER\"}}", ERR_DENIED,
		  "403" },
		/* Bodies of another shape. */
		{ 403, "{\"error\":\"MARKER\"}", ERR_DENIED, "403" },
		{ 403, "{\"error\":{\"code\":5}}", ERR_DENIED, "403" },
		{ 403, CODE("MARKER with blanks"), ERR_DENIED, "403" },
		{ 403, CODE("MARKER<script>"), ERR_DENIED, "403" },
		{ 403,
		  CODE("MARKERxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		       "xxx"),
		  ERR_DENIED, "403" },
		{ 403, INNER(""), ERR_DENIED, "403 Forbidden" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct vault_object secret = { 0 };
		struct err err;

		check_err(rows[i].body,
			  parse(rows[i].status, rows[i].body, &secret, &err), &err,
			  rows[i].kind, rows[i].msg);
		check(rows[i].body, strstr(err.msg, "MARKER") == NULL);
		check_int(rows[i].body, err.retry_after_ms, 1500);
		check_text(rows[i].body, err.request, "1f2e-3");
	}
}

/* Inner errors without end are followed a little way only. */
static void test_nested_errors(void **state)
{
	struct buf body = BUF_INIT(64 * 1024);
	struct vault_object secret = { 0 };
	struct err err;

	(void)state;
	buf_text(&body, "{\"error\":");
	for (int i = 0; i < 100; i++)
		buf_printf(&body, "{\"code\":\"c%d\",\"innererror\":", i);
	buf_text(&body, "null");
	for (int i = 0; i < 101; i++)
		buf_text(&body, "}");
	assert_int_equal(parse(403, buf_str(&body), &secret, &err), -1);
	buf_done(&body);
	check_holds("the innermost within bounds", err.msg, "403 c7; identity");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_urls),
		cmocka_unit_test(test_disabled),
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_escaped_certificate),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_garbled),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_nested_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
