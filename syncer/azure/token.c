#include "azure/token.h"

#include <stdio.h>
#include <string.h>

#include "azure/grant.h"
#include "base/clock.h"
#include "base/mem.h"

/* Do not start a round with a token that ends within it, unless there is no other;
 * short-lived ones lose a quarter. */
#define MARGIN_MS (5 * 60 * 1000)
#define RENEWAL_RETRY_MS (60 * 1000)

struct entry {
	struct token *token;
	char *resource;
	struct grant grant;
	/* Meaningful while grant holds a token. */
	int64_t renew_at, usable_until, ends_at;
	int64_t asked_at;
	unsigned serial, requests;
	struct credential_request request;
	struct http_call *call;
	bool failed;
	struct err err;
	struct entry *next;
};

struct token {
	struct http *http;
	const struct identity *identity;
	unsigned serial;
	struct entry *entries; /* as many as there are clouds and kinds of vaults */
};

struct token *token_new(struct http *h, const struct identity *identity)
{
	struct token *t = xcalloc(1, sizeof(*t));

	t->http = h;
	t->identity = identity;
	return t;
}

static void entry_cancel(struct entry *e)
{
	if (e->call != NULL)
		http_cancel(e->token->http, e->call);
	e->call = NULL;
	credential_request_done(&e->request);
}

void token_free(struct token *t)
{
	if (t == NULL)
		return;
	while (t->entries != NULL) {
		struct entry *e = t->entries;

		t->entries = e->next;
		entry_cancel(e);
		grant_done(&e->grant);
		free(e->resource);
		free(e);
	}
	free(t);
}

static struct entry *token_find(const struct token *t, const char *resource)
{
	for (struct entry *e = t->entries; e != NULL; e = e->next)
		if (strcmp(e->resource, resource) == 0)
			return e;
	return NULL;
}

static struct entry *find_or_add(struct token *t, const char *resource)
{
	struct entry *e = token_find(t, resource);

	if (e != NULL)
		return e;
	e = xcalloc(1, sizeof(*e));
	e->token = t;
	e->resource = xstrdup(resource);
	e->next = t->entries;
	t->entries = e;
	return e;
}

/* While there is no new one, the old one is used until it ends. */
static bool is_usable(const struct entry *e, int64_t now)
{
	return e->grant.access_token != NULL &&
	       now < (e->failed ? e->ends_at : e->usable_until);
}

enum token_state token_state(const struct token *t, const char *resource, int64_t now)
{
	const struct entry *e = token_find(t, resource);

	if (e == NULL)
		return TOKEN_NONE;
	if (is_usable(e, now))
		return TOKEN_READY;
	if (e->call != NULL)
		return TOKEN_PENDING;
	return e->failed ? TOKEN_FAILED : TOKEN_NONE;
}

static void token_fail(struct entry *e)
{
	e->failed = true;
	e->renew_at = e->asked_at + RENEWAL_RETRY_MS;
}

static void on_reply(void *arg, struct http_reply *reply, const struct err *err)
{
	struct entry *e = arg;
	struct identity identity = *e->token->identity;
	struct grant grant = { 0 };
	int64_t usable_until;
	int result = -1;

	e->call = NULL;
	if (err != NULL) {
		e->err = *err;
		err_wrap(&e->err, "cannot get a token");
		identity_unreachable(&identity, reply->failure, &e->err);
	} else {
		identity.proof = buf_str(&e->request.proof);
		result = grant_read(&identity, reply, &grant, &e->err);
	}
	credential_request_done(&e->request);
	if (result < 0) {
		token_fail(e);
		return;
	}
	/* The lifetime counts from when it was asked for, at the latest. */
	usable_until = e->asked_at + grant.lifetime_ms -
		       clock_sooner(MARGIN_MS, grant.lifetime_ms / 4);
	if (clock_now_ms() >= usable_until) {
		err_set(&e->err, ERR_UNAVAILABLE,
			"cannot get a token: it came too late to be used, since it lives "
			"for %lld s only",
			(long long)grant.lifetime_ms / 1000);
		grant_done(&grant);
		token_fail(e);
		return;
	}
	grant_done(&e->grant);
	e->grant = grant;
	e->failed = false;
	e->err = (struct err){ 0 };
	e->usable_until = usable_until;
	e->ends_at = e->asked_at + grant.lifetime_ms;
	e->renew_at = e->asked_at + grant.renew_in_ms;
	e->serial = ++e->token->serial;
}

void token_request(struct token *t, const char *resource, int64_t now)
{
	struct entry *e = find_or_add(t, resource);

	if (e->call != NULL || (is_usable(e, now) && now < e->renew_at))
		return;
	if (now >= e->ends_at)
		grant_done(&e->grant);
	e->failed = false;
	e->asked_at = now;
	e->requests++;
	if (grant_request(t->identity, resource, &e->request, &e->err) < 0) {
		credential_request_done(&e->request);
		token_fail(e);
		return;
	}
	e->request.http.purpose = TOKEN_PURPOSE;
	e->call = http_start(t->http, &e->request.http, on_reply, e);
}

static const char *host_of(const char *url)
{
	const char *scheme = strstr(url, "://");

	return scheme ? scheme + strlen("://") : url;
}

void token_cancel(struct token *t)
{
	for (struct entry *e = t->entries; e != NULL; e = e->next) {
		if (e->call == NULL || is_usable(e, clock_now_ms()))
			continue;
		e->failed = true;
		/* The failure of an earlier try says more than that this one has not
		 * ended. */
		if (e->err.kind == ERR_NONE) {
			err_set(&e->err, ERR_UNAVAILABLE,
				"cannot get a token: no answer in time from '%.*s'",
				(int)strcspn(host_of(e->request.url), "/?"),
				host_of(e->request.url));
			identity_unreachable(t->identity, HTTP_TIMEOUT, &e->err);
		}
		entry_cancel(e);
	}
}

const char *token_bearer(const struct token *t, const char *resource)
{
	const struct entry *e = token_find(t, resource);

	return e ? e->grant.access_token : NULL;
}

int64_t token_ends_at(const struct token *t, const char *resource)
{
	const struct entry *e = token_find(t, resource);

	return e != NULL && e->grant.access_token != NULL ? e->ends_at : CLOCK_NEVER;
}

int64_t token_asked_at(const struct token *t, const char *resource, int64_t now)
{
	const struct entry *e = token_find(t, resource);

	return e != NULL && e->call != NULL && !is_usable(e, now) ? e->asked_at
								  : CLOCK_NEVER;
}

unsigned token_requests(const struct token *t, const char *resource)
{
	const struct entry *e = token_find(t, resource);

	return e ? e->requests : 0;
}

unsigned token_serial(const struct token *t, const char *resource)
{
	const struct entry *e = token_find(t, resource);

	return e ? e->serial : 0;
}

void token_refused(struct token *t, const char *resource, unsigned serial)
{
	struct entry *e = token_find(t, resource);

	if (e != NULL && serial == e->serial)
		grant_done(&e->grant);
}

const struct err *token_error(const struct token *t, const char *resource)
{
	static const struct err none = { .kind = ERR_UNAVAILABLE,
					 .msg = "no token was asked for" };
	const struct entry *e = token_find(t, resource);

	return e ? &e->err : &none;
}
