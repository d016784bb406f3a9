/*
 * schedule.h: when the next round starts, and when `init` gives up.  Pure.
 */
#ifndef RUN_SCHEDULE_H
#define RUN_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/backoff.h"
#include "sync/round.h"

struct schedule {
	int64_t poll_interval_ms;
	struct backoff backoff; /* after failures */
	bool polling;           /* the first poll has been planned */
	int not_found;          /* rounds in a row whose worst failure was "not found" */
};

void schedule_init(struct schedule *s, int64_t poll_interval_ms);

/*
 * How long to wait after a round, in milliseconds.  synced: a complete set of the active
 * list is on the volume; then a permanent failure waits for the next poll, and
 * only what is transient is tried again sooner.  A poll comes sooner when an object is
 * about to expire, with jitter and not much sooner, since other pods have the object
 * too.  Never less than the service asked for.
 */
int64_t schedule_next(struct schedule *s, const struct round_result *result, bool synced,
		      struct jitter *jitter);

/*
 * True when `init` need not wait for its deadline: a configuration error or a failing
 * volume will not heal, and "not found" has been confirmed by a second round.  Denied
 * permissions and refused identities do heal: roles and federation take minutes.
 */
bool schedule_gives_up(const struct schedule *s, const struct round_result *result);

#endif
