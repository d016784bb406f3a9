/*
 * round.h: one sync of one list of objects: ask the vaults, decide what becomes of each
 * object (fate.h), publish the set (proposal.h), report what failed.
 */
#ifndef SYNC_ROUND_H
#define SYNC_ROUND_H

#include <stdint.h>

#include "sync/progress.h"
#include "sync/round_types.h"

struct round;

struct round *round_start(const struct round_work *work, int64_t now);

/* When round_run() is due though nothing came from the network. */
int64_t round_deadline(const struct round *r);

/* True when all objects have answered or failed for good, and the prechecks have said
 * whether the set may be published; round_end() then. */
bool round_run(struct round *r, int64_t now);

/* What it has come to so far. */
void round_progress(const struct round *r, int64_t now, struct progress *out);

/* Publishes what there is to publish, reports failures and frees the round.  Also ends
 * one that is not finished: its open requests and prechecks count as failed. */
void round_end(struct round *r, int64_t now, struct round_result *out);

/* Drops a round without publishing or reporting anything, for a stop.  r may be NULL. */
void round_free(struct round *r);

#endif
