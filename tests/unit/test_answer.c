// LDFLAGS: -Wl,--wrap=curl_easy_header,--wrap=curl_easy_getinfo,--wrap=clock_wall_ms
/* What is read from the head of a reply, and what is said of a request that failed.
 * libcurl is asked by a test's own functions. */
#include "unit.h"

#include <errno.h>

#include "net/answer.h"

#define NOW_S 784111777
#define NOW "Sun, 06 Nov 1994 08:49:37 GMT"
#define TEN_LATER "Sun, 06 Nov 1994 08:49:47 GMT"

struct header {
	const char *name, *value;
	bool of_proxy; /* of its answer to CONNECT */
};

static struct {
	struct header headers[8];
	long status, version, connect_status, os_errno;
} reply;

int64_t __wrap_clock_wall_ms(void);
int64_t __wrap_clock_wall_ms(void)
{
	return INT64_C(1000) * NOW_S;
}

CURLHcode __wrap_curl_easy_header(CURL *easy, const char *name, size_t index,
				  unsigned origin, int request, struct curl_header **out);
CURLHcode __wrap_curl_easy_header(CURL *easy, const char *name, size_t index,
				  unsigned origin, int request, struct curl_header **out)
{
	static struct curl_header found;

	(void)easy, (void)request;
	for (const struct header *h = reply.headers; h->name != NULL; h++) {
		if (strcasecmp(h->name, name) != 0 ||
		    !(origin & (h->of_proxy ? CURLH_CONNECT : CURLH_HEADER)) ||
		    index-- > 0)
			continue;
		found.value = (char *)(uintptr_t)h->value;
		*out = &found;
		return CURLHE_OK;
	}
	return CURLHE_MISSING;
}

CURLcode __wrap_curl_easy_getinfo(CURL *easy, CURLINFO info, ...);
CURLcode __wrap_curl_easy_getinfo(CURL *easy, CURLINFO info, ...)
{
	va_list ap;
	long *out;

	(void)easy;
	va_start(ap, info);
	out = va_arg(ap, long *);
	va_end(ap);
	if (info == CURLINFO_RESPONSE_CODE)
		*out = reply.status;
	else if (info == CURLINFO_HTTP_VERSION)
		*out = reply.version;
	else if (info == CURLINFO_HTTP_CONNECTCODE)
		*out = reply.connect_status;
	else if (info == CURLINFO_OS_ERRNO)
		*out = reply.os_errno;
	else
		fail_msg("asked for another fact: %d", info);
	return CURLE_OK;
}

static void test_delays(void **state)
{
	static const struct {
		const char *row;
		struct header headers[4];
		int retry_after_ms, skew_s;
	} rows[] = {
		{ "none", { { 0 } }, 0, 0 },
		{ "seconds", { { "Retry-After", "2", false } }, 2000, 0 },
		{ "in any case", { { "retry-after", "2", false } }, 2000, 0 },
		{ "ms", { { "retry-after-ms", "15", false } }, 15, 0 },
		{ "x-ms", { { "x-ms-retry-after-ms", "25", false } }, 25, 0 },
		{ "all",
		  { { "Retry-After", "3", false },
		    { "x-ms-retry-after-ms", "2", false },
		    { "retry-after-ms", "1", false } },
		  1,
		  0 },
		{ "the server's clock",
		  { { "Retry-After", TEN_LATER, false },
		    { "Date", "Sun, 06 Nov 1994 08:49:45 GMT", false } },
		  2000,
		  -8 },
		{ "ours", { { "Retry-After", TEN_LATER, false } }, 10000, 0 },
		{ "a clock behind",
		  { { "Date", "Sun, 06 Nov 1994 08:47:37 GMT", false } },
		  0,
		  120 },
		{ "a clock of no sense", { { "Date", "yesterday", false } }, 0, 0 },
		{ "bounded", { { "Retry-After", "999999999999", false } }, 300000, 0 },
		{ "the proxy's",
		  { { "Retry-After", "60", true },
		    { "x-ms-retry-after-ms", "60", true },
		    { "Date", "Sun, 06 Nov 1994 08:47:37 GMT", true } },
		  0,
		  0 },
		{ "the proxy's and the server's",
		  { { "Retry-After", "60", true },
		    { "Retry-After", "2", false },
		    { "Date", NOW, false } },
		  2000,
		  0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct http_reply got = { 0 };

		memset(&reply, 0, sizeof(reply));
		memcpy(reply.headers, rows[i].headers, sizeof(rows[i].headers));
		answer_read(NULL, &got);
		check_int(rows[i].row, got.retry_after_ms, rows[i].retry_after_ms);
		check_int(rows[i].row, got.clock_skew_s, rows[i].skew_s);
	}
}

/* It goes into our log. */
static void test_request_ids(void **state)
{
	static const char guid[] = "8c1f5a0e-4b7d-4e2a-9c53-1F2E3D4C5B6A";
	const struct {
		const char *id, *want;
		bool of_proxy;
	} rows[] = {
		{ NULL, "", false },
		{ guid, guid, false },
		{ guid, "", true },
		{ "", "", false },
		{ "8c1f\n{\"level\":\"error\"}", "", false },
		{ "8c1f \"quoted\"", "", false },
		{ "not-hexadecimal", "", false },
		{ "0123456789abcdef0123456789abcdef", "", false },
		{ "\x1b[31m", "", false },
	};
	struct http_reply got = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		memset(&reply, 0, sizeof(reply));
		memset(&got, 0, sizeof(got));
		if (rows[i].id != NULL)
			reply.headers[0] = (struct header){ "x-ms-request-id", rows[i].id,
							    rows[i].of_proxy };
		answer_read(NULL, &got);
		check_text(rows[i].id ? rows[i].id : "none", got.request_id,
			   rows[i].want);
	}
}

static void test_challenges(void **state)
{
	static const struct header several[] = {
		{ "WWW-Authenticate", "Bearer of the proxy", true },
		{ "WWW-Authenticate", "Negotiate", false },
		{ "WWW-Authenticate", "bearer one", false },
		{ "WWW-Authenticate", "Bearer two", false },
	};
	static const long statuses[] = { 401, 200, 403 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		struct http_reply got = { 0 };

		memset(&reply, 0, sizeof(reply));
		memcpy(reply.headers, several, sizeof(several));
		reply.status = statuses[i];
		reply.version = i == 1 ? CURL_HTTP_VERSION_2_0 : CURL_HTTP_VERSION_1_1;
		answer_read(NULL, &got);
		assert_int_equal(got.status, statuses[i]);
		assert_string_equal(got.challenge, i == 0 ? "bearer one" : "");
		assert_int_equal(got.multiplexed, i == 1);
	}
}

/* ---- failures ---- */

#define HOST "kv.example:443"

static struct proxy proxy = { .url = (char[]){ "http://p.example:3128" },
			      .name = "p.example:3128",
			      .port_given = true,
			      .user = (char[]){ "me" },
			      .password = (char[]){ "S3CRET" } };

struct failing {
	const char *row;
	CURLcode code;
	enum answer_stage stage;
	const char *cause;
	long connect_status, os_errno;
	enum http_failure failure;
	const char *says, *fix;
};

static void check_failures(const struct failing *rows, size_t count, bool proxied)
{
	for (size_t i = 0; i < count; i++) {
		const struct failing *r = &rows[i];
		const struct answer_context context = {
			.code = r->code,
			.stage = r->stage,
			.host = HOST,
			.proxy = proxied ? &proxy : NULL,
			.cause = r->cause ? r->cause : "",
			.timeout_ms = 1500,
			.body_max = 10,
		};
		struct err err = { 0 };

		reply.connect_status = r->connect_status;
		reply.os_errno = r->os_errno;
		check_int(r->row, answer_failure(&context), r->failure);
		answer_describe(NULL, r->failure, &context, &err);
		check_err(r->row, -1, &err, ERR_UNAVAILABLE, r->says);
		if (r->fix != NULL)
			check_holds(r->row, err.msg, r->fix);
		else
			check(r->row, strchr(err.msg, ';') == NULL);
		check(r->row, strstr(err.msg, "S3CRET") == NULL);
		if (context.proxy == NULL || r->failure == HTTP_PROXY)
			check_int(r->row, strstr(err.msg, "proxy") != NULL,
				  r->failure == HTTP_PROXY);
	}
}

static void test_direct(void **state)
{
	static const struct failing rows[] = {
		{ "DNS", CURLE_COULDNT_RESOLVE_HOST, ANSWER_NAMING, "", 0, 0, HTTP_DNS,
		  "cannot resolve host '" HOST "'", NULL },
		{ "refused", CURLE_COULDNT_CONNECT, ANSWER_CONNECTING, "", 0,
		  ECONNREFUSED, HTTP_CONNECT,
		  "cannot connect to '" HOST "': Connection refused", NULL },
		{ "DNS is silent", CURLE_OPERATION_TIMEDOUT, ANSWER_NAMING, "", 0, 0,
		  HTTP_TIMEOUT, "no DNS answer for '" HOST "' within 1500 ms", NULL },
		{ "no connection in time", CURLE_OPERATION_TIMEDOUT, ANSWER_CONNECTING,
		  "", 0, 0, HTTP_TIMEOUT, "no answer from '" HOST "' within 1500 ms",
		  NULL },
		{ "not sent in time", CURLE_OPERATION_TIMEDOUT, ANSWER_QUEUED, "", 0, 0,
		  HTTP_TIMEOUT, "no answer from '" HOST "' within 1500 ms", NULL },
		{ "not answered", CURLE_OPERATION_TIMEDOUT, ANSWER_SENT, "", 0, 0,
		  HTTP_TIMEOUT, "no answer from '" HOST "' within 1500 ms", NULL },
		{ "its certificate", CURLE_PEER_FAILED_VERIFICATION, ANSWER_SECURING,
		  "unable to get local issuer certificate", 0, 0, HTTP_TLS,
		  "TLS with '" HOST "' failed: unable to get local issuer",
		  "AKVSYNC_EXTRA_CA_FILE" },
		{ "its dates", CURLE_PEER_FAILED_VERIFICATION, ANSWER_SECURING,
		  "certificate has expired", 0, 0, HTTP_TLS, "TLS with '" HOST "'",
		  "is this node's clock right?" },
		{ "its protocol", CURLE_SSL_CONNECT_ERROR, ANSWER_SECURING, "", 0, 0,
		  HTTP_TLS, "TLS with '" HOST "' failed: SSL connect error", NULL },
		{ "broke", CURLE_RECV_ERROR, ANSWER_SENT, "of 17 bytes", 0, 0,
		  HTTP_BROKEN, "the connection to '" HOST "' broke: Failure when", NULL },
	};

	(void)state;
	check_failures(rows, ARRAY_LEN(rows), false);
}

static void test_through_a_proxy(void **state)
{
	static const char admit[] = "have the proxy admit the host, or name 'kv.example' "
				    "in NO_PROXY";
	static const char cannot[] = "the proxy cannot reach the host";
	static const char wrong[] = "are host and port in HTTPS_PROXY right";
	static const struct failing rows[] = {
		{ "its name", CURLE_COULDNT_RESOLVE_PROXY, ANSWER_NAMING, "", 0, 0,
		  HTTP_PROXY, "cannot resolve the proxy 'p.example:3128'", wrong },
		{ "DNS is silent", CURLE_OPERATION_TIMEDOUT, ANSWER_NAMING, "", 0, 0,
		  HTTP_PROXY,
		  "no DNS answer for the proxy 'p.example:3128' within 1500 ms", wrong },
		{ "refused", CURLE_COULDNT_CONNECT, ANSWER_CONNECTING, "", 0,
		  ECONNREFUSED, HTTP_PROXY,
		  "cannot connect to the proxy 'p.example:3128': Connection refused",
		  wrong },
		{ "hangs", CURLE_OPERATION_TIMEDOUT, ANSWER_CONNECTING, "", 0, 0,
		  HTTP_PROXY,
		  "the proxy 'p.example:3128' did not answer for '" HOST
		  "' within 1500 ms",
		  wrong },
		{ "407", CURLE_RECV_ERROR, ANSWER_CONNECTING, "", 407, 0, HTTP_PROXY,
		  "the proxy 'p.example:3128' refuses '" HOST "' with status 407",
		  "put user and password into HTTPS_PROXY" },
		{ "403", CURLE_RECV_ERROR, ANSWER_CONNECTING, "", 403, 0, HTTP_PROXY,
		  "refuses '" HOST "' with status 403", admit },
		{ "302", CURLE_RECV_ERROR, ANSWER_CONNECTING, "", 302, 0, HTTP_PROXY,
		  "refuses '" HOST "' with status 302", admit },
		{ "502", CURLE_RECV_ERROR, ANSWER_CONNECTING, "", 502, 0, HTTP_PROXY,
		  "refuses '" HOST "' with status 502", cannot },
		{ "503", CURLE_COULDNT_CONNECT, ANSWER_CONNECTING, "", 503, 0, HTTP_PROXY,
		  "refuses '" HOST "' with status 503", cannot },
		{ "its certificate", CURLE_PEER_FAILED_VERIFICATION, ANSWER_CONNECTING,
		  "self-signed certificate", 0, 0, HTTP_PROXY,
		  "TLS with the proxy 'p.example:3128' failed: self-signed",
		  "AKVSYNC_EXTRA_CA_FILE" },
		{ "no TLS", CURLE_SSL_CONNECT_ERROR, ANSWER_CONNECTING,
		  "error:0A00010B:SSL routines::wrong version number", 0, 0, HTTP_PROXY,
		  "TLS with the proxy 'p.example:3128' failed", "write http://" },
		{ "no proxy", CURLE_RECV_ERROR, ANSWER_CONNECTING, "", 0, 0, HTTP_PROXY,
		  "the proxy 'p.example:3128' does not answer as a proxy does",
		  "is written https:// in HTTPS_PROXY" },
		/* Behind it. */
		{ "the host hangs in TLS", CURLE_OPERATION_TIMEDOUT, ANSWER_SECURING, "",
		  200, 0, HTTP_PROXY, "no answer from '" HOST "' within 1500 ms",
		  "asked through the proxy 'p.example:3128'" },
		{ "the host hangs", CURLE_OPERATION_TIMEDOUT, ANSWER_SENT, "", 200, 0,
		  HTTP_PROXY, "no answer from '" HOST "' within 1500 ms",
		  "asked through the proxy 'p.example:3128'" },
		{ "the host's certificate", CURLE_PEER_FAILED_VERIFICATION,
		  ANSWER_SECURING, "self-signed certificate", 200, 0, HTTP_TLS,
		  "TLS with '" HOST "' failed", "AKVSYNC_EXTRA_CA_FILE" },
		{ "the way breaks in TLS", CURLE_SSL_CONNECT_ERROR, ANSWER_SECURING,
		  "unexpected eof while reading", 200, 0, HTTP_TLS,
		  "TLS with '" HOST "' failed",
		  "asked through the proxy 'p.example:3128'" },
		{ "the host breaks", CURLE_RECV_ERROR, ANSWER_SENT, "", 200, 0,
		  HTTP_BROKEN, "the connection to '" HOST "' broke",
		  "asked through the proxy 'p.example:3128'" },
	};

	(void)state;
	check_failures(rows, ARRAY_LEN(rows), true);
}

static void test_what_else_is_said(void **state)
{
	const struct proxy portless = { .url = (char[]){ "http://p:80" },
					.name = "p:80" };
	struct answer_context c = { .code = CURLE_COULDNT_CONNECT,
				    .stage = ANSWER_CONNECTING,
				    .host = HOST,
				    .cause = "",
				    .spared = "p.example:3128",
				    .body_max = 10 };
	struct err err;

	(void)state;
	memset(&reply, 0, sizeof(reply));
	answer_describe(NULL, HTTP_CONNECT, &c, &err);
	check_holds("spared", err.msg,
		    "NO_PROXY names it, so the proxy 'p.example:3128' is not used");
	answer_describe(NULL, HTTP_TOO_BIG, &c, &err);
	check_holds("size", err.msg, "the reply of '" HOST "' is larger than 10 bytes");
	c.proxy = &portless;
	answer_describe(NULL, HTTP_PROXY, &c, &err);
	check_holds("no port", err.msg, "'p:80'; HTTPS_PROXY names no port");
	reply.connect_status = 502;
	answer_describe(NULL, HTTP_PROXY, &c, &err);
	check("no networks", strstr(err.msg, "networks") == NULL);
	c.no_proxy = "10.0.0.0/8";
	answer_describe(NULL, HTTP_PROXY, &c, &err);
	check_holds("networks", err.msg, "networks are for hosts that are written as");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_delays),
		cmocka_unit_test(test_request_ids),
		cmocka_unit_test(test_challenges),
		cmocka_unit_test(test_direct),
		cmocka_unit_test(test_through_a_proxy),
		cmocka_unit_test(test_what_else_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
