/*
 * tries.h: how often one thing is tried within a sync, and when its next try is due.
 */
#ifndef SYNC_TRIES_H
#define SYNC_TRIES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/backoff.h"
#include "base/err.h"

struct tries {
	struct backoff backoff;
	int failures;       /* so far */
	int64_t not_before; /* when the next try is due; 0: at once */
};

#define TRIES_NONE ((struct tries){ .backoff = BACKOFF_INIT(500, 8000) })

/* No try starts later than this after the vault's last answer: the failure is reported,
 * and the next sync tries again. */
#define TRIES_LAST_MS 20000

/*
 * Counts a failure.  True: another try is due at t->not_before, later than the delay that
 * the service named.  False: it was the last one, since only an unreachable service and a
 * reply that makes no sense are worth another try, or it was tried often enough, or the
 * next try would start later than TRIES_LAST_MS after since.
 */
bool tries_again(struct tries *t, const struct err *err, int64_t since,
		 struct jitter *jitter, int64_t now);

#endif
