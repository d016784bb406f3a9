#include "sync/tries.h"

#include "report/log.h"

/* Key Vault throttles over windows of 10 s; the waits of 6 tries add up to more. */
#define TRIES_MAX 6

/* It may be over in a moment. */
static bool tries_may_help(const struct err *err)
{
	return err->kind == ERR_UNAVAILABLE || err->kind == ERR_GARBLED;
}

bool tries_again(struct tries *t, const struct err *err, int64_t since,
		 struct jitter *jitter, int64_t now)
{
	int64_t delay;

	t->failures++;
	t->not_before = now;
	if (!tries_may_help(err) || t->failures >= TRIES_MAX)
		return false;
	/* On top of what the service names, which is the same for all pods. */
	delay = err->retry_after_ms + backoff_next(&t->backoff, jitter);
	if (now + delay > since + TRIES_LAST_MS)
		return false;
	t->not_before = now + delay;
	log_event(LOG_DEBUG, "retry",
		  LOG_FIELDS(log_int("in_ms", delay), log_int("failures", t->failures)),
		  "%s", err->msg);
	return true;
}
