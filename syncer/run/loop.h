/*
 * loop.h: the running program: one thread that sleeps in one place until a signal, a
 * file, the network or the clock wants something.
 */
#ifndef RUN_LOOP_H
#define RUN_LOOP_H

#include <stdbool.h>

#include "config/configuration.h"

enum loop_mode {
	LOOP_INIT,    /* one sync, tried until a deadline */
	LOOP_SIDECAR, /* the same, then polls until a signal stops it */
};

struct loop_end {
	bool interrupted;   /* SIGTERM or SIGINT came first */
	bool notify_failed; /* the files are there, but an on=first target failed */
};

/*
 * signals_block() comes first.  Runs until the work is done or a signal stops it.  -1: it
 * could not be done; *err is the failure an operator should see first, and *end is set as
 * well.
 */
int loop_run(enum loop_mode mode, const struct configuration *configuration,
	     struct loop_end *end, struct err *err) MUST_CHECK;

#endif
