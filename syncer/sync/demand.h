/*
 * demand.h: what one pod with a configuration asks each vault and the token endpoint for:
 * with its first sync, and with each poll while nothing changes.  Counts requests; what
 * they cost says cost.h.
 *
 * Without a vault's answers some of it is only an estimate: which objects a pattern
 * selects, how many versions a history has, and of what kind a key is.
 */
#ifndef SYNC_DEMAND_H
#define SYNC_DEMAND_H

#include "config/objects.h"
#include "sync/cost.h"
#include "sync/plan.h"
#include "sync/source.h"

struct demand_vault {
	char *url;
	struct cost_load load;
	/* How many entries are counted as what they are at least, or at most. */
	size_t patterns;  /* one page of the list, and no object */
	size_t histories; /* one page, and as many versions as are asked for */
	size_t keys;      /* as RSA 2048, not in an HSM */
};

struct demand {
	struct demand_vault *vaults; /* those that are asked for anything */
	size_t count;
	unsigned tokens;  /* that each pod uses for them, at its start */
	unsigned renewed; /* of those, the ones that polls need */
};

/* By the list alone.  The sources of its objects are there.  demand_done() the result. */
void demand_of_objects(struct demand *out, struct sources *sources,
		       const struct objects *objects);

/* By what the vaults answered to a plan for these objects without a volume, which has
 * ended.  demand_done() the result. */
void demand_of_plan(struct demand *out, const struct plan *plan,
		    const struct objects *objects);
void demand_done(struct demand *d);

#endif
