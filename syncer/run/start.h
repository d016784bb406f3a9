/*
 * start.h: a run of the program from its configuration to its end: opens everything that
 * the loop works with, takes over the set that an earlier run left on the volume, runs
 * the loop, and returns its result.
 */
#ifndef RUN_START_H
#define RUN_START_H

#include "run/loop.h"

struct start_end {
	bool interrupted; /* SIGTERM or SIGINT came before a set was published, and, of a
			     sidecar, before anything failed */
	bool notify_failed; /* an on=first target failed, or a precheck vetoed the set */
	int code;           /* an exit= target asks for this code; 0: none does */
};

/*
 * Runs until the work is done or a signal stops it; signals_block() must have been called
 * before.  watch is that of the configuration file, made before the file was read, NULL:
 * none; it is freed.  -1: it could not be done; *err is the failure an operator should
 * see first, and *end is set as well.
 */
int start_run(enum loop_mode mode, const struct configuration *configuration,
	      struct watch *watch, struct start_end *end, struct err *err) MUST_CHECK;

#endif
