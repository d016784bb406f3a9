#include "net/answer.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "net/retry.h"

static const char *header(CURL *easy, const char *name)
{
	struct curl_header *found;

	if (curl_easy_header(easy, name, 0, CURLH_HEADER, -1, &found) != CURLHE_OK)
		return NULL;
	return found->value;
}

static void read_challenge(CURL *easy, char *out, size_t size)
{
	struct curl_header *found;

	for (size_t i = 0; curl_easy_header(easy, "WWW-Authenticate", i, CURLH_HEADER, -1,
					    &found) == CURLHE_OK;
	     i++) {
		if (strncasecmp(found->value, "Bearer", 6) != 0)
			continue;
		snprintf(out, size, "%s", found->value);
		return;
	}
}

void answer_read(CURL *easy, struct http_reply *reply)
{
	const struct retry_headers retry = {
		.ms = header(easy, "retry-after-ms"),
		.x_ms = header(easy, "x-ms-retry-after-ms"),
		.after = header(easy, "Retry-After"),
		.date = header(easy, "Date"),
	};
	const char *id = header(easy, "x-ms-request-id");
	int64_t date = retry.date ? curl_getdate(retry.date, NULL) : -1;
	int64_t now_s = clock_wall_ms() / 1000;
	long status = 0, version = 0;

	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(easy, CURLINFO_HTTP_VERSION, &version);
	reply->status = (int)status;
	reply->multiplexed = version >= CURL_HTTP_VERSION_2_0;
	reply->retry_after_ms = retry_after(&retry, now_s);
	if (date > 0)
		reply->clock_skew_s = now_s - date;
	if (id != NULL && strspn(id, "0123456789abcdefABCDEF-") == strlen(id))
		snprintf(reply->request_id, sizeof(reply->request_id), "%s", id);
	if (status == 401)
		read_challenge(easy, reply->challenge, sizeof(reply->challenge));
}

static long proxy_status(CURL *easy)
{
	long status = 0;

	curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &status);
	return status;
}

enum http_failure answer_failure(CURL *easy, CURLcode code)
{
	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
		return HTTP_DNS;
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_PROXY:
		return HTTP_PROXY;
	case CURLE_COULDNT_CONNECT:
		return HTTP_CONNECT;
	case CURLE_OPERATION_TIMEDOUT:
		return HTTP_TIMEOUT;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
		return HTTP_TLS;
	default:
		return proxy_status(easy) >= 300 ? HTTP_PROXY : HTTP_BROKEN;
	}
}

/* The tunnel through it was asked for and did not come about. */
static bool waits_for_proxy(CURL *easy, const struct answer_context *c)
{
	long opened = 0;

	curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &opened);
	return c->proxy != NULL && opened > 0 && proxy_status(easy) == 0;
}

static void describe_tls(const char *host, const char *cause, struct err *err)
{
	err_set(err, ERR_UNAVAILABLE, "TLS with '%s' failed: %s", host, cause);
	if (strstr(cause, "not yet valid") || strstr(cause, "has expired"))
		err_hint(err, "is this node's clock right?");
	else if (strstr(cause, "local issuer") || strstr(cause, "self-signed"))
		err_hint(err, "if something between here and Azure opens TLS, add its CA "
			      "with AKVSYNC_EXTRA_CA_FILE");
}

static void describe_proxy(CURL *easy, const struct answer_context *c, struct err *err)
{
	long status = proxy_status(easy);

	if (status == 0) {
		err_set(err, ERR_UNAVAILABLE, "cannot resolve the proxy '%s'", c->proxy);
		err_hint(err, "HTTPS_PROXY names it");
		return;
	}
	err_set(err, ERR_UNAVAILABLE, "the proxy '%s' refuses '%s' with status %ld",
		c->proxy, c->host, status);
	if (status == 407)
		err_hint(err, "put user and password into HTTPS_PROXY: "
			      "http://USER:PASSWORD@HOST:PORT");
	else
		err_hint(err, "have the proxy admit the host, or name it in NO_PROXY");
}

static void describe_timeout(CURL *easy, const struct answer_context *c, struct err *err)
{
	curl_off_t named_us = 0;
	char *address = NULL;
	bool named;

	if (waits_for_proxy(easy, c)) {
		err_set(err, ERR_UNAVAILABLE,
			"the proxy '%s' did not answer for '%s' within %lld ms", c->proxy,
			c->host, (long long)c->timeout_ms);
		return;
	}
	/* A request that reuses a connection resolves no name, but it has the address. */
	curl_easy_getinfo(easy, CURLINFO_NAMELOOKUP_TIME_T, &named_us);
	curl_easy_getinfo(easy, CURLINFO_PRIMARY_IP, &address);
	named = c->named || named_us > 0 || (address != NULL && address[0] != '\0');
	err_set(err, ERR_UNAVAILABLE, "no %s %s '%s' within %lld ms",
		named ? "answer" : "DNS answer", named ? "from" : "for", c->host,
		(long long)c->timeout_ms);
}

void answer_describe(CURL *easy, CURLcode code, enum http_failure failure,
		     const struct answer_context *c, struct err *err)
{
	const char *cause = c->cause[0] ? c->cause : curl_easy_strerror(code);
	long os_errno = 0;

	switch (failure) {
	case HTTP_DNS:
		err_set(err, ERR_UNAVAILABLE, "cannot resolve host '%s'", c->host);
		return;
	case HTTP_PROXY:
		describe_proxy(easy, c, err);
		return;
	case HTTP_TIMEOUT:
		describe_timeout(easy, c, err);
		return;
	case HTTP_TOO_BIG:
		err_set(err, ERR_UNAVAILABLE,
			"the reply of '%s' is larger than %zu bytes", c->host,
			c->body_max);
		return;
	case HTTP_CONNECT:
		curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os_errno);
		err_set(err, ERR_UNAVAILABLE, "cannot connect to %s'%s'%s%s",
			c->proxy ? "the proxy " : "", c->proxy ? c->proxy : c->host,
			os_errno ? ": " : "", os_errno ? strerror((int)os_errno) : "");
		return;
	case HTTP_TLS:
		describe_tls(waits_for_proxy(easy, c) ? c->proxy : c->host, cause, err);
		return;
	case HTTP_OK:
	case HTTP_BROKEN:
		err_set(err, ERR_UNAVAILABLE, "the connection to '%s' broke: %s", c->host,
			curl_easy_strerror(code));
		return;
	}
}
