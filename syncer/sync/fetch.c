#include "sync/fetch.h"

#include <stdlib.h>
#include <string.h>

#include "azure/challenge.h"
#include "azure/refusal.h"
#include "base/clock.h"
#include "base/mem.h"
#include "sync/retry.h"

/* Streams on one HTTP/2 connection: what RFC 9113 asks servers to allow at least. */
#define STREAMS 100
/* HTTP/1.1: a poll that nobody waits for opens a connection for so many objects. */
#define PER_CONNECTION 20

struct fetch *fetch_start(struct source *source, int64_t now)
{
	struct fetch *f = xcalloc(1, sizeof(*f));
	struct token *token = source->shared->token;
	bool has_token = token_state(token, source->resource, now) == TOKEN_READY;

	f->source = source;
	f->tail = &f->items;
	f->progress = now;
	f->token_seen = token_requests(token, source->resource);
	f->needs_probe = !source->verified && !has_token;
	f->token_tries.backoff = RETRY_BACKOFF;
	f->probe_tries.backoff = f->token_tries.backoff;
	return f;
}

void fetch_add(struct fetch *f, struct fetch_item *item)
{
	item->fetch = f;
	item->next = NULL;
	item->state = FETCH_WAITING;
	item->backoff = RETRY_BACKOFF;
	f->count++;
	*f->tail = item;
	f->tail = &item->next;
}

void fetch_again(struct fetch_item *item)
{
	item->state = FETCH_WAITING;
	item->failures = 0;
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

static struct err without_token(const struct fetch *f)
{
	struct err err = *token_error(f->source->shared->token, f->source->resource);

	err.tokenless = true;
	return err;
}

/* Counts the failure of a token request that ended during this fetch, whoever made it.
 * False: it was the last try. */
static bool count_token_failure(struct fetch *f, const struct token *token, int64_t now)
{
	struct err err;

	if (f->token_seen == token_requests(token, f->source->resource))
		return true;
	f->token_seen = token_requests(token, f->source->resource);
	err = without_token(f);
	if (retry_later(f, &f->token_tries, &err, now))
		return true;
	fail_all(f, &err);
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
			token_request(token, resource, now); /* renews in time */
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
	if (s->shared->verify && challenge_check(&challenge, s->vault.host,
						 s->shared->identity.tenant, err) < 0)
		return -1;
	s->verified = true;
	if (strcmp(challenge.resource, s->resource) != 0) {
		free(s->resource);
		s->resource = xstrdup(challenge.resource);
	}
	return 0;
}

/* What the anonymous request came to when it was not a challenge: a vault that throttles
 * may say for how long. */
static void heed_probe(struct fetch *f, struct http_reply *reply, int64_t now)
{
	struct err err;

	/* A success is not read here: it would fill the item without its having asked. */
	if (!retry_is_throttled(reply) ||
	    f->items->parse(f->items->arg, reply, &err) == 0)
		return;
	err_wrap(&err, "vault '%s'", f->source->vault.host);
	retry_slow_down(f, &err, now);
}

static void on_probe(void *arg, struct http_reply *reply, const struct err *err)
{
	struct fetch *f = arg;
	struct err refused;

	f->probe = NULL;
	if (err != NULL) {
		f->probe_err = *err;
		refusal_unreachable(reply->failure, &f->probe_err);
		if (!retry_later(f, &f->probe_tries, &f->probe_err, clock_now_ms()))
			fail_all(f, &f->probe_err);
		return;
	}
	f->needs_probe = false;
	f->probe_err = (struct err){ 0 };
	f->source->multiplexed = reply->multiplexed;
	if (reply->status != 401)
		heed_probe(f, reply, clock_now_ms());
	else if (learn_challenge(f, reply->challenge, &refused) < 0)
		fail_all(f, &refused);
}

static void on_warm(void *arg, struct http_reply *reply, const struct err *err)
{
	struct warm *w = arg;

	(void)reply, (void)err; /* the probe tells all of this */
	w->call = NULL;
	w->fetch->warming--;
}

/* Opens more connections when the list is long enough to use them: by requests that are
 * anonymous like the probe, since nothing else opens one. */
static void warm_up(struct fetch *f)
{
	for (size_t i = 0; i < WARM && f->count > HTTP_POOL; i++) {
		f->warm[i].fetch = f;
		f->warm[i].call = http_start(
			f->source->shared->http,
			&(struct http_request){ .url = f->items->url, .fresh = true },
			on_warm, &f->warm[i]);
		f->warming++;
	}
}

/* True when the vault's challenge is known; else asks for it. */
static bool have_challenge(struct fetch *f, int64_t now)
{
	if (!f->needs_probe)
		return true;
	if (f->probe != NULL || now < f->probe_tries.not_before ||
	    now < f->source->pace.open_at)
		return false;
	f->probe =
		http_start(f->source->shared->http,
			   &(struct http_request){ .url = f->items->url }, on_probe, f);
	if (f->probe_tries.failures == 0 && f->source->pace.width == 0)
		warm_up(f);
	return false;
}

static void item_failed(struct fetch_item *item, const struct err *err)
{
	struct fetch *f = item->fetch;
	int64_t now = clock_now_ms();
	int64_t delay = retry_in_ms(f, &item->backoff, ++item->failures, err, now);

	if (retry_is_passing(err))
		f->failure = *err;
	item->err = *err;
	item->state = delay < 0 ? FETCH_FAILED : FETCH_WAITING;
	item->not_before = now + delay;
}

/* Its turn comes again with the vault's pace; it is not the item that failed. */
static void item_throttled(struct fetch_item *item, const struct err *err)
{
	retry_slow_down(item->fetch, err, clock_now_ms());
	item->err = *err;
	item->state = FETCH_WAITING;
}

/* Once in a fetch a new token is tried, for all items that were refused the old one. */
static void item_unauthorized(struct fetch_item *item, const struct http_reply *reply,
			      const struct err *err)
{
	struct fetch *f = item->fetch;
	struct token *token = f->source->shared->token;
	const char *resource = f->source->resource;
	struct err refused;

	if (f->refused != 0 && f->refused != item->token_serial) {
		item_failed(item, err);
		return;
	}
	f->refused = item->token_serial;
	token_refused(token, resource, item->token_serial);
	item->err = *err;
	if (learn_challenge(f, reply->challenge, &refused) < 0)
		item_failed(item, &refused);
	else
		item->state = FETCH_WAITING;
}

static void on_item(void *arg, struct http_reply *reply, const struct err *err)
{
	struct fetch_item *item = arg;
	struct fetch *f = item->fetch;
	struct err failure;

	item->call = NULL;
	f->running--;
	if (err != NULL) {
		failure = *err;
		refusal_unreachable(reply->failure, &failure);
		if (reply->failure == HTTP_TOO_BIG) {
			failure.kind = ERR_GARBLED;
			err_wrap(&failure, "%s", item->words);
		}
		item_failed(item, &failure);
		return;
	}
	f->source->multiplexed = reply->multiplexed;
	if (!retry_is_throttled(reply))
		pace_answered(&f->source->pace, item->asked_at);
	if (item->parse(item->arg, reply, &failure) == 0) {
		item->state = FETCH_GOT;
		retry_progress(f);
		return;
	}
	if (failure.kind == ERR_DENIED || failure.kind == ERR_NOTFOUND)
		retry_progress(f);
	err_wrap(&failure, "%s", item->words);
	if (retry_is_throttled(reply))
		item_throttled(item, &failure);
	else if (reply->status == 401)
		item_unauthorized(item, reply, &failure);
	else
		item_failed(item, &failure);
}

static void start_item(struct fetch_item *item, int64_t now)
{
	struct fetch *f = item->fetch;
	const struct sources *shared = f->source->shared;

	item->state = FETCH_RUNNING;
	item->asked_at = now;
	item->token_serial = token_serial(shared->token, f->source->resource);
	f->running++;
	item->call = http_start(
		shared->http,
		&(struct http_request){
			.url = item->url,
			.bearer = token_bearer(shared->token, f->source->resource),
			.max_bytes = item->max_bytes },
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

/* How many items may be under way: as many streams as one connection takes, or so many
 * connections; those that are still being opened will be there in a moment. */
static size_t width(const struct fetch *f)
{
	const struct source *s = f->source;
	size_t wanted = (f->count + PER_CONNECTION - 1) / PER_CONNECTION;

	if (s->multiplexed && http_multiplexes(s->shared->http))
		wanted = STREAMS;
	else if (s->shared->hurried || wanted > HTTP_POOL)
		wanted = HTTP_POOL;
	if (f->warming > 0 && wanted <= HTTP_POOL)
		wanted = 1 + WARM - f->warming;
	return pace_width(&s->pace, wanted);
}

bool fetch_run(struct fetch *f, int64_t now)
{
	retry_give_up(f, now);
	if (has_waiting(f)) {
		/* Both calls, so that both requests are under way at once. */
		bool challenged = have_challenge(f, now);
		bool ready = have_token(f, now) && challenged &&
			     now >= f->source->pace.open_at;
		size_t most = width(f);

		for (struct fetch_item *item = f->items;
		     ready && item && f->running < most; item = item->next)
			if (item->state == FETCH_WAITING && now >= item->not_before)
				start_item(item, now);
	}
	return !has_open(f);
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

int64_t fetch_deadline(const struct fetch *f)
{
	const struct source *s = f->source;
	int64_t now = clock_now_ms(), soonest = CLOCK_NEVER;

	if (!has_waiting(f))
		return CLOCK_NEVER;
	if (f->needs_probe && f->probe == NULL)
		soonest = later(f->probe_tries.not_before, s->pace.open_at);
	switch (token_state(s->shared->token, s->resource, now)) {
	case TOKEN_NONE:
	case TOKEN_FAILED:
		return clock_sooner(soonest, f->token_tries.not_before);
	case TOKEN_PENDING:
		return soonest;
	case TOKEN_READY:
		break;
	}
	if (f->needs_probe || f->running >= width(f))
		return soonest;
	for (const struct fetch_item *item = f->items; item; item = item->next)
		if (item->state == FETCH_WAITING)
			soonest = clock_sooner(soonest,
					       later(item->not_before, s->pace.open_at));
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
	for (size_t i = 0; i < WARM; i++)
		if (f->warm[i].call != NULL)
			http_cancel(shared->http, f->warm[i].call);
	token_cancel(shared->token);
	if (late.kind == ERR_NONE && has_open(f) &&
	    token_state(shared->token, f->source->resource, clock_now_ms()) ==
		    TOKEN_FAILED)
		late = without_token(f);
	if (late.kind == ERR_NONE && f->source->pace.width > 0)
		late = f->source->throttled;
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
