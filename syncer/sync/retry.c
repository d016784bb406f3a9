#include "sync/retry.h"

#include "base/clock.h"
#include "report/log.h"

/* Key Vault throttles over windows of 10 s; the waits of 6 tries add up to more. */
#define TRIES 6
/* No try starts later than this: the failure is told, and the next round tries again. */
#define LAST_TRY_MS 20000

bool retry_is_passing(const struct err *err)
{
	return err->kind == ERR_UNAVAILABLE || err->kind == ERR_GARBLED;
}

int64_t retry_in_ms(struct fetch *f, struct backoff *backoff, int failures,
		    const struct err *err, int64_t now)
{
	int64_t delay;

	if (!retry_is_passing(err) || failures >= TRIES)
		return -1;
	/* On top of what the service names, which is the same for all pods. */
	delay = err->retry_after_ms + backoff_next(backoff, f->source->shared->jitter);
	if (now + delay > f->progress + LAST_TRY_MS)
		return -1;
	log_event(LOG_DEBUG, "retry",
		  LOG_FIELDS(log_int("in_ms", delay), log_int("failures", failures)),
		  "%s", err->msg);
	return delay;
}

bool retry_later(struct fetch *f, struct tries *t, const struct err *err, int64_t now)
{
	int64_t delay = retry_in_ms(f, &t->backoff, ++t->failures, err, now);

	t->not_before = now + delay;
	return delay >= 0;
}

void retry_slow_down(struct fetch *f, const struct err *err, int64_t now)
{
	struct source *s = f->source;

	pace_throttled(&s->pace, err->retry_after_ms, s->shared->jitter, now);
	s->throttled = *err;
	log_event(LOG_DEBUG, "retry", LOG_FIELDS(log_int("in_ms", s->pace.open_at - now)),
		  "%s", err->msg);
}

bool retry_is_throttled(const struct http_reply *reply)
{
	return reply->status == 429 || (reply->retry_after_ms > 0 &&
					(reply->status == 408 || reply->status >= 500));
}

static void fail_waiting(struct fetch *f, const struct err *err)
{
	for (struct fetch_item *item = f->items; item; item = item->next) {
		if (item->state != FETCH_WAITING)
			continue;
		item->err = *err;
		item->state = FETCH_FAILED;
	}
}

void retry_give_up(struct fetch *f, int64_t now)
{
	int64_t last = f->progress + LAST_TRY_MS;

	if (f->source->pace.open_at > last)
		fail_waiting(f, &f->source->throttled);
	else if (f->failure.kind != ERR_NONE && now > last)
		fail_waiting(f, &f->failure);
}

void retry_progress(struct fetch *f)
{
	f->progress = clock_now_ms();
	f->failure = (struct err){ 0 };
}
