/*
 * source.h: a vault that the fake network stands for, an identity that reads it, and a
 * clock that a test moves.  The test wraps clock_now_ms.  Include it once.
 */
#ifndef TESTS_SOURCE_H
#define TESTS_SOURCE_H

#include "fake_http.h"

#include "base/backoff.h"
#include "base/clock.h"
#include "config/cloud.h"
#include "sync/source.h"

#define TENANT "72f988bf-86f1-41af-91ab-2d7cd011db47"
#define VERSION "0123456789abcdef0123456789abcdef"
#define NEWER "fedcba9876543210fedcba9876543210"
#define OWN_CHALLENGE CHALLENGE(TENANT, RESOURCE)

static int64_t now = 1000000;
static int64_t clock_step; /* what each look at the clock takes */

int64_t __wrap_clock_now_ms(void);
int64_t __wrap_clock_now_ms(void)
{
	now += clock_step;
	return now;
}

static char assertion[64];
static struct jitter jitter = { 1 };
static struct sources sources;
static struct source *source; /* of shop-kv */

static inline int source_set_up(void **state)
{
	struct err err = { 0 };

	(void)state;
	memset(&net, 0, sizeof(net));
	assertion_make(assertion);
	sources = (struct sources){
		.identity = { .authority = "https://login.example",
			      .tenant = TENANT,
			      .client = "client-1",
			      .assertion_file = assertion },
		.jitter = &jitter,
		.cloud = cloud_at(0),
		.verify = true,
		.hurried = true,
	};
	sources.token = token_new(NULL, &sources.identity);
	return sources_get(&sources, "shop-kv", &source, &err);
}

/* Fails when a request is still open. */
static inline int source_tear_down(void **state)
{
	(void)state;
	token_free(sources.token);
	sources_done(&sources);
	unlink(assertion);
	return net.count != 0;
}

static inline void grant(const char *token)
{
	auto_free char *body =
		xasprintf("{\"access_token\":\"%s\",\"expires_in\":3600}", token);

	net_answer(net_find("/token"), (struct answer){ .status = 200, .body = body });
}

/* An open request for a secret that carries a token, or the anonymous one. */
static inline struct http_call *net_secret(const char *name, bool anonymous)
{
	auto_free char *part = xasprintf(VAULT "/secrets/%s", name);

	for (size_t i = 0; i < net.count; i++)
		if (strstr(net.open[i]->url, part) &&
		    (net.open[i]->bearer == NULL) == anonymous)
			return net.open[i];
	return NULL;
}

/* The id that the vault gives for what a request asks for. */
static inline char *net_id(const struct http_call *call, const char *version)
{
	auto_free char *asked = xstrndup(call->url, strcspn(call->url, "?"));
	bool is_pinned = strlen(strrchr(asked, '/')) == 1 + strlen(VERSION);

	return is_pinned ? xstrdup(asked) : xasprintf("%s/%s", asked, version);
}

static inline void give(struct http_call *call, const char *value, const char *version)
{
	auto_free char *id = net_id(call, version);
	auto_free char *body = xasprintf("{\"value\":\"%s\",\"id\":\"%s\"}", value, id);

	net_answer(call, (struct answer){ .status = 200, .body = body });
}

#endif
