/*
 * failures.h: what failed in one sync: reported as incidents, and summed up for whoever
 * plans the next one.
 *
 * A vault or an identity that fails for all of its objects is one incident; an object
 * that fails by itself is one of its own.  Only evidence ends an incident: what this sync
 * had no answer about may fail as before.
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
	int retry_after_ms; /* but not sooner than so, as a service said; 0: none said */
};

/* Reports what failed in a plan that has ended, whose tasks have their verdicts.
 * has_files: a set is on the volume. */
void failures_report(struct failures *sum, const struct plan *plan, bool has_files,
		     struct incidents *incidents, int64_t now);

#endif
