// LDFLAGS: -Wl,--wrap=clock_wall_ms
/* The token request: its form from the assertion's file, and every kind of answer. */
#include "volume.h"

#include "azure/grant.h"

#define GUID "33333333-3333-3333-3333-333333333333"
/* 28 May 2026, 20:26:40 */
#define NOW_S INT64_C(1780000000)

static char dir[64], path[128];

int64_t __wrap_clock_wall_ms(void);
int64_t __wrap_clock_wall_ms(void)
{
	return NOW_S * 1000;
}

static int set_up(void **state)
{
	(void)state;
	volume_make(dir);
	snprintf(path, sizeof(path), "%s/token", dir);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	volume_remove(dir);
	return 0;
}

static const struct identity identity = { .authority = "https://login.example",
					  .tenant = "tenant-1",
					  .client = "client 1&x=y",
					  .assertion_file = path };

static void test_form(void **state)
{
	struct credential_request request;
	struct err err = { 0 };

	(void)state;
	volume_write(dir, "token", "\n aA.-_9.zz \r\n");
	check_ok("form",
		 grant_request(&identity, "https://vault.azure.net", &request, &err),
		 &err);
	assert_string_equal(request.http.url,
			    "https://login.example/tenant-1/oauth2/v2.0/token");
	assert_string_equal(
		buf_str(request.http.form),
		"client_id=client%201%26x%3Dy"
		"&scope=https%3A%2F%2Fvault.azure.net%2F.default"
		"&grant_type=client_credentials"
		"&client_assertion_type="
		"urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
		"&client_assertion=aA.-_9.zz");
	credential_request_done(&request);
}

/* The file is read for each request, so a renewed assertion is used at once. */
static void test_read_anew(void **state)
{
	struct credential_request request;
	struct err err = { 0 };

	(void)state;
	for (int i = 0; i < 2; i++) {
		volume_write(dir, "token", i ? "new.b.c" : "old.b.c");
		check_ok("form", grant_request(&identity, "https://a", &request, &err),
			 &err);
		check_holds("form", buf_str(&request.form),
			    i ? "client_assertion=new" : "client_assertion=old");
		credential_request_done(&request);
	}
}

static void test_no_assertion(void **state)
{
	static const struct {
		const char *text, *cause;
	} rows[] = {
		{ "", "is empty" },
		{ " \r\n\t ", "is empty" },
		{ "MARKER", "does not hold" }, /* no dot */
		{ "MARKER.b c.d", "does not hold" },
		{ "MARKER.b\nc.d", "does not hold" },
		{ "MARKER.b&client_id=x", "does not hold" },
		{ "{\"token\":\"MARKER.b.c\"}", "does not hold" },
		{ "MARKER.\xc3\xa9.c", "does not hold" },
	};
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i <= ARRAY_LEN(rows); i++) {
		struct credential_request request;
		bool missing = i == ARRAY_LEN(rows);

		if (missing)
			assert_int_equal(unlink(path), 0);
		else
			volume_write(dir, "token", rows[i].text);
		check_err(missing ? "missing" : rows[i].text,
			  grant_request(&identity, "https://a", &request, &err), &err,
			  ERR_IDENTITY,
			  missing ? "AZURE_FEDERATED_TOKEN_FILE" : rows[i].cause);
		check_holds("names the variable", err.msg, "AZURE_FEDERATED_TOKEN_FILE");
		check("and not its value", strstr(err.msg, path) == NULL);
		check("silent", strstr(err.msg, "MARKER") == NULL);
		check("nothing is sent", request.form.len == 0);
		credential_request_done(&request);
	}
}

static void test_large_assertion(void **state)
{
	auto_free char *big = xcalloc(1, 64 * 1024 + 2);
	struct credential_request request;
	struct err err = { 0 };

	(void)state;
	memset(big, '.', 64 * 1024);
	volume_write(dir, "token", big);
	check_ok("64 KiB", grant_request(&identity, "https://a", &request, &err), &err);
	credential_request_done(&request);
	big[64 * 1024] = '.';
	volume_write(dir, "token", big);
	check_err("more", grant_request(&identity, "https://a", &request, &err), &err,
		  ERR_IDENTITY, "larger than");
	credential_request_done(&request);
}

static int reply_at(int64_t skew_s, int status, const char *body, struct grant *grant,
		    struct err *err)
{
	struct http_reply r = { .status = status,
				.body = BUF_INIT(128 * 1024),
				.clock_skew_s = skew_s,
				.retry_after_ms = 1234 };
	int result;

	*err = (struct err){ 0 };
	buf_text(&r.body, body);
	result = grant_read(&identity, &r, grant, err);
	buf_done(&r.body);
	return result;
}

static int reply(int status, const char *body, struct grant *grant, struct err *err)
{
	return reply_at(0, status, body, grant, err);
}

static void test_granted(void **state)
{
	static const struct {
		const char *expires_in;
		int64_t lifetime_ms;
	} rows[] = {
		{ "3599", 3599000 },
		{ "\"3599\"", 3599000 },
		{ "1", 1000 },
		{ "86399", 86399000 },
		{ "604800", INT64_C(604800000) },
		{ "604801", INT64_C(604800000) }, /* not believed beyond a week */
		{ "2147483648", INT64_C(604800000) },
		{ "\"9223372036854775807\"", INT64_C(604800000) },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *body = xasprintf(
			"{\"token_type\":\"Bearer\",\"expires_in\":%s,\"ext\":{},"
			"\"access_token\":\"a.b.c\"}",
			rows[i].expires_in);
		struct grant grant = { 0 };
		struct err err;

		check_ok(body, reply(200, body, &grant, &err), &err);
		check_text(body, grant.access_token, "a.b.c");
		check_int(body, grant.lifetime_ms, rows[i].lifetime_ms);
		grant_done(&grant);
		assert_null(grant.access_token);
	}
}

#define UNTIL(when) "{\"access_token\":\"a.b.c\",\"expires_on\":" when "}"

/* The time of the end in each of its spellings, where the lifetime is not named. */
static void test_until(void **state)
{
	static const struct {
		const char *body;
		int64_t lifetime_s;
	} rows[] = {
		{ UNTIL("1780003600"), 3600 },
		{ UNTIL("\"1780003600\""), 3600 },
		{ UNTIL("\"1780003600\",\"expires_in\":\"60\""), 60 },
		{ UNTIL("\"05/28/2026 21:26:40 +00:00\""), 3600 },
		{ UNTIL("\"05/29/2026 00:26:40 +00:00\""), 14400 },
		{ UNTIL("\"5/28/2026 9:26:40 PM +00:00\""), 3600 },
		{ UNTIL("\"5/29/2026 12:26:40 AM +00:00\""), 14400 },
		{ UNTIL("\"5/29/2026 9:26:40 AM +00:00\""), 46800 },
		{ UNTIL("\"5/29/2026 12:26:40 PM +00:00\""), 57600 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct grant grant = { 0 };
		struct err err;

		check_ok(rows[i].body, reply(200, rows[i].body, &grant, &err), &err);
		check_int(rows[i].body, grant.lifetime_ms, rows[i].lifetime_s * 1000);
		grant_done(&grant);
	}
}

/* By a clock that is ahead every token has ended when it comes: the clock is named. */
static void test_expired(void **state)
{
	static const struct {
		int64_t skew_s;
		const char *body, *says;
	} rows[] = {
		{ 0, UNTIL("1780000000"),
		  "expired 0 s ago by this node's clock; is this" },
		{ 0, UNTIL("1779996400"), "expired 3600 s ago by this node's clock; is" },
		{ 7200, UNTIL("\"1779996400\""),
		  "; this node's clock is 7200 s ahead of that of Azure" },
		{ -7200, UNTIL("1779996400"),
		  "; this node's clock is 7200 s behind that of Azure" },
		{ 119, UNTIL("1779996400"), "; is this node's clock right?" },
		{ 0, UNTIL("\"5/28/2026 9:26:40 AM +00:00\""), "expired 39600 s ago" },
		{ 0, UNTIL("\"05/28/2026 09:26:40 +00:00\""), "expired 39600 s ago" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct grant grant = { 0 };
		struct err err;

		check_err(rows[i].body,
			  reply_at(rows[i].skew_s, 200, rows[i].body, &grant, &err), &err,
			  ERR_UNAVAILABLE, rows[i].says);
		check(rows[i].body, grant.access_token == NULL);
	}
}

/* A managed identity endpoint's statuses: what passes by itself and what does not. */
static void test_managed_statuses(void **state)
{
	static const struct {
		enum identity_kind kind;
		int status;
		const char *body;
		enum err_kind becomes;
		const char *says;
		int retry_after_ms;
	} rows[] = {
		{ IDENTITY_IMDS, 404, "", ERR_UNAVAILABLE, "it is being updated", 1234 },
		{ IDENTITY_IMDS, 410, "", ERR_UNAVAILABLE, "it is being updated", 10000 },
		{ IDENTITY_IMDS, 408, "", ERR_UNAVAILABLE, "status 408", 1234 },
		{ IDENTITY_IMDS, 429, "", ERR_UNAVAILABLE, "status 429", 1234 },
		{ IDENTITY_IMDS, 500, "", ERR_UNAVAILABLE, "status 500", 1234 },
		{ IDENTITY_IMDS, 503, "", ERR_UNAVAILABLE, "status 503", 1234 },
		{ IDENTITY_IMDS, 400, "", ERR_IDENTITY, "is an identity assigned", 1234 },
		{ IDENTITY_IMDS, 403, "", ERR_IDENTITY, "status 403", 1234 },
		{ IDENTITY_IMDS, 403, "{\"error_description\":\"network unreachable\"}",
		  ERR_IDENTITY, "this is no Azure machine", 1234 },
		{ IDENTITY_IMDS, 302, "", ERR_UNAVAILABLE, "status 302", 1234 },
		{ IDENTITY_APP_SERVICE, 404, "", ERR_IDENTITY, "status 404", 1234 },
		{ IDENTITY_APP_SERVICE, 410, "", ERR_UNAVAILABLE, "status 410", 1234 },
		{ IDENTITY_APP_SERVICE, 401, "", ERR_IDENTITY, "IDENTITY_HEADER is not",
		  1234 },
		{ IDENTITY_APP_SERVICE, 500, "", ERR_UNAVAILABLE, "status 500", 1234 },
		{ IDENTITY_APP_SERVICE, 400,
		  "{\"message\":\"Multiple user assigned identities exist\"}",
		  ERR_IDENTITY, "choose one by AZURE_CLIENT_ID", 1234 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct identity managed = { .kind = rows[i].kind };
		auto_free char *row = xasprintf("%d: %s", rows[i].status, rows[i].says);
		struct http_reply r = { .status = rows[i].status,
					.body = BUF_INIT(1024),
					.retry_after_ms = 1234 };
		struct grant grant = { 0 };
		struct err err = { 0 };

		buf_text(&r.body, rows[i].body);
		check_err(row, grant_read(&managed, &r, &grant, &err), &err,
			  rows[i].becomes, rows[i].says);
		check_int(row, err.retry_after_ms, rows[i].retry_after_ms);
		check_holds(row, err.msg, "managed identity (system-assigned): ");
		buf_done(&r.body);
	}
}

/* Whatever stands in the place of an id is not shown. */
static void test_ids(void **state)
{
	static const struct {
		struct identity identity;
		const char *id;
	} rows[] = {
		{ { .client = GUID }, GUID },
		{ { .client = "MARKER" }, "(not shown)" },
		{ { .client = GUID "0" }, "(not shown)" },
		{ { .object = GUID }, GUID },
		{ { .object = "MARKER" }, "(not shown)" },
		{ { .resource = "/subscriptions/1/x" }, "/subscriptions/1/x" },
		{ { .resource = "MARKER" }, "(not shown)" },
		{ { .kind = IDENTITY_IMDS }, "(system-assigned)" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_text(rows[i].id, identity_id(&rows[i].identity), rows[i].id);
}

static void test_not_granted(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum err_kind kind;
		const char *cause;
	} rows[] = {
#define USELESS ERR_UNAVAILABLE, "no usable access token"
		{ 200, "{\"access_token\":\"MARKER\"}", USELESS },
		{ 200, "{\"access_token\":\"MARKER\",\"expires_in\":0}", USELESS },
		{ 200, "{\"access_token\":\"MARKER\",\"expires_in\":-1}", USELESS },
		{ 200, "{\"access_token\":\"MARKER\",\"expires_in\":\"soon\"}", USELESS },
		{ 200, "{\"access_token\":\"MARKER\",\"expires_in\":1e300}", USELESS },
		{ 200, "{\"access_token\":\"MARKER\",\"expires_in\":\"1e3\"}", USELESS },
		{ 200,
		  "{\"access_token\":\"MARKER\",\"expires_in\":\"99999999999999999999\"}",
		  USELESS },
		{ 200, "{\"expires_in\":3599}", USELESS },
		{ 200, "{\"access_token\":\"\",\"expires_in\":3599}", USELESS },
		{ 200, "{\"access_token\":5,\"expires_in\":3599}", USELESS },
		{ 200, "{\"access_token\":\"MARKER\\r\\nX: y\",\"expires_in\":3599}",
		  USELESS },
		{ 200, "{\"access_token\":\"MARKER x\",\"expires_in\":3599}", USELESS },
		{ 200, "{\"access_token\":\"MARKER\\u00e9\",\"expires_in\":3599}",
		  USELESS },
		{ 200, "[\"access_token\",\"MARKER\"]", USELESS },
		{ 200, "\"MARKER\"", USELESS },
		{ 200, "", ERR_UNAVAILABLE, "is not JSON" },
		{ 200, "<html>MARKER</html>", ERR_UNAVAILABLE, "is not JSON" },
		{ 200, "{\"access_token\":\"MARKER\\u0000\",\"expires_in\":3599}",
		  ERR_UNAVAILABLE, "is not JSON" },
		{ 400, "MARKER", ERR_IDENTITY, "status 400" },
		{ 400, "{\"error_codes\":[700213],\"access_token\":\"MARKER\"}",
		  ERR_IDENTITY, "AADSTS700213" },
		{ 201, "{\"access_token\":\"MARKER\",\"expires_in\":3599}",
		  ERR_UNAVAILABLE, "status 201" },
		{ 503, "", ERR_UNAVAILABLE, "status 503" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct grant grant = { 0 };
		struct err err;

		check_err(rows[i].body, reply(rows[i].status, rows[i].body, &grant, &err),
			  &err, rows[i].kind, rows[i].cause);
		check(rows[i].body, strstr(err.msg, "MARKER") == NULL);
		check(rows[i].body, grant.access_token == NULL);
		check_int(rows[i].body, err.retry_after_ms,
			  rows[i].status == 200 ? 0 : 1234);
	}
}

/* Which statuses are worth another try, as each kind of token endpoint means them. */
static void test_passing(void **state)
{
	static const struct {
		enum identity_kind kind;
		int status;
		enum err_kind expected;
	} rows[] = {
		{ IDENTITY_WORKLOAD, 400, ERR_IDENTITY },
		{ IDENTITY_WORKLOAD, 404, ERR_IDENTITY },
		{ IDENTITY_WORKLOAD, 409, ERR_UNAVAILABLE },
		{ IDENTITY_WORKLOAD, 421, ERR_UNAVAILABLE },
		{ IDENTITY_WORKLOAD, 429, ERR_UNAVAILABLE },
		{ IDENTITY_SECRET, 499, ERR_UNAVAILABLE },
		{ IDENTITY_CERTIFICATE, 302, ERR_UNAVAILABLE },
		{ IDENTITY_IMDS, 400, ERR_IDENTITY },
		{ IDENTITY_IMDS, 403, ERR_IDENTITY },
		{ IDENTITY_IMDS, 404, ERR_UNAVAILABLE },
		{ IDENTITY_IMDS, 410, ERR_UNAVAILABLE },
		{ IDENTITY_IMDS, 425, ERR_UNAVAILABLE },
		{ IDENTITY_IMDS, 429, ERR_UNAVAILABLE },
		{ IDENTITY_IMDS, 500, ERR_UNAVAILABLE },
		{ IDENTITY_APP_SERVICE, 401, ERR_IDENTITY },
		{ IDENTITY_APP_SERVICE, 404, ERR_IDENTITY },
		{ IDENTITY_APP_SERVICE, 423, ERR_UNAVAILABLE },
		{ IDENTITY_APP_SERVICE, 503, ERR_UNAVAILABLE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct identity of_kind = { .kind = rows[i].kind };
		const struct http_reply reply = { .status = rows[i].status,
						  .body = BUF_INIT(1),
						  .retry_after_ms = 60000 };
		auto_free char *row =
			xasprintf("kind %d, status %d", rows[i].kind, rows[i].status);
		auto_free char *status = xasprintf("status %d", rows[i].status);
		struct grant grant;
		struct err err;

		check_err(row, grant_read(&of_kind, &reply, &grant, &err), &err,
			  rows[i].expected, status);
		check_int(row, err.retry_after_ms, 60000);
	}
}

static void test_large_token(void **state)
{
	static const size_t most = 32 * 1024;
	auto_free char *big = xcalloc(1, most + 2);
	struct grant grant = { 0 };
	struct err err;

	(void)state;
	for (size_t len = most; len <= most + 1; len++) {
		auto_free char *body = NULL;

		memset(big, 'x', len);
		body = xasprintf("{\"access_token\":\"%s\",\"expires_in\":9}", big);
		assert_int_equal(reply(200, body, &grant, &err), len > most ? -1 : 0);
	}
	grant_done(&grant);
}

static void test_unreachable(void **state)
{
	static const char machine[] =
		"e; is this an Azure machine, and may the pod reach its metadata "
		"endpoint?";
	static const char dns[] = "e; check the pod's DNS and its egress rules";
	static const char binding[] = "e; it is the identity binding's token proxy, "
				      "AZURE_KUBERNETES_TOKEN_PROXY";
	static const struct {
		struct identity identity;
		enum http_failure failure;
		const char *says;
	} rows[] = {
		{ { .kind = IDENTITY_WORKLOAD }, HTTP_DNS, dns },
		{ { .kind = IDENTITY_WORKLOAD }, HTTP_CONNECT, "e" },
		{ { .kind = IDENTITY_WORKLOAD, .proxy = "p" }, HTTP_DNS, binding },
		{ { .kind = IDENTITY_WORKLOAD, .proxy = "p" }, HTTP_TLS, binding },
		{ { .kind = IDENTITY_SECRET }, HTTP_DNS, dns },
		{ { .kind = IDENTITY_IMDS }, HTTP_CONNECT, machine },
		{ { .kind = IDENTITY_IMDS }, HTTP_TIMEOUT, machine },
		{ { .kind = IDENTITY_IMDS }, HTTP_BROKEN, "e" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err;

		(void)!err_set(&err, ERR_UNAVAILABLE, "e");
		identity_unreachable(&rows[i].identity, rows[i].failure, &err);
		check_text(rows[i].says, err.msg, rows[i].says);
	}
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIR(test_form),
		IN_DIR(test_read_anew),
		IN_DIR(test_no_assertion),
		IN_DIR(test_large_assertion),
		cmocka_unit_test(test_granted),
		cmocka_unit_test(test_until),
		cmocka_unit_test(test_expired),
		cmocka_unit_test(test_managed_statuses),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_not_granted),
		cmocka_unit_test(test_passing),
		cmocka_unit_test(test_large_token),
		cmocka_unit_test(test_unreachable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
