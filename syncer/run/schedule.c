#include "run/schedule.h"

#include "base/clock.h"

#define RETRY_BASE_MS 1000
#define RETRY_CAP_MS 60000
#define JITTER_PERCENT 20
/* Pods that started together, or that a throttling vault answered one after the other,
 * spread out with their first poll. */
#define FIRST_JITTER_PERCENT 50
/* A poll comes sooner when an object is about to expire, but not sooner than this part of
 * the poll interval, nor than this time.  All pods of a deployment have the same object,
 * so the vault then gets at most so many times as many polls. */
#define EXPIRY_SHARE 2
#define EXPIRY_MIN_MS 10000

void schedule_init(struct schedule *s, int64_t poll_interval_ms)
{
	*s = (struct schedule){ .poll_interval_ms = poll_interval_ms };
	s->backoff = BACKOFF_INIT(RETRY_BASE_MS, poll_interval_ms < RETRY_CAP_MS
							 ? poll_interval_ms
							 : RETRY_CAP_MS);
}

/* Halfway to the expiry of the object that expires first: it is usually renewed before
 * its last moment.  With jitter, since all pods have the same expiry. */
static int64_t before_expiry(const struct schedule *s, int64_t expires_in_ms,
			     struct jitter *jitter)
{
	int64_t least = s->poll_interval_ms / EXPIRY_SHARE;

	if (expires_in_ms <= 0)
		return INT64_MAX;
	if (least < EXPIRY_MIN_MS)
		least = clock_sooner(s->poll_interval_ms, EXPIRY_MIN_MS);
	return jitter_around(jitter,
			     expires_in_ms / 2 > least ? expires_in_ms / 2 : least,
			     JITTER_PERCENT);
}

int64_t schedule_next(struct schedule *s, const struct round_result *result, bool synced,
		      struct jitter *jitter)
{
	const struct failures *failures = &result->failures;
	int64_t named = failures->vault_retry_after_ms, delay;

	/* The other vaults do not wait for it longer than until the next poll. */
	if (synced)
		named = clock_sooner(named, s->poll_interval_ms);
	named = clock_later(named, failures->retry_after_ms);
	s->not_found = failures->worst.kind == ERR_NOTFOUND ? s->not_found + 1 : 0;
	/* All who were given the same delay must not come back together. */
	if (failures->try_soon || !synced)
		return named + backoff_next(&s->backoff, jitter);
	backoff_reset(&s->backoff);
	delay = jitter_around(jitter, s->poll_interval_ms,
			      s->polling ? JITTER_PERCENT : FIRST_JITTER_PERCENT);
	s->polling = true;
	delay = clock_sooner(delay, before_expiry(s, result->expires_in_ms, jitter));
	return clock_later(delay, named);
}

bool schedule_gives_up(const struct schedule *s, const struct round_result *result)
{
	switch (result->failures.worst.kind) {
	case ERR_USAGE:
	case ERR_CONFIG:
		return true;
	case ERR_IO:
		return !result->failures.vetoed;
	case ERR_NOTFOUND:
		return s->not_found >= 2;
	case ERR_NONE:
	case ERR_IDENTITY:
	case ERR_DENIED:
	case ERR_GARBLED:
	case ERR_UNAVAILABLE:
		break;
	}
	return false;
}
