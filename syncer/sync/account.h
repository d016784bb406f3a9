/*
 * account.h: what a round tells the picture of the state, of each object and of all.
 */
#ifndef SYNC_ACCOUNT_H
#define SYNC_ACCOUNT_H

#include "report/state.h"
#include "sync/plan.h"
#include "sync/round_types.h"

/* After a round of the active list, or of one that has become it: the plan has ended, and
 * the set is on the volume, if one was published. */
void account_objects(struct state *state, const struct plan *plan,
		     const struct publish *publish, enum round_outcome outcome,
		     int64_t now);

/* After a poll's last round: how the sync of the active list went. */
void account_sync(struct state *state, const struct round_result *result, int64_t now);

#endif
