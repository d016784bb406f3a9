/*
 * failures.h: what of a round failed, who is told, and whether the rest may go on.  A
 * part of sync/round, which it shares the round's state with.
 */
#ifndef SYNC_FAILURES_H
#define SYNC_FAILURES_H

#include "sync/listing.h"
#include "sync/round.h"
#include "sync/task.h"

/* What a round has to do with one vault. */
struct lane {
	struct fetch *fetch;
	bool held;     /* by a transient error */
	bool asked;    /* something was asked of the vault */
	bool answered; /* and it answered, with an accepted token */
};

struct round {
	struct round_work work;
	struct lane *lanes; /* one a source */
	struct task *tasks, **tail;
	size_t task_count;
	struct listing *listings; /* in the order in which they take their paths */
	bool fits;                /* a whole set of this configuration is on the volume */
	int64_t started;
};

static inline struct lane *lane_of(const struct round *r, const struct source *source)
{
	return &r->lanes[source->index];
}

/* Reports every failure, sums them up in *out, and holds back vaults. */
void failures_note(struct round *r, int64_t now, struct round_result *out);

/* What this round has not found out may fail as before: it is held.  What was looked at
 * and works is confirmed: only evidence ends an incident. */
void failures_hold_unknown(struct round *r, int64_t now);

/* Nobody need act on it: an optional object may be missing, or not be for us. */
bool failure_is_excused(const struct task *t);

/* A first set does not wait for an optional object. */
bool failure_holds_back(const struct round *r, const struct task *t);

/* What it means for the files; t may be NULL. */
const char *failure_consequence(const struct round *r, const struct task *t);

#endif
