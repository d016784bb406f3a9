/*
 * round.h: one sync of one list of objects: ask the vaults, decide what becomes of each
 * object (fate.h), publish the set, report what failed.
 */
#ifndef SYNC_ROUND_H
#define SYNC_ROUND_H

#include <stdint.h>

#include "config/objects.h"
#include "deliver/publish.h"
#include "report/incident.h"
#include "sync/absence.h"
#include "sync/failures.h"
#include "sync/progress.h"
#include "sync/source.h"

struct round;

/* All outlive the round. */
struct round_work {
	struct sources *sources; /* with those of all objects */
	const struct objects *objects;
	uint64_t number;  /* objects_number() of them */
	const char *text; /* and objects_write(): remembered with the set */
	struct publish *publish;
	struct incidents *incidents; /* begun; the caller ends them */
	struct absences *absences;   /* of this list */
	int64_t poll_interval_ms;
	bool is_next; /* the list is to replace another one, which stays active until then
		       */
};

struct round *round_start(const struct round_work *work, int64_t now);

/* When round_run() is due though nothing came from the network. */
int64_t round_deadline(const struct round *r);

/* True when all objects have answered or failed for good; round_end() then. */
bool round_run(struct round *r, int64_t now);

/* What it has come to so far. */
void round_progress(const struct round *r, int64_t now, struct progress *out);

/* The result of a round. */
enum round_outcome {
	ROUND_UNCHANGED, /* the set on the volume is the one that this list makes now */
	ROUND_FIRST,     /* a set was published where there was none */
	ROUND_REPLACED,  /* a set was published in place of an earlier one */
	ROUND_HELD,      /* an object has neither bytes nor files: no set was made */
	ROUND_REFUSED,   /* the volume could not be read, or not be written */
};

/* True when the set on the volume is now one for the round's list. */
static inline bool round_succeeded(enum round_outcome outcome)
{
	return outcome <= ROUND_REPLACED;
}

struct round_result {
	enum round_outcome outcome;
	struct failures failures; /* those of the volume included */
	bool env_behind; /* an env file is not as this list's set on the volume makes it
			  */
	int64_t expires_in_ms; /* until an object expires, by its exp; 0: none does */
};

/* Publishes what there is to publish, reports failures and frees the round.  Also ends
 * one that is not finished: its open requests count as failed. */
void round_end(struct round *r, int64_t now, struct round_result *out);

/* Drops a round without publishing or reporting anything, for a stop.  r may be NULL. */
void round_free(struct round *r);

#endif
