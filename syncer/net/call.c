#include "net/call.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/asked.h"
#include "net/inflow.h"
#include "net/noproxy.h"
#include "net/trust.h"

/* A secret is at most 25 KiB; JSON escapes may make six bytes of one. */
#define BODY_MAX (256 * 1024)
#define HEAD_MAX ((size_t)128 * 1024)

void call_host(char *out, size_t size, const char *url)
{
	const char *start = strstr(url, "://"), *at;
	size_t len;

	start = start ? start + 3 : url;
	len = strcspn(start, "/?");
	at = memrchr(start, '@', len);
	if (at != NULL) {
		len -= (size_t)(at + 1 - start);
		start = at + 1;
	}
	snprintf(out, size, "%.*s", (int)len, start);
}

/* ---- what libcurl calls ---- */

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
	struct http_call *call = arg;
	struct err err;

	call->all->inflow.progress += size * count;
	if (buf_add(&call->reply.body, data, size * count, &err) == 0)
		return size * count;
	if (!call->status_only)
		call->reply.failure = HTTP_TOO_BIG;
	return 0;
}

/* Also of interim answers, and of what follows the body: libcurl keeps them all. */
static size_t on_header(const char *data, size_t size, size_t count, void *arg)
{
	struct http_call *call = arg;

	(void)data;
	call->head_bytes += size * count;
	if (call->head_bytes <= HEAD_MAX)
		return size * count;
	call->reply.failure = HTTP_TOO_BIG;
	return 0;
}

/* Calls to the same host in the same way share its connections. */
static bool is_alike(const struct http_call *a, const struct http_call *b)
{
	return a->proxied == b->proxied && strcmp(a->host, b->host) == 0;
}

/* Of a new call: when others like it wait for a connection or use one, it does, too. */
static enum answer_stage call_first_stage(const struct http_call *call)
{
	enum answer_stage furthest = ANSWER_NAMING;

	for (const struct http_call *other = call->next; other; other = other->next)
		if (is_alike(other, call) && other->stage > furthest)
			furthest = other->stage;
	return furthest > ANSWER_QUEUED ? ANSWER_QUEUED : furthest;
}

/* A connection to the call's host has come so far: the calls in libcurl's queue wait for
 * it, too.  One that waited for the first connection now waits for its turn. */
static void call_reached(const struct http_call *call, enum answer_stage stage)
{
	for (struct http_call *other = call->all->first; other; other = other->next) {
		if (other->stage >= stage || !is_alike(other, call))
			continue;
		other->stage = stage;
		if (stage == ANSWER_QUEUED)
			other->since = clock_now_ms();
	}
}

/*
 * The call's host has answered it.  Others that had to wait for the call have their time
 * from now on.  These may be some that were sent: nghttp2 keeps back what is more than
 * the server allows at once, and libcurl takes into its queue again what the server
 * refuses for that reason.  A call that was made later than another was sent does not
 * count, so that one which is never answered runs out of time at last.
 */
static void call_answered(const struct http_call *call)
{
	for (struct http_call *other = call->all->first; other; other = other->next)
		if (is_alike(other, call) &&
		    (other->sent == 0 || call->born < other->sent))
			other->since = clock_now_ms();
}

static int on_socket(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	struct http_call *call = arg;
	struct calls *all = call->all;
	unsigned timeout_ms = (unsigned)call->timeout_ms;

	(void)purpose;
	/* A peer that vanished is noticed also while we only wait for its bytes. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms,
			 sizeof(timeout_ms));
	pool_opened(&all->pool, fd);
	/* It may be sent anew: its connection was closed before any answer. */
	call->stage = ANSWER_CONNECTING;
	call->fd = -1;
	call->sent = 0;
	call->since = clock_now_ms();
	call_reached(call, ANSWER_CONNECTING);
	return CURL_SOCKOPT_OK;
}

/* The connection is there, and the request goes out now. */
static int on_send(void *arg, char *ip, char *own_ip, int port, int own_port)
{
	struct http_call *call = arg;

	(void)own_ip, (void)port;
	call_reached(call, ANSWER_QUEUED);
	call->stage = ANSWER_SENT;
	call->since = clock_now_ms();
	call->sent = pool_number(&call->all->pool);
	call->fd = pool_find(&call->all->pool, own_port, ip);
	return CURL_PREREQFUNC_OK;
}

static int on_close(void *arg, curl_socket_t fd)
{
	struct calls *all = arg;

	pool_closed(&all->pool, fd);
	/* The next connection gets the same number. */
	for (struct http_call *call = all->first; call; call = call->next)
		if (call->fd == fd)
			call->fd = -1;
	return close(fd);
}

static CURLcode on_ssl_ctx(CURL *easy, void *ssl_ctx, void *arg)
{
	struct http_call *call = arg;
	long tunnel = 0;

	trust_apply(call->trust, ssl_ctx);
	inflow_apply(&call->all->inflow, ssl_ctx);
	/* TLS may be with the proxy first. */
	curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &tunnel);
	if (!call->proxied || tunnel != 0)
		call_reached(call, ANSWER_SECURING);
	return CURLE_OK;
}

/* ---- requests ---- */

static bool is_local(const struct http_request *request)
{
	return request->local || request->unix_socket != NULL;
}

/* Through the proxy or not is decided here alone: libcurl's own looks at NO_PROXY and at
 * the environment are off. */
static void set_proxy(struct http_call *call, const struct http_request *request)
{
	const struct calls *all = call->all;
	bool may = all->proxy.url && !is_local(request) && !request->direct;
	CURL *easy = call->easy;

	call->spared = may && noproxy_names(all->options.no_proxy, call->host);
	call->proxied = may && !call->spared;
	curl_easy_setopt(easy, CURLOPT_PROXY, call->proxied ? all->proxy.url : "");
	curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
	if (call->proxied) {
		curl_easy_setopt(easy, CURLOPT_PROXYUSERNAME, all->proxy.user);
		curl_easy_setopt(easy, CURLOPT_PROXYPASSWORD, all->proxy.password);
	}
	curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, NULL);
	curl_easy_setopt(easy, CURLOPT_PROXY_CAPATH, NULL);
	curl_easy_setopt(easy, CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
}

static void call_set_version(struct http_call *call, const struct http_request *request)
{
	bool may_multiplex =
		!is_local(request) && !request->status_only && !call->all->keep_alive;

	curl_easy_setopt(call->easy, CURLOPT_PROTOCOLS_STR,
			 is_local(request) ? "http" : "https");
	curl_easy_setopt(call->easy, CURLOPT_HTTP_VERSION,
			 may_multiplex ? (long)CURL_HTTP_VERSION_2TLS
				       : (long)CURL_HTTP_VERSION_1_1);
	/* Rather a stream on a connection that is being opened than one of its own. */
	curl_easy_setopt(call->easy, CURLOPT_PIPEWAIT,
			 may_multiplex && !request->fresh ? 1L : 0L);
}

static void set_policy(struct http_call *call)
{
	struct calls *all = call->all;
	CURL *easy = call->easy;

	curl_easy_setopt(easy, CURLOPT_SHARE, all->share);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	/* Its cache would put the store of one connection into another. */
	curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 0L);
	curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_ssl_ctx);
	curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, call);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	/* Stopping must not wait for a name server that never answers. */
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_socket);
	curl_easy_setopt(easy, CURLOPT_SOCKOPTDATA, call);
	curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_send);
	curl_easy_setopt(easy, CURLOPT_PREREQDATA, call);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, all);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->cause);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "akvsync/" AKVSYNC_VERSION " (linux)");
	curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
}

struct http_call *call_new(struct calls *all, const struct http_request *request,
			   http_done *done, void *arg)
{
	struct http_call *call = wipe_calloc(1, sizeof(*call));

	call->all = all;
	call->born = pool_number(&all->pool);
	call->fd = -1;
	call->made = call->since = clock_now_ms();
	call->easy = curl_easy_init();
	call->done = done;
	call->arg = arg;
	call->timeout_ms =
		request->timeout_ms ? request->timeout_ms : all->options.timeout_ms;
	call->purpose = request->purpose;
	call->status_only = request->status_only;
	call->reply.body = BUF_INIT(request->max_bytes ? request->max_bytes : BODY_MAX);
	if (request->called != NULL)
		snprintf(call->host, sizeof(call->host), "%s", request->called);
	else if (request->unix_socket != NULL)
		snprintf(call->host, sizeof(call->host), "%s", request->unix_socket);
	else
		call_host(call->host, sizeof(call->host), request->url);
	call->next = all->first;
	call->link = &all->first;
	if (all->first)
		all->first->link = &call->next;
	all->first = call;
	call->trust = request->trust ? request->trust : all->trust;
	set_policy(call);
	asked_set(call->easy, request, &call->headers, &call->connect_to);
	set_proxy(call, request);
	call_set_version(call, request);
	call->stage = call_first_stage(call);
	return call;
}

/* libcurl's time-out for the connection counts from the call's start, with the time in
 * its queue.  Not without an end: libcurl gives the first of several addresses half of
 * what is left. */
void calls_postpone(struct calls *all, int64_t now)
{
	for (struct http_call *call = all->first; call; call = call->next)
		curl_easy_setopt(call->easy, CURLOPT_CONNECTTIMEOUT_MS,
				 (long)(now - call->made + call->timeout_ms));
}

/* ---- ends ---- */

/* After a timeout: the connection may be dead, and so may idle ones as old. */
static void abandon_connections(const struct http_call *call)
{
	const struct calls *all = call->all;
	auto_free int *busy = NULL;
	size_t count = 0;

	for (const struct http_call *other = all->first; other; other = other->next)
		if (other != call) {
			busy = xgrow(busy, count, sizeof(*busy));
			busy[count++] = other->fd;
		}
	pool_abandon(&all->pool, call->fd, call->born, busy, count);
}

static void call_fail(struct http_call *call, CURLcode code, struct err *err)
{
	const struct calls *all = call->all;
	const struct answer_context context = {
		.code = code,
		.stage = call->stage,
		.host = call->host,
		.proxy = call->proxied ? &all->proxy : NULL,
		.spared = call->spared ? all->proxy.name : NULL,
		.no_proxy = all->options.no_proxy,
		.cause = call->cause,
		.timeout_ms = call->timeout_ms,
		.body_max = call->head_bytes > HEAD_MAX ? HEAD_MAX : call->reply.body.max,
	};

	if (call->reply.failure == HTTP_OK)
		call->reply.failure = answer_failure(&context);
	answer_describe(call->easy, call->reply.failure, &context, err);
	if (code == CURLE_OPERATION_TIMEDOUT)
		abandon_connections(call);
}

/* Whether the status came that is all that is wanted, whatever became of the rest.  100
 * to 199 stand before another one. */
static bool call_has_status(const struct http_call *call)
{
	long status = 0;

	curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	return call->status_only && status >= 200;
}

static void call_observe(const struct http_call *call)
{
	const struct calls *all = call->all;

	if (all->observer == NULL || call->purpose == NULL)
		return;
	all->observer(all->observer_arg,
		      &(struct http_seen){ .purpose = call->purpose,
					   .host = call->host,
					   .failure = call->reply.failure,
					   .status = call->reply.status,
					   .took_ms = clock_now_ms() - call->since });
}

void call_end(struct http_call *call, CURLcode code)
{
	struct err err;

	call->all->inflow.progress++;
	if (code == CURLE_OK || call_has_status(call)) {
		answer_read(call->easy, &call->reply);
		call->all->multiplexed |= call->reply.multiplexed;
		call_observe(call);
		call_answered(call);
		call->done(call->arg, &call->reply, NULL);
	} else {
		call_fail(call, code, &err);
		call_observe(call);
		call->done(call->arg, &call->reply, &err);
	}
	call_free(call);
}

static int64_t call_deadline(const struct http_call *call)
{
	return call->since + call->timeout_ms;
}

/* The one whose time is over first; NULL: none is under way. */
static struct http_call *calls_soonest(const struct calls *all)
{
	struct http_call *soonest = all->first;

	for (struct http_call *call = all->first; call; call = call->next)
		if (call_deadline(call) < call_deadline(soonest))
			soonest = call;
	return soonest;
}

int64_t calls_deadline(const struct calls *all)
{
	const struct http_call *soonest = calls_soonest(all);

	return soonest ? call_deadline(soonest) : CLOCK_NEVER;
}

void calls_expire(struct calls *all, int64_t now)
{
	while (calls_deadline(all) <= now)
		call_end(calls_soonest(all), CURLE_OPERATION_TIMEDOUT);
}

void call_free(struct http_call *call)
{
	curl_multi_remove_handle(call->all->multi, call->easy);
	curl_easy_cleanup(call->easy);
	curl_slist_free_all(call->headers);
	curl_slist_free_all(call->connect_to);
	buf_done(&call->reply.body);
	*call->link = call->next;
	if (call->next)
		call->next->link = call->link;
	wipe_free(call);
}
