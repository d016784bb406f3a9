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
	struct fetch_item *items;
	size_t count, running;
	int64_t started;
	int64_t paused_until; /* the vault named a delay: it holds for all requests */
	struct tries token_tries, probe_tries;
	bool token_asked; /* so that an old failure is not taken for ours */
	bool needs_probe;
	struct http_call *probe;
	struct err probe_err;
};

struct fetch *fetch_start(struct source *source, struct fetch_item *items, size_t count,
			  int64_t now)
{
	struct fetch *f = xcalloc(1, sizeof(*f));
	bool has_token = token_state(source->token, source->resource, now) == TOKEN_READY;

	f->source = source;
	f->items = items;
	f->count = count;
	f->started = now;
	f->needs_probe = !source->verified && !has_token && count > 0;
	f->token_tries.backoff = BACKOFF_INIT(BACKOFF_BASE_MS, BACKOFF_CAP_MS);
	f->probe_tries.backoff = f->token_tries.backoff;
	for (size_t i = 0; i < count; i++) {
		items[i].fetch = f;
		items[i].state = FETCH_WAITING;
		items[i].backoff = f->token_tries.backoff;
	}
	return f;
}

static bool is_open(const struct fetch_item *item)
{
	return item->state == FETCH_WAITING || item->state == FETCH_RUNNING;
}

static void stop_item(struct fetch_item *item)
{
	if (item->call != NULL) {
		http_cancel(item->fetch->source->http, item->call);
		item->call = NULL;
		item->fetch->running--;
	}
}

static void fail_all(struct fetch *f, const struct err *err)
{
	for (size_t i = 0; i < f->count; i++) {
		if (!is_open(&f->items[i]))
			continue;
		stop_item(&f->items[i]);
		f->items[i].err = *err;
		f->items[i].state = FETCH_FAILED;
	}
}

/* How long to wait before the next try; -1 when there is none. */
static int64_t next_try_ms(struct fetch *f, struct backoff *backoff, int failures,
			   const struct err *err, int64_t now)
{
	int64_t delay;

	if (err->kind != ERR_UNAVAILABLE || failures >= TRIES)
		return -1;
	delay = backoff_next(backoff, f->source->jitter);
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

/* True when a usable token is here; else asks for one when its time has come. */
static bool have_token(struct fetch *f, int64_t now)
{
	struct source *s = f->source;

	for (;;) {
		switch (token_state(s->token, s->resource, now)) {
		case TOKEN_READY:
			return true;
		case TOKEN_PENDING:
			return false;
		case TOKEN_FAILED:
			if (!f->token_asked)
				break;
			f->token_asked = false;
			if (!try_later(f, &f->token_tries,
				       token_error(s->token, s->resource), now)) {
				fail_all(f, token_error(s->token, s->resource));
				return false;
			}
			break;
		case TOKEN_NONE:
			break;
		}
		if (now < f->token_tries.not_before)
			return false;
		f->token_asked = true;
		token_request(s->token, s->resource, now);
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
	if (s->verify &&
	    challenge_check(&challenge, s->vault.host, s->identity.tenant, err) < 0)
		return -1;
	s->verified = true;
	if (strcmp(challenge.resource, s->resource) != 0) {
		free(s->resource);
		s->resource = xstrdup(challenge.resource);
	}
	return 0;
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
	if (reply->status == 401 && learn_challenge(f, reply->challenge, &refused) < 0)
		fail_all(f, &refused);
}

/* True when the vault's challenge is known; else asks for it. */
static bool have_challenge(struct fetch *f, int64_t now)
{
	struct source *s = f->source;
	auto_free char *url = NULL;

	if (!f->needs_probe)
		return true;
	if (f->probe != NULL || now < f->probe_tries.not_before)
		return false;
	url = vault_secret_url(s->vault.url, f->items[0].name, f->items[0].version);
	f->probe = http_start(s->http,
			      &(struct http_request){
				      .url = url, .fresh = f->probe_tries.failures > 0 },
			      on_probe, f);
	return false;
}

static void item_failed(struct fetch_item *item, const struct err *err)
{
	struct fetch *f = item->fetch;
	int64_t now = clock_now_ms();
	int64_t delay = next_try_ms(f, &item->backoff, ++item->failures, err, now);

	item->err = *err;
	if (delay < 0) {
		item->state = FETCH_FAILED;
		return;
	}
	item->state = FETCH_WAITING;
	item->not_before = now + delay;
	if (err->retry_after_ms > 0 && f->paused_until < now + err->retry_after_ms)
		f->paused_until = now + err->retry_after_ms;
}

static void item_unauthorized(struct fetch_item *item, const struct http_reply *reply,
			      const struct err *err)
{
	struct source *s = item->fetch->source;
	struct err refused;

	token_refused(s->token, s->resource, item->token_serial);
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

static void item_got(struct fetch_item *item)
{
	if (item->known != NULL && strcasecmp(item->known, item->secret.version) == 0) {
		vault_secret_done(&item->secret);
		item->state = FETCH_SAME;
	} else {
		item->state = FETCH_GOT;
	}
}

static void on_item(void *arg, struct http_reply *reply, const struct err *err)
{
	struct fetch_item *item = arg;
	struct fetch *f = item->fetch;
	struct err failure;

	item->call = NULL;
	f->running--;
	if (err != NULL) {
		item_failed(item, err);
		return;
	}
	if (vault_secret_parse(reply, identity_id(&f->source->identity), &item->secret,
			       &failure) == 0) {
		item_got(item);
		return;
	}
	err_wrap(&failure, "secret '%s'", item->name);
	if (reply->status == 401)
		item_unauthorized(item, reply, &failure);
	else
		item_failed(item, &failure);
}

static void start_item(struct fetch_item *item)
{
	struct fetch *f = item->fetch;
	struct source *s = f->source;
	auto_free char *url = vault_secret_url(s->vault.url, item->name, item->version);

	item->state = FETCH_RUNNING;
	item->token_serial = token_serial(s->token, s->resource);
	f->running++;
	item->call = http_start(
		s->http,
		&(struct http_request){ .url = url,
					.bearer = token_bearer(s->token, s->resource),
					.fresh = item->failures > 0 },
		on_item, item);
}

static bool has_open(const struct fetch *f)
{
	for (size_t i = 0; i < f->count; i++)
		if (is_open(&f->items[i]))
			return true;
	return false;
}

static bool has_waiting(const struct fetch *f)
{
	for (size_t i = 0; i < f->count; i++)
		if (f->items[i].state == FETCH_WAITING)
			return true;
	return false;
}

bool fetch_run(struct fetch *f, int64_t now)
{
	if (has_waiting(f)) {
		/* Both calls, so that both requests are under way at once. */
		bool challenged = have_challenge(f, now);
		bool ready = have_token(f, now) && challenged && now >= f->paused_until;

		for (size_t i = 0; ready && i < f->count && f->running < PARALLEL; i++)
			if (f->items[i].state == FETCH_WAITING &&
			    now >= f->items[i].not_before)
				start_item(&f->items[i]);
	}
	return !has_open(f);
}

int64_t fetch_deadline(const struct fetch *f)
{
	const struct source *s = f->source;
	int64_t now = clock_now_ms(), soonest = CLOCK_NEVER;

	if (f->needs_probe && f->probe == NULL)
		soonest = clock_sooner(soonest, f->probe_tries.not_before);
	switch (token_state(s->token, s->resource, now)) {
	case TOKEN_NONE:
	case TOKEN_FAILED:
		return has_waiting(f) ? clock_sooner(soonest, f->token_tries.not_before)
				      : soonest;
	case TOKEN_PENDING:
		return soonest;
	case TOKEN_READY:
		break;
	}
	if (f->needs_probe || f->running >= PARALLEL)
		return soonest;
	for (size_t i = 0; i < f->count; i++) {
		const struct fetch_item *item = &f->items[i];

		if (item->state == FETCH_WAITING && item->not_before > f->paused_until)
			soonest = clock_sooner(soonest, item->not_before);
		else if (item->state == FETCH_WAITING)
			soonest = clock_sooner(soonest, f->paused_until);
	}
	return soonest;
}

void fetch_free(struct fetch *f)
{
	struct err late = f->probe_err;

	if (f->probe != NULL)
		http_cancel(f->source->http, f->probe);
	token_cancel(f->source->token);
	if (late.kind == ERR_NONE && f->token_tries.failures > 0)
		late = *token_error(f->source->token, f->source->resource);
	if (late.kind == ERR_NONE)
		err_set(&late, ERR_UNAVAILABLE, "no answer in time from '%s'",
			f->source->vault.host);
	for (size_t i = 0; i < f->count; i++) {
		struct fetch_item *item = &f->items[i];

		if (!is_open(item))
			continue;
		stop_item(item);
		if (item->err.kind == ERR_NONE)
			item->err = late;
		item->state = FETCH_FAILED;
	}
	free(f);
}
