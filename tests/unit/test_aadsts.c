/* Entra's refusals: each known code with its reaction and hint, and bodies of any shape.
 */
#include "unit.h"

#include "azure/aadsts.h"

/* Two values that were mixed up, one that another begins with, and a tenant that is an
 * id. */
#define SECRET "Ab8Q~MARKER.of_a-secret"
#define TENANT "72f988bf-86f1-41af-91ab-2d7cd011db47"

static const struct identity identity = { .kind = IDENTITY_SECRET,
					  .client = SECRET,
					  .tenant = TENANT,
					  .secret = "another-MARKER",
					  .password = "pw",
					  .proof = "file-MARKER",
					  .header = "Ab8Q" };

static void refuse(int status, const char *text, struct err *err)
{
	auto_json struct json *body = NULL;
	struct err unreadable;

	*err = (struct err){ 0 };
	if (text != NULL && json_parse(text, strlen(text), &body, &unreadable) < 0)
		fail_msg("the test's own JSON: %s", text);
	assert_int_equal(aadsts_error(&identity, status, body, err), -1);
}

/* One row a row of the table. */
static void test_codes(void **state)
{
	static const struct {
		int code;
		enum err_kind kind;
		const char *hint;
	} rows[] = {
		{ 70021, ERR_IDENTITY, "issuer, subject and audience" },
		{ 700211, ERR_IDENTITY, "OIDC issuer URL" },
		{ 700212, ERR_IDENTITY, "api://AzureADTokenExchange" },
		{ 700213, ERR_IDENTITY,
		  "system:serviceaccount:NAMESPACE:SERVICEACCOUNT" },
		{ 700024, ERR_IDENTITY, "has expired or is not valid yet" },
		{ 700027, ERR_IDENTITY, "register the client certificate" },
		{ 700023, ERR_IDENTITY, "another endpoint" },
		{ 7000215, ERR_IDENTITY, "the secret's value, not its id" },
		{ 7000222, ERR_IDENTITY, "has expired" },
		{ 50001, ERR_IDENTITY, "AKVSYNC_CLOUD" },
		{ 50059, ERR_IDENTITY, "AZURE_TENANT_ID" },
		{ 530031, ERR_IDENTITY, "Conditional Access" },
		{ 530035, ERR_IDENTITY, "security defaults" },
		{ 70023, ERR_IDENTITY, "longer than 25 h" },
		{ 50013, ERR_IDENTITY, "signing keys" },
		{ 90061, ERR_UNAVAILABLE, "could not reach the cluster's OIDC issuer" },
		{ 700016, ERR_IDENTITY, "AZURE_CLIENT_ID" },
		{ 7000112, ERR_IDENTITY, "disabled" },
		{ 90002, ERR_IDENTITY, "no such tenant" },
		{ 900023, ERR_IDENTITY, "neither a GUID nor a domain" },
		{ 500011, ERR_IDENTITY, "AKVSYNC_CLOUD" },
		{ 50196, ERR_IDENTITY, "too many equal requests" },
		{ 90055, ERR_UNAVAILABLE, "throttled" },
		{ 90006, ERR_UNAVAILABLE, "passing fault" },
		{ 90012, ERR_UNAVAILABLE, "passing fault" },
		{ 90024, ERR_UNAVAILABLE, "passing fault" },
		{ 90033, ERR_UNAVAILABLE, "passing fault" },
		{ 53003, ERR_IDENTITY, "Conditional Access" },
		{ 700222, ERR_IDENTITY, "AZURE_FEDERATED_TOKEN_FILE" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *by_list = xasprintf(
			"{\"error\":\"invalid_client\",\"error_codes\":[%d],"
			"\"error_description\":\"AADSTS%d: What it saw. And more.\"}",
			rows[i].code, rows[i].code);
		auto_free char *by_text = xasprintf(
			"{\"error_description\":\"AADSTS%d: What it saw.\\r\\nTrace\"}",
			rows[i].code);
		auto_free char *shown =
			xasprintf("token refused: AADSTS%d: What it saw", rows[i].code);
		const char *const bodies[] = { by_list, by_text };

		for (size_t b = 0; b < ARRAY_LEN(bodies); b++) {
			struct err err;

			refuse(400, bodies[b], &err);
			check_err(bodies[b], -1, &err, rows[i].kind, shown);
			check_holds(bodies[b], err.msg, rows[i].hint);
			/* A status that passes decides, whatever the code. */
			refuse(503, bodies[b], &err);
			check_int(bodies[b], err.kind, ERR_UNAVAILABLE);
		}
	}
}

static void test_bodies(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum err_kind kind;
		const char *msg;
	} rows[] = {
		{ 400, NULL, ERR_IDENTITY, "token endpoint answered status 400" },
		{ 408, NULL, ERR_UNAVAILABLE, "status 408" },
		{ 429, NULL, ERR_UNAVAILABLE, "status 429" },
		{ 500, "{}", ERR_UNAVAILABLE, "status 500" },
		{ 599, "[]", ERR_UNAVAILABLE, "status 599" },
		{ 302, NULL, ERR_UNAVAILABLE, "302" },
		{ 400, "{\"error\":\"temporarily_unavailable\"}", ERR_UNAVAILABLE,
		  "status 400" },
		{ 400, "{\"error\":\"server_error\"}", ERR_UNAVAILABLE, "status 400" },
		{ 400, "{\"error\":{\"code\":\"x\"}}", ERR_IDENTITY, "status 400" },
		{ 400, "\"AADSTS70021: text\"", ERR_IDENTITY, "status 400" },
		{ 400, "{\"error_codes\":[]}", ERR_IDENTITY, "status 400" },
		{ 400, "{\"error_codes\":[\"70021\"]}", ERR_IDENTITY, "status 400" },
		{ 400, "{\"error_codes\":[-1]}", ERR_IDENTITY, "status 400" },
		{ 400, "{\"error_codes\":[1e300]}", ERR_IDENTITY, "status 400" },
		{ 400, "{\"error_codes\":[700021]}", ERR_IDENTITY,
		  "token refused: AADSTS700021: " },
		{ 400, "{\"error_codes\":[70021.9]}", ERR_IDENTITY, "AADSTS70021: " },
		{ 400, "{\"error_description\":\"AADSTS\"}", ERR_IDENTITY, "status 400" },
		{ 400, "{\"error_description\":\"no code: here\"}", ERR_IDENTITY,
		  "status 400" },
		{ 400, "{\"error_description\":\"AADSTS99999999999999999: x\"}",
		  ERR_IDENTITY, "status 400" },
		{ 400, "{\"error_description\":\"AADSTS50013\"}", ERR_IDENTITY,
		  "AADSTS50013: ; " },
		{ 400, "{\"error_codes\":[50013,90002]}", ERR_IDENTITY, "signing keys" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err;

		refuse(rows[i].status, rows[i].body, &err);
		check_err(rows[i].body ? rows[i].body : rows[i].msg, -1, &err,
			  rows[i].kind, rows[i].msg);
	}
}

/* Entra's own words, but only its first sentence, bounded, in one line. */
static void test_sentence(void **state)
{
	auto_free char *big = xcalloc(1, 2001);
	auto_free char *body = NULL;
	struct err err;

	(void)state;
	memset(big, 'x', 2000);
	body = xasprintf("{\"error_description\":\"AADSTS70021: %s. MARKER\","
			 "\"trace_id\":\"72f988bf-86f1-41af-91ab-2d7cd011db47\"}",
			 big);
	refuse(400, body, &err);
	assert_non_null(strstr(err.msg, "; check issuer"));
	assert_int_equal(strspn(strchr(err.msg, 'x'), "x"), 200);
	assert_null(strstr(err.msg, "MARKER"));
	assert_string_equal(err.request, TENANT);
	refuse(400,
	       "{\"error_description\":\"AADSTS70021: Subject 'a'\\nnext. "
	       "MARKER\\u001b\"}",
	       &err);
	assert_non_null(strstr(err.msg, "AADSTS70021: Subject 'a'; "));
	assert_null(strstr(err.msg, "MARKER"));
	assert_string_equal(err.request, "");
	refuse(400, "{\"trace_id\":5}", &err);
	assert_string_equal(err.request, "");
	/* It may be anything, such as the start of a value. */
	refuse(400, "{\"trace_id\":\"1f2e-AB\"}", &err);
	assert_string_equal(err.request, "");
}

/* Entra repeats what it was sent: no value of the identity is quoted, but an id. */
static void test_cleaned(void **state)
{
	static const struct {
		const char *says, *shown;
	} rows[] = {
		{ "Application with identifier '" SECRET
		  "' was not found in the directory '" TENANT "'.",
		  "identifier '(AZURE_CLIENT_ID)' was not found in the directory '" TENANT
		  "'" },
		{ "x ab8q~marker.OF_A-secret", "x (AZURE_CLIENT_ID)" },
		{ "x=" SECRET SECRET "y", "x=(AZURE_CLIENT_ID)(AZURE_CLIENT_ID)y" },
		{ "Is 'another-MARKER' pw?", "Is '(AZURE_CLIENT_SECRET)' pw?" },
		{ "Invalid secret file-MARKER.", "secret (what was sent)." },
		{ "x=ab8q~", "x=(IDENTITY_HEADER)~" },
		{ "Nothing of it", "Nothing of it" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *body = xasprintf(
			"{\"error_description\":\"AADSTS700016: %s\"}", rows[i].says);
		struct err err;

		refuse(400, body, &err);
		check_holds(rows[i].says, err.msg, rows[i].shown);
		check(rows[i].says, strcasestr(err.msg, "marker") == NULL);
	}
}

/* A sentence is cut behind its cleaning: no part of a value stands before the cut. */
static void test_cleaned_at_the_cut(void **state)
{
	(void)state;
	for (int fill = 170; fill <= 205; fill++) {
		auto_free char *body = xasprintf(
			"{\"error_description\":\"AADSTS700016: %0*d" SECRET "\"}", fill,
			0);
		struct err err;

		refuse(400, body, &err);
		check(body, strstr(err.msg, "Ab8Q") == NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_codes),
		cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_sentence),
		cmocka_unit_test(test_cleaned),
		cmocka_unit_test(test_cleaned_at_the_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
