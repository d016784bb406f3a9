/*
 * round_types.h: what a round works with, and what it comes to.  Types only.
 */
#ifndef SYNC_ROUND_TYPES_H
#define SYNC_ROUND_TYPES_H

#include <stdint.h>

#include "config/objects.h"
#include "deliver/notify.h"
#include "deliver/publish.h"
#include "report/incident.h"
#include "report/state.h"
#include "sync/absence.h"
#include "sync/failures.h"
#include "sync/source.h"

/* All outlive the round. */
struct round_work {
	struct sources *sources; /* with those of all objects */
	const struct objects *objects;
	uint64_t number;  /* objects_number() of them */
	const char *text; /* and objects_write(): remembered with the set */
	struct publish *publish;
	const struct notify *notify; /* whose prechecks are asked; NULL: none */
	struct incidents *incidents; /* begun; the caller ends them */
	struct absences *absences;   /* of this list */
	struct state
		*state; /* is fed with what becomes of each object; NULL: nobody asks */
	int64_t poll_interval_ms;
	bool is_next; /* the list is to replace another one, which stays active until then
		       */
};

/* The result of a round. */
enum round_outcome {
	ROUND_UNCHANGED, /* the set on the volume is the one that this list makes now */
	ROUND_FIRST,     /* a set was published where there was none */
	ROUND_REPLACED,  /* a set was published in place of an earlier one */
	ROUND_HELD,      /* an object has neither bytes nor files: no set was made */
	ROUND_VETOED,    /* a precheck does not let the set be published */
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
	int64_t took_ms;
	int64_t expires_in_ms; /* until an object expires, by its exp; 0: none does */
};

#endif
