/*
 * fake_http.h: stands in for net/http at link time, with a network that a test scripts:
 * requests stay open until the test answers, breaks or finds them.  Include it once.
 */
#ifndef TESTS_FAKE_HTTP_H
#define TESTS_FAKE_HTTP_H

#include "unit.h"

#include <unistd.h>

#include "net/http.h"

#define VAULT "https://shop-kv.vault.azure.net"
#define RESOURCE "https://vault.azure.net"
#define CHALLENGE(tenant, resource)                                                      \
	"Bearer authorization=\"https://login.example/" tenant                           \
	"\", resource=\"" resource "\""

struct http_call {
	char *url, *bearer, *form;
	bool fresh;
	http_done *done;
	void *arg;
};

static struct {
	struct http_call *open[64];
	size_t count, most; /* open now, and at any time */
	int started, cancelled;
} net;

struct http_call *http_start(struct http *h, const struct http_request *request,
			     http_done *done, void *arg)
{
	struct http_call *call = xcalloc(1, sizeof(*call));

	(void)h;
	assert_true(net.count < ARRAY_LEN(net.open));
	call->url = xstrdup(request->url);
	call->bearer = request->bearer ? xstrdup(request->bearer) : NULL;
	call->form = request->form ? xstrdup(buf_str(request->form)) : NULL;
	call->fresh = request->fresh;
	call->done = done;
	call->arg = arg;
	net.open[net.count++] = call;
	net.most = net.most < net.count ? net.count : net.most;
	net.started++;
	return call;
}

static void net_close(struct http_call *call)
{
	size_t i = 0;

	while (i < net.count && net.open[i] != call)
		i++;
	assert_true(i < net.count); /* closed once only */
	memmove(&net.open[i], &net.open[i + 1], (--net.count - i) * sizeof(net.open[0]));
}

static void net_free(struct http_call *call)
{
	free(call->url);
	free(call->bearer);
	free(call->form);
	free(call);
}

bool http_multiplexes(const struct http *h)
{
	(void)h;
	return true;
}

void http_close_idle(struct http *h)
{
	(void)h;
}

void http_cancel(struct http *h, struct http_call *call)
{
	(void)h;
	net_close(call);
	net_free(call);
	net.cancelled++;
}

/* The first open request whose URL holds part; NULL: none. */
static inline struct http_call *net_find(const char *part)
{
	for (size_t i = 0; i < net.count; i++)
		if (strstr(net.open[i]->url, part))
			return net.open[i];
	return NULL;
}

struct answer {
	int status;
	const char *body;
	int retry_after_ms;
	const char *challenge;
};

static inline void net_answer(struct http_call *call, struct answer a)
{
	struct http_reply reply = { .status = a.status,
				    .body = BUF_INIT(64 * 1024),
				    .retry_after_ms = a.retry_after_ms };

	assert_non_null(call);
	buf_text(&reply.body, a.body ? a.body : "");
	snprintf(reply.challenge, sizeof(reply.challenge), "%s",
		 a.challenge ? a.challenge : "");
	net_close(call);
	call->done(call->arg, &reply, NULL);
	buf_done(&reply.body);
	net_free(call);
}

static inline void net_break(struct http_call *call)
{
	struct http_reply reply = { .failure = HTTP_BROKEN };
	struct err err = { 0 };

	assert_non_null(call);
	err_set(&err, ERR_UNAVAILABLE, "the connection broke");
	net_close(call);
	call->done(call->arg, &reply, &err);
	net_free(call);
}

/* A file with an assertion, for as long as a test runs. */
static inline void assertion_make(char path[static 64])
{
	int fd;

	snprintf(path, 64, "/tmp/akvsync-test-XXXXXX");
	fd = mkstemp(path);
	assert_int_equal(write(fd, "aa.bb.cc\n", 9), 9);
	close(fd);
}

#endif
