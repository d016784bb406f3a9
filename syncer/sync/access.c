#include "sync/access.h"

#include <stdlib.h>
#include <string.h>

#include "azure/challenge.h"
#include "azure/refusal.h"
#include "base/clock.h"
#include "base/mem.h"
#include "report/state.h"

void access_start(struct access *a, struct source *source, int64_t now)
{
	struct token *token = source->shared->token;
	bool has_token = token_state(token, source->resource, now) == TOKEN_READY;

	*a = (struct access){ .source = source,
			      .token_tries = TRIES_NONE,
			      .probe_tries = TRIES_NONE,
			      .since = now,
			      .token_seen = token_requests(token, source->resource),
			      .needs_probe = !source->verified && !has_token };
}

/* ---- the token ---- */

static struct err access_token_error(const struct access *a)
{
	struct err err = *token_error(a->source->shared->token, a->source->resource);

	err.tokenless = true;
	return err;
}

/* Counts the failure of a token request that ended since the start, whoever made it.
 * False: it was the last try. */
static bool access_count_failure(struct access *a, const struct token *token, int64_t now)
{
	unsigned requests = token_requests(token, a->source->resource);
	struct err err;

	if (a->token_seen == requests)
		return true;
	a->token_seen = requests;
	err = access_token_error(a);
	if (tries_again(&a->token_tries, &err, a->since, a->source->shared->jitter, now))
		return true;
	a->failure = err;
	return false;
}

/* True when a usable token is here; else asks for one when its time has come. */
static bool access_has_token(struct access *a, int64_t now)
{
	struct token *token = a->source->shared->token;
	const char *resource = a->source->resource;

	for (;;) {
		switch (token_state(token, resource, now)) {
		case TOKEN_READY:
			token_request(token, resource, now); /* renews in time */
			return true;
		case TOKEN_PENDING:
			return false;
		case TOKEN_FAILED:
			if (!access_count_failure(a, token, now))
				return false;
			break;
		case TOKEN_NONE:
			break;
		}
		if (now < a->token_tries.not_before)
			return false;
		token_request(token, resource, now);
	}
}

/* ---- the challenge ---- */

int access_learn(struct access *a, const char *header, struct err *err)
{
	struct source *s = a->source;
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

static void access_probe_failed(struct access *a, struct http_reply *reply,
				const struct err *err)
{
	a->probe_err = *err;
	refusal_unreachable(reply->failure, &a->probe_err);
	if (!tries_again(&a->probe_tries, &a->probe_err, a->since,
			 a->source->shared->jitter, clock_now_ms()))
		a->failure = a->probe_err;
}

/* A vault that throttles may say for how long. */
static void access_throttled(struct access *a, struct http_reply *reply)
{
	const struct refusal_context asked = { .vault = a->source->vault.name };
	struct err err;

	refusal_error(reply, &asked, &err);
	err_wrap(&err, "vault '%s'", a->source->vault.host);
	source_slow_down(a->source, &err, clock_now_ms());
}

static void access_on_probe(void *arg, struct http_reply *reply, const struct err *err)
{
	struct access *a = arg;
	struct err refused;

	a->probe = NULL;
	if (err != NULL) {
		access_probe_failed(a, reply, err);
		return;
	}
	a->needs_probe = false;
	a->probe_err = (struct err){ 0 };
	a->source->multiplexed = reply->multiplexed;
	if (source_is_throttled(reply))
		access_throttled(a, reply);
	else if (reply->status == 401 && access_learn(a, reply->challenge, &refused) < 0)
		a->failure = refused;
}

static void access_on_warm(void *arg, struct http_reply *reply, const struct err *err)
{
	struct access_warm *w = arg;

	(void)reply, (void)err; /* the first one says all of this */
	w->call = NULL;
	w->access->warming--;
}

/* Opens more connections when the list is long enough to use them: by requests that are
 * anonymous like the first, since nothing else opens one. */
static void access_warm_up(struct access *a)
{
	const char *challenge = state_request_words[REQUEST_CHALLENGE];

	for (size_t i = 0; i < ACCESS_WARM && a->requests > HTTP_POOL; i++) {
		a->warm[i].access = a;
		a->warm[i].call = http_start(a->source->shared->http,
					     &(struct http_request){ .url = a->url,
								     .purpose = challenge,
								     .fresh = true },
					     access_on_warm, &a->warm[i]);
		a->warming++;
	}
}

/* True when the vault's challenge is known; else asks for it. */
static bool access_has_challenge(struct access *a, int64_t now)
{
	const char *challenge = state_request_words[REQUEST_CHALLENGE];

	if (!a->needs_probe)
		return true;
	if (a->probe != NULL || now < a->probe_tries.not_before ||
	    now < a->source->pace.open_at)
		return false;
	a->probed_at = now;
	a->probe =
		http_start(a->source->shared->http,
			   &(struct http_request){ .url = a->url, .purpose = challenge },
			   access_on_probe, a);
	if (a->probe_tries.failures == 0 && a->source->pace.width == 0)
		access_warm_up(a);
	return false;
}

/* ---- both ---- */

enum access_state access_run(struct access *a, int64_t now)
{
	bool challenged, token;

	if (a->failure.kind != ERR_NONE)
		return ACCESS_REFUSED;
	/* Both, so that both requests are under way at once. */
	challenged = access_has_challenge(a, now);
	token = access_has_token(a, now);
	if (a->failure.kind != ERR_NONE)
		return ACCESS_REFUSED;
	return challenged && token && now >= a->source->pace.open_at ? ACCESS_GRANTED
								     : ACCESS_PENDING;
}

bool access_is_granted(const struct access *a, int64_t now)
{
	const struct source *s = a->source;

	return a->failure.kind == ERR_NONE && !a->needs_probe &&
	       token_state(s->shared->token, s->resource, now) == TOKEN_READY;
}

int64_t access_deadline(const struct access *a, int64_t now)
{
	const struct source *s = a->source;
	int64_t soonest = CLOCK_NEVER;

	if (a->failure.kind != ERR_NONE)
		return now;
	if (a->needs_probe && a->probe == NULL)
		soonest = clock_later(a->probe_tries.not_before, s->pace.open_at);
	switch (token_state(s->shared->token, s->resource, now)) {
	case TOKEN_NONE:
	case TOKEN_FAILED:
		return clock_sooner(soonest, a->token_tries.not_before);
	case TOKEN_PENDING:
	case TOKEN_READY:
		break;
	}
	return soonest;
}

static bool access_token_failed(const struct access *a, int64_t now)
{
	switch (token_state(a->source->shared->token, a->source->resource, now)) {
	case TOKEN_FAILED:
		return true;
	case TOKEN_PENDING:
		return a->token_tries.failures > 0;
	case TOKEN_NONE:
	case TOKEN_READY:
		break;
	}
	return false;
}

bool access_failure(const struct access *a, struct err *why, int64_t now)
{
	struct err token = { 0 };

	if (access_token_failed(a, now))
		token = access_token_error(a);
	*why = a->probe_err;
	if (why->kind == ERR_NONE || err_outranks(&token, why))
		*why = token;
	return why->kind != ERR_NONE;
}

bool access_is_silent(const struct access *a, struct access_silence *out, int64_t now)
{
	const struct source *s = a->source;
	int64_t token_at = token_asked_at(s->shared->token, s->resource, now);

	*out = (struct access_silence){ .asked_at = CLOCK_NEVER, .since = a->since };
	if (a->probe != NULL) {
		out->asked_at = a->probed_at;
		out->attempt = a->probe_tries.failures + 1;
	}
	if (token_at < out->asked_at) {
		out->asked_at = token_at;
		out->attempt = a->token_tries.failures + 1;
		out->of_token = true;
	}
	return out->asked_at != CLOCK_NEVER;
}

void access_stop(struct access *a)
{
	const struct sources *shared = a->source->shared;

	if (a->probe != NULL)
		http_cancel(shared->http, a->probe);
	for (size_t i = 0; i < ACCESS_WARM; i++)
		if (a->warm[i].call != NULL)
			http_cancel(shared->http, a->warm[i].call);
	token_cancel(shared->token);
}
