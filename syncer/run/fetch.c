#include "run/fetch.h"

#include <stdlib.h>
#include <string.h>

#include "azure/challenge.h"
#include "base/clock.h"
#include "base/mem.h"
#include "run/log.h"

/* Key Vault throttles over windows of 10 s; the waits of 6 tries add up to more. */
#define TRIES 6
#define BACKOFF_BASE_MS 500
#define BACKOFF_CAP_MS 8000
/* No try starts later than this: the failure is told, and the next round tries again. */
#define LAST_TRY_MS 20000
/* HTTP/1.1: so many connections to a vault at most. */
#define PARALLEL 10

/* Tries of one thing: the token, or the anonymous request. */
struct tries {
	struct backoff backoff;
	int failures;
	int64_t not_before;
};

struct fetch {
	struct source *source;
	struct fetch_item *items, **tail;
	size_t running;
	int64_t started;
	int64_t paused_until; /* the vault named a delay: it holds for all requests */
	struct err pause_err; /* how it said so */
	struct tries token_tries, probe_tries;
	unsigned token_seen; /* the token request whose failure has been counted */
	bool needs_probe;
	struct http_call *probe;
	struct err probe_err;
};

struct fetch *fetch_start(struct source *source, int64_t now)
{
	struct fetch *f = xcalloc(1, sizeof(*f));
	struct token *token = source->shared->token;
	bool has_token = token_state(token, source->resource, now) == TOKEN_READY;

	f->source = source;
	f->tail = &f->items;
	f->started = now;
	f->token_seen = token_requests(token);
	f->needs_probe = !source->verified && !has_token;
	f->token_tries.backoff = BACKOFF_INIT(BACKOFF_BASE_MS, BACKOFF_CAP_MS);
	f->probe_tries.backoff = f->token_tries.backoff;
	return f;
}

void fetch_add(struct fetch *f, struct fetch_item *item)
{
	item->fetch = f;
	item->next = NULL;
	item->state = FETCH_WAITING;
	item->backoff = BACKOFF_INIT(BACKOFF_BASE_MS, BACKOFF_CAP_MS);
	*f->tail = item;
	f->tail = &item->next;
}

void fetch_again(struct fetch_item *item)
{
	item->state = FETCH_WAITING;
	item->failures = 0;
	item->renewed = false;
	backoff_reset(&item->backoff);
}

static bool is_open(const struct fetch_item *item)
{
	return item->state == FETCH_WAITING || item->state == FETCH_RUNNING;
}

static void stop_item(struct fetch_item *item)
{
	if (item->call != NULL) {
		http_cancel(item->fetch->source->shared->http, item->call);
		item->call = NULL;
		item->fetch->running--;
	}
}

static void fail_all(struct fetch *f, const struct err *err)
{
	for (struct fetch_item *item = f->items; item; item = item->next) {
		if (!is_open(item))
			continue;
		stop_item(item);
		item->err = *err;
		item->state = FETCH_FAILED;
	}
}

/* How long to wait before the next try; -1 when there is none. */
static int64_t next_try_ms(struct fetch *f, struct backoff *backoff, int failures,
			   const struct err *err, int64_t now)
{
	int64_t delay;

	if ((err->kind != ERR_UNAVAILABLE && err->kind != ERR_GARBLED) ||
	    failures >= TRIES)
		return -1;
	delay = backoff_next(backoff, f->source->shared->jitter);
	if (delay < err->retry_after_ms)
		delay = err->retry_after_ms;
	if (now + delay > f->started + LAST_TRY_MS)
		return -1;
	log_event(LOG_DEBUG, "retry",
		  LOG_FIELDS(log_int("in_ms", delay), log_int("failures", failures)),
		  "%s", err->msg);
	return delay;
}

static bool try_later(struct fetch *f, struct tries *t, const struct err *err,
		      int64_t now)
{
	int64_t delay = next_try_ms(f, &t->backoff, ++t->failures, err, now);

	t->not_before = now + delay;
	return delay >= 0;
}

/* Counts the failure of a token request that ended during this fetch, whoever made it.
 * False: it was the last try. */
static bool count_token_failure(struct fetch *f, const struct token *token, int64_t now)
{
	if (f->token_seen == token_requests(token))
		return true;
	f->token_seen = token_requests(token);
	if (try_later(f, &f->token_tries, token_error(token), now))
		return true;
	fail_all(f, token_error(token));
	return false;
}

/* True when a usable token is here; else asks for one when its time has come. */
static bool have_token(struct fetch *f, int64_t now)
{
	struct token *token = f->source->shared->token;
	const char *resource = f->source->resource;

	for (;;) {
		switch (token_state(token, resource, now)) {
		case TOKEN_READY:
			return true;
		case TOKEN_PENDING:
			return false;
		case TOKEN_FAILED:
			if (!count_token_failure(f, token, now))
				return false;
			break;
		case TOKEN_NONE:
			break;
		}
		if (now < f->token_tries.not_before)
			return false;
		token_request(token, resource, now);
	}
}

/* Takes what a 401 asks for, if it is the vault's own domain.  -1: it is not. */
static int learn_challenge(struct fetch *f, const char *header, struct err *err)
{
	struct source *s = f->source;
	struct challenge challenge;
	struct err unusable;

	if (challenge_parse(header, &challenge, &unusable) < 0)
		return 0; /* the resource derived from the vault's host stands */
	if (challenge_check(&challenge, s->vault.host, s->shared->identity.tenant, err) <
	    0)
		return -1;
	s->verified = true;
	if (strcmp(challenge.resource, s->resource) != 0) {
		free(s->resource);
		s->resource = xstrdup(challenge.resource);
	}
	return 0;
}

static void pause_for(struct fetch *f, const struct err *err, int64_t now)
{
	int64_t until = now + err->retry_after_ms;

	if (err->kind != ERR_UNAVAILABLE || err->retry_after_ms == 0 ||
	    until <= f->paused_until)
		return;
	f->paused_until = until;
	f->pause_err = *err;
}

/* A pause beyond the last try: nothing more is asked in this round. */
static void give_up_waiting(struct fetch *f)
{
	if (f->paused_until <= f->started + LAST_TRY_MS)
		return;
	for (struct fetch_item *item = f->items; item; item = item->next) {
		if (item->state != FETCH_WAITING)
			continue;
		item->err = f->pause_err;
		item->state = FETCH_FAILED;
	}
}

/* What the anonymous request came to when it was not a challenge: a vault that throttles
 * may say for how long. */
static void heed_probe(struct fetch *f, struct http_reply *reply, int64_t now)
{
	struct err err;

	/* A success is not read here: it would fill the item without its having asked. */
	if (reply->status == 200 || f->items->parse(f->items->arg, reply, &err) == 0)
		return;
	err_wrap(&err, "vault '%s'", f->source->vault.host);
	pause_for(f, &err, now);
}

static void on_probe(void *arg, struct http_reply *reply, const struct err *err)
{
	struct fetch *f = arg;
	struct err refused;

	f->probe = NULL;
	if (err != NULL) {
		f->probe_err = *err;
		if (!try_later(f, &f->probe_tries, err, clock_now_ms()))
			fail_all(f, err);
		return;
	}
	f->needs_probe = false;
	if (reply->status != 401)
		heed_probe(f, reply, clock_now_ms());
	else if (learn_challenge(f, reply->challenge, &refused) < 0)
		fail_all(f, &refused);
}

/* True when the vault's challenge is known; else asks for it. */
static bool have_challenge(struct fetch *f, int64_t now)
{
	if (!f->needs_probe)
		return true;
	if (f->probe != NULL || now < f->probe_tries.not_before)
		return false;
	f->probe =
		http_start(f->source->shared->http,
			   &(struct http_request){ .url = f->items->url,
						   .fresh = f->probe_tries.failures > 0 },
			   on_probe, f);
	return false;
}

static void item_failed(struct fetch_item *item, const struct err *err)
{
	struct fetch *f = item->fetch;
	int64_t now = clock_now_ms();
	int64_t delay = next_try_ms(f, &item->backoff, ++item->failures, err, now);

	item->err = *err;
	item->state = delay < 0 ? FETCH_FAILED : FETCH_WAITING;
	item->not_before = now + delay;
	pause_for(f, err, now);
}

static void item_unauthorized(struct fetch_item *item, const struct http_reply *reply,
			      const struct err *err)
{
	struct err refused;

	token_refused(item->fetch->source->shared->token, item->token_serial);
	if (item->renewed) {
		item_failed(item, err);
		return;
	}
	item->renewed = true;
	item->err = *err;
	if (learn_challenge(item->fetch, reply->challenge, &refused) < 0)
		item_failed(item, &refused);
	else
		item->state = FETCH_WAITING;
}

static void on_item(void *arg, struct http_reply *reply, const struct err *err)
{
	struct fetch_item *item = arg;
	struct err failure;

	item->call = NULL;
	item->fetch->running--;
	if (err != NULL) {
		failure = *err;
		if (reply->failure == HTTP_TOO_BIG) {
			failure.kind = ERR_GARBLED;
			err_wrap(&failure, "%s", item->words);
		}
		item_failed(item, &failure);
		return;
	}
	if (item->parse(item->arg, reply, &failure) == 0) {
		item->state = FETCH_GOT;
		return;
	}
	err_wrap(&failure, "%s", item->words);
	if (reply->status == 401)
		item_unauthorized(item, reply, &failure);
	else
		item_failed(item, &failure);
}

static void start_item(struct fetch_item *item)
{
	struct fetch *f = item->fetch;
	const struct sources *shared = f->source->shared;

	item->state = FETCH_RUNNING;
	item->token_serial = token_serial(shared->token);
	f->running++;
	item->call =
		http_start(shared->http,
			   &(struct http_request){ .url = item->url,
						   .bearer = token_bearer(shared->token),
						   .max_bytes = item->max_bytes,
						   .fresh = item->failures > 0 },
			   on_item, item);
}

static bool has_open(const struct fetch *f)
{
	for (const struct fetch_item *item = f->items; item; item = item->next)
		if (is_open(item))
			return true;
	return false;
}

static bool has_waiting(const struct fetch *f)
{
	for (const struct fetch_item *item = f->items; item; item = item->next)
		if (item->state == FETCH_WAITING)
			return true;
	return false;
}

bool fetch_run(struct fetch *f, int64_t now)
{
	give_up_waiting(f);
	if (has_waiting(f)) {
		/* Both calls, so that both requests are under way at once. */
		bool challenged = have_challenge(f, now);
		bool ready = have_token(f, now) && challenged && now >= f->paused_until;

		for (struct fetch_item *item = f->items;
		     ready && item && f->running < PARALLEL; item = item->next)
			if (item->state == FETCH_WAITING && now >= item->not_before)
				start_item(item);
	}
	return !has_open(f);
}

int64_t fetch_deadline(const struct fetch *f)
{
	const struct source *s = f->source;
	int64_t now = clock_now_ms(), soonest = CLOCK_NEVER;

	if (!has_waiting(f))
		return CLOCK_NEVER;
	if (f->needs_probe && f->probe == NULL)
		soonest = clock_sooner(soonest, f->probe_tries.not_before);
	switch (token_state(s->shared->token, s->resource, now)) {
	case TOKEN_NONE:
	case TOKEN_FAILED:
		return clock_sooner(soonest, f->token_tries.not_before);
	case TOKEN_PENDING:
		return soonest;
	case TOKEN_READY:
		break;
	}
	if (f->needs_probe || f->running >= PARALLEL)
		return soonest;
	for (const struct fetch_item *item = f->items; item; item = item->next) {
		if (item->state == FETCH_WAITING && item->not_before > f->paused_until)
			soonest = clock_sooner(soonest, item->not_before);
		else if (item->state == FETCH_WAITING)
			soonest = clock_sooner(soonest, f->paused_until);
	}
	return soonest;
}

void fetch_free(struct fetch *f)
{
	const struct sources *shared;
	struct err late;

	if (f == NULL)
		return;
	shared = f->source->shared;
	late = f->probe_err;
	if (f->probe != NULL)
		http_cancel(shared->http, f->probe);
	token_cancel(shared->token);
	if (late.kind == ERR_NONE && f->token_tries.failures > 0)
		late = *token_error(shared->token);
	if (late.kind == ERR_NONE)
		err_set(&late, ERR_UNAVAILABLE, "no answer in time from '%s'",
			f->source->vault.host);
	for (struct fetch_item *item = f->items; item; item = item->next) {
		if (!is_open(item))
			continue;
		stop_item(item);
		if (item->err.kind == ERR_NONE)
			item->err = late;
		item->state = FETCH_FAILED;
	}
	free(f);
}
