/*
 * progress.h: what a round that is under way has come to so far: what has failed, and
 * which answer it waits for.  For the probes, which must not speak of an earlier round's
 * failure while this one fails for another reason.
 */
#ifndef SYNC_PROGRESS_H
#define SYNC_PROGRESS_H

#include "sync/plan.h"

struct progress {
	struct err failed; /* of what failed and has not worked since, what an operator
			      should see first; ERR_NONE: nothing has failed */
	bool waits;        /* a request has had no answer for a while */
	char words[384];   /* then: "waiting for vault 'shop-kv' for 12 s, attempt 2" */
};

/* Costs a look at each task. */
void progress_look(struct progress *out, const struct plan *plan, int64_t now);

#endif
