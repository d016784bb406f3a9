#include "sync/fetch.h"

#include <stdlib.h>

#include "azure/refusal.h"
#include "base/clock.h"
#include "base/mem.h"

/* Streams on one HTTP/2 connection: what RFC 9113 asks servers to allow at least. */
#define STREAMS 100
/* HTTP/1.1: a poll after the first set opens one connection for so many objects. */
#define PER_CONNECTION 20

struct fetch {
	struct source *source;
	struct access access;
	struct fetch_item *items, **tail;
	size_t count, running;
	struct err failure; /* the last one that is tried again, since the last answer */
	unsigned refused;   /* the serial of a token that was refused, so that a new one
			       was asked for; 0: none */
};

struct fetch *fetch_start(struct source *source, int64_t now)
{
	struct fetch *f = xcalloc(1, sizeof(*f));

	f->source = source;
	f->tail = &f->items;
	access_start(&f->access, source, now);
	return f;
}

void fetch_add(struct fetch *f, struct fetch_item *item)
{
	item->fetch = f;
	item->next = NULL;
	item->state = FETCH_WAITING;
	item->tries = TRIES_NONE;
	f->count++;
	*f->tail = item;
	f->tail = &item->next;
}

void fetch_again(struct fetch_item *item)
{
	item->state = FETCH_WAITING;
	item->tries = TRIES_NONE;
}

static bool fetch_is_open(const struct fetch_item *item)
{
	return item->state == FETCH_WAITING || item->state == FETCH_RUNNING;
}

static bool fetch_has(const struct fetch *f, enum fetch_state state)
{
	for (const struct fetch_item *item = f->items; item; item = item->next)
		if (item->state == state)
			return true;
	return false;
}

static void fetch_fail(struct fetch_item *item, const struct err *err)
{
	if (item->call != NULL) {
		http_cancel(item->fetch->source->shared->http, item->call);
		item->call = NULL;
		item->fetch->running--;
	}
	item->err = *err;
	item->state = FETCH_FAILED;
}

static void fetch_fail_all(struct fetch *f, const struct err *err)
{
	for (struct fetch_item *item = f->items; item; item = item->next)
		if (fetch_is_open(item))
			fetch_fail(item, err);
}

/* ---- replies ---- */

/* The vault has answered. */
static void fetch_progress(struct fetch *f)
{
	f->access.since = clock_now_ms();
	f->failure = (struct err){ 0 };
}

static void fetch_failed(struct fetch_item *item, const struct err *err)
{
	struct fetch *f = item->fetch;

	item->err = *err;
	item->state = FETCH_FAILED;
	if (!tries_again(&item->tries, err, f->access.since, f->source->shared->jitter,
			 clock_now_ms()))
		return;
	item->state = FETCH_WAITING;
	f->failure = *err;
}

/* It is asked for again when the vault's pace allows it; the refusal does not count as a
 * failure of the item. */
static void fetch_throttled(struct fetch_item *item, const struct err *err)
{
	source_slow_down(item->fetch->source, err, clock_now_ms());
	item->err = *err;
	item->state = FETCH_WAITING;
}

/* Once in a fetch a new token is tried, for all items that were refused the old one. */
static void fetch_unauthorized(struct fetch_item *item, const struct http_reply *reply,
			       const struct err *err)
{
	struct fetch *f = item->fetch;
	struct err refused;

	if (f->refused != 0 && f->refused != item->token_serial) {
		fetch_failed(item, err);
		return;
	}
	f->refused = item->token_serial;
	token_refused(f->source->shared->token, f->source->resource, item->token_serial);
	item->err = *err;
	if (access_learn(&f->access, reply->challenge, &refused) < 0)
		fetch_failed(item, &refused);
	else
		item->state = FETCH_WAITING;
}

static void fetch_unanswered(struct fetch_item *item, const struct http_reply *reply,
			     const struct err *err)
{
	struct err failure = *err;

	refusal_unreachable(reply->failure, &failure);
	if (reply->failure == HTTP_TOO_BIG) {
		failure.kind = ERR_GARBLED;
		err_wrap(&failure, "%s", item->words);
	}
	fetch_failed(item, &failure);
}

static void fetch_on_item(void *arg, struct http_reply *reply, const struct err *err)
{
	struct fetch_item *item = arg;
	struct fetch *f = item->fetch;
	bool throttled = source_is_throttled(reply);
	struct err failure;

	item->call = NULL;
	f->running--;
	if (err != NULL) {
		fetch_unanswered(item, reply, err);
		return;
	}
	f->source->multiplexed = reply->multiplexed;
	if (!throttled)
		pace_answered(&f->source->pace, item->asked_at);
	if (item->parse(item->arg, reply, &failure) == 0) {
		item->state = FETCH_GOT;
		item->err = (struct err){ 0 };
		fetch_progress(f);
		return;
	}
	if (failure.kind == ERR_DENIED || failure.kind == ERR_NOTFOUND)
		fetch_progress(f);
	err_wrap(&failure, "%s", item->words);
	if (throttled)
		fetch_throttled(item, &failure);
	else if (reply->status == 401)
		fetch_unauthorized(item, reply, &failure);
	else
		fetch_failed(item, &failure);
}

/* ---- requests ---- */

static void fetch_ask(struct fetch_item *item, int64_t now)
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
			.max_bytes = item->max_bytes,
			.purpose = item->purpose },
		fetch_on_item, item);
}

/* How many items may be under way: as many streams as one connection takes, or so many
 * connections; those that are still being opened will be there in a moment. */
static size_t fetch_width(const struct fetch *f)
{
	const struct source *s = f->source;
	size_t wanted = (f->count + PER_CONNECTION - 1) / PER_CONNECTION;

	if (s->multiplexed && http_multiplexes(s->shared->http))
		wanted = STREAMS;
	else if (s->shared->hurried || wanted > HTTP_POOL)
		wanted = HTTP_POOL;
	if (f->access.warming > 0 && wanted <= HTTP_POOL)
		wanted = 1 + ACCESS_WARM - f->access.warming;
	return pace_width(&s->pace, wanted);
}

/* The vault's delay ends after the last try, or there were only failures until then:
 * nothing more is asked for in this fetch.  Otherwise each item of a long list would wait
 * for its own time-out. */
static void fetch_give_up(struct fetch *f, int64_t now)
{
	int64_t last = f->access.since + TRIES_LAST_MS;
	const struct err *why = NULL;

	if (f->source->pace.open_at > last)
		why = &f->source->throttled;
	else if (f->failure.kind != ERR_NONE && now > last)
		why = &f->failure;
	for (struct fetch_item *item = f->items; why && item; item = item->next)
		if (item->state == FETCH_WAITING)
			fetch_fail(item, why);
}

static void fetch_ask_waiting(struct fetch *f, int64_t now)
{
	size_t most;

	f->access.url = f->items->url;
	f->access.requests = f->count;
	switch (access_run(&f->access, now)) {
	case ACCESS_PENDING:
		return;
	case ACCESS_REFUSED:
		fetch_fail_all(f, &f->access.failure);
		return;
	case ACCESS_GRANTED:
		break;
	}
	most = fetch_width(f);
	for (struct fetch_item *item = f->items; item && f->running < most;
	     item = item->next)
		if (item->state == FETCH_WAITING && now >= item->tries.not_before)
			fetch_ask(item, now);
}

bool fetch_run(struct fetch *f, int64_t now)
{
	fetch_give_up(f, now);
	if (fetch_has(f, FETCH_WAITING))
		fetch_ask_waiting(f, now);
	return !fetch_has(f, FETCH_WAITING) && !fetch_has(f, FETCH_RUNNING);
}

int64_t fetch_deadline(const struct fetch *f)
{
	int64_t now = clock_now_ms(), soonest = CLOCK_NEVER;

	if (!fetch_has(f, FETCH_WAITING))
		return CLOCK_NEVER;
	if (!access_is_granted(&f->access, now))
		return access_deadline(&f->access, now);
	if (f->running >= fetch_width(f))
		return CLOCK_NEVER;
	for (const struct fetch_item *item = f->items; item; item = item->next)
		if (item->state == FETCH_WAITING)
			soonest = clock_sooner(soonest,
					       clock_later(item->tries.not_before,
							   f->source->pace.open_at));
	return soonest;
}

bool fetch_failure(const struct fetch *f, struct err *why, int64_t now)
{
	if (access_failure(&f->access, why, now))
		return true;
	*why = f->source->throttled;
	return fetch_has(f, FETCH_WAITING) && now < f->source->pace.open_at;
}

bool fetch_is_silent(const struct fetch *f, struct access_silence *out, int64_t now)
{
	bool silent = access_is_silent(&f->access, out, now);

	for (const struct fetch_item *item = f->items; item; item = item->next) {
		if (item->state != FETCH_RUNNING || item->asked_at >= out->asked_at)
			continue;
		silent = true;
		out->asked_at = item->asked_at;
		out->attempt = item->tries.failures + 1;
		out->of_token = false;
	}
	return silent;
}

void fetch_free(struct fetch *f)
{
	struct err late = { 0 };

	if (f == NULL)
		return;
	access_stop(&f->access);
	if (!access_failure(&f->access, &late, clock_now_ms())) {
		if (f->source->pace.width > 0)
			late = f->source->throttled;
		else
			err_set(&late, ERR_UNAVAILABLE, "no answer in time from '%s'",
				f->source->vault.host);
	}
	for (struct fetch_item *item = f->items; item; item = item->next) {
		struct err last = item->err.kind != ERR_NONE ? item->err : late;

		if (fetch_is_open(item))
			fetch_fail(item, &last);
	}
	free(f);
}
