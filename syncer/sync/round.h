/*
 * round.h: one sync: list what has to be listed, fetch every object that can have
 * changed, render, publish.
 *
 * A permanent error of one object freezes that object only: its last good files are
 * carried forward, the others change.  A transient error holds back its vault: nothing of
 * that vault changes until all its objects have answered.  The first set needs every
 * object that is not optional.  An optional or selected object that is gone for three
 * polls, and for three poll intervals, loses its files, unless they are the last of the
 * set.
 */
#ifndef SYNC_ROUND_H
#define SYNC_ROUND_H

#include <stdbool.h>
#include <stdint.h>

#include "config/objects.h"
#include "deliver/publish.h"
#include "report/incident.h"
#include "sync/absence.h"
#include "sync/source.h"
#include "sync/task.h"

struct round;

/* All outlive the round. */
struct round_work {
	struct sources *sources; /* with those of all objects */
	const struct objects *objects;
	struct publish *publish;     /* NULL: for round_tell() only */
	struct incidents *incidents; /* begun; the caller ends them */
	struct absences *absences;   /* both NULL: for round_tell() only */
	int64_t poll_interval_ms;    /* for how long the absent keep their files */
};

struct round *round_start(const struct round_work *work, int64_t now);
int64_t round_deadline(const struct round *r);

/* True when all objects have answered or failed for good; round_end() then. */
bool round_run(struct round *r, int64_t now);

struct round_result {
	bool published; /* a new set is on the volume */
	bool first;     /* and there was none before */
	bool complete;  /* no object failed, the set is what the configuration asks for */
	bool held; /* an object has neither bytes nor files, or the volume takes no set:
		      nothing was published */
	bool transient; /* something is worth a try before the next poll */
	int retry_after_ms;
	int64_t expires_in_ms; /* until the next object ends, by its exp; 0: none will */
	struct err worst; /* the failure an operator should see first; ERR_NONE: none */
};

/* Publishes what there is to publish, reports failures and frees the round.  Also ends
 * one that is not finished: its open objects count as failed. */
void round_end(struct round *r, int64_t now, struct round_result *out);

/* What an object came to; task NULL: its list failed.  All is the round's. */
typedef void round_told(void *arg, const struct task *task, const struct object *object,
			const struct err *err);

/* Tells of each object instead of publishing, and frees the round. */
void round_tell(struct round *r, round_told *tell, void *arg);

/* Drops a round without a trace, for a stop. */
void round_free(struct round *r);

/* A number for what the objects ask for, for publish_configure(). */
uint64_t round_configuration(const struct objects *objects);

#endif
