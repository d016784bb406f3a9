#include "net/answer.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/shape.h"
#include "net/noproxy.h"
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
	if (id != NULL && shape_is_guid(id))
		snprintf(reply->request_id, sizeof(reply->request_id), "%s", id);
	if (status == 401)
		read_challenge(easy, reply->challenge, sizeof(reply->challenge));
}

/* ---- failures ---- */

/* Where the blame lies: on the way to the host, or at the host. */
static bool is_before_host(const struct answer_context *c)
{
	return c->proxy != NULL && c->stage < ANSWER_SECURING;
}

enum http_failure answer_failure(const struct answer_context *c)
{
	if (is_before_host(c))
		return HTTP_PROXY;
	switch (c->code) {
	case CURLE_COULDNT_RESOLVE_HOST:
		return HTTP_DNS;
	case CURLE_COULDNT_CONNECT:
		return HTTP_CONNECT;
	case CURLE_OPERATION_TIMEDOUT:
		return c->proxy ? HTTP_PROXY : HTTP_TIMEOUT;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
		return HTTP_TLS;
	default:
		return HTTP_BROKEN;
	}
}

static const char *cause_of(const struct answer_context *c)
{
	return c->cause[0] ? c->cause : curl_easy_strerror(c->code);
}

/* The system's words for a connection that did not come about, with ": " before. */
static const char *os_cause(CURL *easy, char out[static 128])
{
	long os_errno = 0;

	out[0] = '\0';
	curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os_errno);
	if (os_errno != 0)
		snprintf(out, 128, ": %s", strerror((int)os_errno));
	return out;
}

/* False: there is nothing to say of this cause. */
static bool hint_tls(const char *cause, struct err *err)
{
	if (strstr(cause, "not yet valid") || strstr(cause, "has expired"))
		err_hint(err, "is this node's clock right?");
	else if (strstr(cause, "local issuer") || strstr(cause, "self-signed"))
		err_hint(err, "if something between here and Azure opens TLS, add its CA "
			      "with AKVSYNC_EXTRA_CA_FILE");
	else
		return false;
	return true;
}

/* What to change when the proxy answered that it will not connect us to the host. */
static void hint_refused(int status, const struct answer_context *c, struct err *err)
{
	int len = (int)strcspn(c->host, ":");

	if (status == 407)
		err_hint(err, "put user and password into HTTPS_PROXY: "
			      "http://USER:PASSWORD@HOST:PORT");
	else if (status >= 500)
		err_hint(err,
			 "the proxy cannot reach the host: does it resolve the name, "
			 "and may it go there? If only the pod can, name '%.*s' in "
			 "NO_PROXY",
			 len, c->host);
	else
		err_hint(err, "have the proxy admit the host, or name '%.*s' in NO_PROXY",
			 len, c->host);
	if (status != 407 && noproxy_has_networks(c->no_proxy))
		err_hint(err, "its networks are for hosts that are written as addresses");
}

/* What to change when the proxy itself is not what HTTPS_PROXY says. */
static void hint_unreached(const struct answer_context *c, struct err *err)
{
	if (!c->proxy->port_given)
		err_hint(err, "HTTPS_PROXY names no port");
	else
		err_hint(err, "are host and port in HTTPS_PROXY right, and may the pod "
			      "go there?");
}

static void describe_proxy_tls(const struct answer_context *c, struct err *err)
{
	err_set(err, ERR_UNAVAILABLE, "TLS with the proxy '%s' failed: %s",
		c->proxy->name, cause_of(c));
	if (strstr(cause_of(c), "wrong version") || strstr(cause_of(c), "packet length"))
		err_hint(err, "if it speaks no TLS itself, write http:// in HTTPS_PROXY");
	else
		(void)hint_tls(cause_of(c), err);
}

static void describe_before_host(CURL *easy, const struct answer_context *c,
				 struct err *err)
{
	const char *name = c->proxy->name;
	long status = 0;
	char os[128];

	curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &status);
	if (status >= 300) {
		err_set(err, ERR_UNAVAILABLE,
			"the proxy '%s' refuses '%s' with status %ld", name, c->host,
			status);
		hint_refused((int)status, c, err);
		return;
	}
	switch (c->code) {
	case CURLE_OPERATION_TIMEDOUT:
		if (c->stage == ANSWER_NAMING)
			err_set(err, ERR_UNAVAILABLE,
				"no DNS answer for the proxy '%s' within %lld ms", name,
				(long long)c->timeout_ms);
		else
			err_set(err, ERR_UNAVAILABLE,
				"the proxy '%s' did not answer for '%s' within %lld ms",
				name, c->host, (long long)c->timeout_ms);
		break;
	case CURLE_COULDNT_CONNECT:
		err_set(err, ERR_UNAVAILABLE, "cannot connect to the proxy '%s'%s", name,
			os_cause(easy, os));
		break;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		err_set(err, ERR_UNAVAILABLE, "cannot resolve the proxy '%s'", name);
		break;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
		describe_proxy_tls(c, err);
		return;
	default:
		err_set(err, ERR_UNAVAILABLE,
			"the proxy '%s' does not answer as a proxy does: %s", name,
			curl_easy_strerror(c->code));
		if (!c->proxy->tls) {
			err_hint(err, "is it one, at this port? One that speaks TLS "
				      "itself is written https:// in HTTPS_PROXY");
			return;
		}
	}
	hint_unreached(c, err);
}

static void describe_timeout(const struct answer_context *c, struct err *err)
{
	bool named = c->stage > ANSWER_NAMING;

	err_set(err, ERR_UNAVAILABLE, "no %s %s '%s' within %lld ms",
		named ? "answer" : "DNS answer", named ? "from" : "for", c->host,
		(long long)c->timeout_ms);
}

/* The proxy may have opened a way that leads nowhere, and NO_PROXY may name more than was
 * meant. */
static void hint_way(const struct answer_context *c, struct err *err)
{
	if (c->proxy != NULL)
		err_hint(err, "it was asked through the proxy '%s': does that reach it?",
			 c->proxy->name);
	else if (c->spared != NULL)
		err_hint(err, "NO_PROXY names it, so the proxy '%s' is not used",
			 c->spared);
}

void answer_describe(CURL *easy, enum http_failure failure,
		     const struct answer_context *c, struct err *err)
{
	char os[128];

	switch (failure) {
	case HTTP_PROXY:
		if (is_before_host(c)) {
			describe_before_host(easy, c, err);
			return;
		}
		describe_timeout(c, err);
		hint_way(c, err);
		return;
	case HTTP_DNS:
		err_set(err, ERR_UNAVAILABLE, "cannot resolve host '%s'", c->host);
		hint_way(c, err);
		return;
	case HTTP_TIMEOUT:
		describe_timeout(c, err);
		hint_way(c, err);
		return;
	case HTTP_CONNECT:
		err_set(err, ERR_UNAVAILABLE, "cannot connect to '%s'%s", c->host,
			os_cause(easy, os));
		hint_way(c, err);
		return;
	case HTTP_TOO_BIG:
		err_set(err, ERR_UNAVAILABLE,
			"the reply of '%s' is larger than %zu bytes", c->host,
			c->body_max);
		return;
	case HTTP_TLS:
		err_set(err, ERR_UNAVAILABLE, "TLS with '%s' failed: %s", c->host,
			cause_of(c));
		if (!hint_tls(cause_of(c), err))
			hint_way(c, err);
		return;
	case HTTP_OK:
	case HTTP_BROKEN:
		err_set(err, ERR_UNAVAILABLE, "the connection to '%s' broke: %s", c->host,
			curl_easy_strerror(c->code));
		hint_way(c, err);
		return;
	}
}
