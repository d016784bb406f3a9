#include "azure/token.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

/* Do not start a round with a token that ends within it; short-lived ones lose a quarter.
 */
#define MARGIN_MS (5 * 60 * 1000)

struct token {
	struct http *http;
	const struct identity *identity;
	char *resource; /* what the cached token or the request in flight is for */
	struct identity_grant grant;
	int64_t usable_until; /* meaningful while grant holds a token */
	int64_t asked_at;
	unsigned serial, requests;
	struct buf form;
	struct http_call *call;
	bool failed;
	struct err err;
};

struct token *token_new(struct http *h, const struct identity *identity)
{
	struct token *t = xcalloc(1, sizeof(*t));

	t->http = h;
	t->identity = identity;
	t->form = BUF_INIT(256 * 1024);
	return t;
}

void token_free(struct token *t)
{
	if (t == NULL)
		return;
	token_cancel(t);
	identity_grant_done(&t->grant);
	free(t->resource);
	free(t);
}

enum token_state token_state(const struct token *t, const char *resource, int64_t now)
{
	if (t->call != NULL)
		return TOKEN_PENDING;
	if (t->resource == NULL || strcmp(t->resource, resource) != 0)
		return TOKEN_NONE;
	if (t->grant.access_token != NULL && now < t->usable_until)
		return TOKEN_READY;
	return t->failed ? TOKEN_FAILED : TOKEN_NONE;
}

static void on_reply(void *arg, struct http_reply *reply, const struct err *err)
{
	struct token *t = arg;
	struct identity_grant grant = { 0 };

	t->call = NULL;
	buf_done(&t->form);
	if (err != NULL) {
		t->err = *err;
		err_wrap(&t->err, "cannot get a token");
		t->failed = true;
		return;
	}
	if (identity_reply(reply, &grant, &t->err) < 0) {
		err_wrap(&t->err, "client %s", t->identity->client);
		t->failed = true;
		return;
	}
	identity_grant_done(&t->grant);
	t->grant = grant;
	/* The lifetime counts from when it was asked for, at the latest. */
	t->usable_until = t->asked_at + grant.lifetime_ms -
			  clock_sooner(MARGIN_MS, grant.lifetime_ms / 4);
	t->serial++;
}

void token_request(struct token *t, const char *resource, int64_t now)
{
	enum token_state state = token_state(t, resource, now);
	auto_free char *url = NULL;

	if (state == TOKEN_PENDING || state == TOKEN_READY)
		return;
	token_cancel(t);
	identity_grant_done(&t->grant);
	free(t->resource);
	t->resource = xstrdup(resource);
	t->failed = false;
	t->asked_at = now;
	t->requests++;
	if (identity_form(t->identity, resource, &t->form, &t->err) < 0) {
		buf_done(&t->form);
		t->failed = true;
		return;
	}
	url = identity_url(t->identity);
	t->call = http_start(t->http,
			     &(struct http_request){ .url = url, .form = &t->form },
			     on_reply, t);
}

void token_cancel(struct token *t)
{
	if (t->call != NULL)
		http_cancel(t->http, t->call);
	t->call = NULL;
	buf_done(&t->form);
}

const char *token_bearer(const struct token *t)
{
	return t->grant.access_token;
}

unsigned token_requests(const struct token *t)
{
	return t->requests;
}

unsigned token_serial(const struct token *t)
{
	return t->serial;
}

void token_refused(struct token *t, unsigned serial)
{
	if (serial == t->serial)
		identity_grant_done(&t->grant);
}

const struct err *token_error(const struct token *t)
{
	return &t->err;
}
