/*
 * failures.h: what failed in one sync: reported as incidents, and summed up so that the
 * next sync can be scheduled.
 *
 * A vault or an identity that fails for all of its objects is one incident; an object
 * that fails by itself is one of its own.  An incident ends only when an answer shows
 * that it is over: without an answer, it may still fail as before.
 */
#ifndef SYNC_FAILURES_H
#define SYNC_FAILURES_H

#include <stdbool.h>

#include "report/incident.h"
#include "sync/plan.h"

struct failures {
	struct err worst;   /* of what the set needs: the one that an operator should see
			       first; ERR_NONE: nothing failed */
	bool try_soon;      /* something that failed may work before the next poll */
	bool vetoed;        /* a precheck does not let the set be published */
	bool env_unwritten; /* an env file of the set could not be written, which may
			       pass */
	/* But not sooner than this, as a service asked; 0: no delay was asked for.  Who
	 * gives tokens asks for all objects, a vault for its own, which is not asked
	 * sooner in any case. */
	int retry_after_ms, vault_retry_after_ms;
};

/* Reports what failed in a plan that has ended, whose tasks have their verdicts.
 * has_files: a set is on the volume. */
void failures_report(struct failures *sum, const struct plan *plan, bool has_files,
		     struct incidents *incidents, int64_t now);

#endif
