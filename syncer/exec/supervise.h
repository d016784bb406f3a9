/*
 * supervise.h: runs CMD until its end, as a small init: waits for the first set, gives
 * CMD its variables, hands signals on, and starts CMD again when a value that it was
 * given changes.  One thread, which sleeps in one place; while nothing happens it does
 * not wake up.
 *
 * Keeps digests of values, never a value.  It needs no identity and no network.
 */
#ifndef EXEC_SUPERVISE_H
#define EXEC_SUPERVISE_H

#include <stdbool.h>

#include "base/err.h"
#include "config/settings.h"
#include "exec/alone.h"
#include "exec/arguments.h"
#include "exec/child.h"

struct supervise_input {
	const struct arguments *arguments;
	const struct settings *settings; /* dir, init_timeout_ms, notify_splay_ms */
	char *const *env;                /* of this process */
	const struct child_origin *origin;
	struct alone *alone; /* the sidecar that this process runs, if any; stays open */
};

/* How it ended. */
struct supervise_end {
	int code; /* CMD's own, or 128 and the signal that ended CMD or this process */
	bool is_from_start;   /* err is of a program that cannot be run */
	struct faults faults; /* all that err has no room for; the caller frees them */
};

/* ERR_UNAVAILABLE: no set came in time, or the sidecar that this process runs ended
 * before, with end->code; the kinds of variables_make(), and of
 * child_start(), then with is_from_start: CMD does not run. */
int supervise_run(const struct supervise_input *in, struct supervise_end *end,
		  struct err *err) MUST_CHECK;

#endif
