/*
 * hook.h: runs a program of the user: exec= after a set was published, precheck= before.
 *
 * No shell.  The program leads a process group of its own, which is killed at the
 * time-out, at the program's end and at ours; what is to live longer leaves the group
 * (setsid).  Signal mask and dispositions are the default ones, only stdin (nothing),
 * stdout and stderr are open.  Its environment is a fixed, small one: nothing of ours is
 * in it, so no credential is.  What it prints is kept up to a bound, the rest is dropped.
 *
 * Nothing here waits: the caller waits for the descriptors and the deadlines, and calls
 * hook_run().
 */
#ifndef DELIVER_HOOK_H
#define DELIVER_HOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/* So many run at the same time. */
#define HOOKS_MAX 8

struct hook;

/* What is run; the caller's. */
struct hook_order {
	char *const *argv; /* the first is an absolute path */
	int64_t timeout_ms;
	/* These go to the environment; NULL: left out. */
	const char *generation; /* AKVSYNC_GENERATION */
	const char *dir;        /* AKVSYNC_DIR */
	const char *new_dir; /* AKVSYNC_NEW_DIR: where a set is that is not visible yet */
	const char *changed; /* AKVSYNC_CHANGED: paths, one a line */
};

/* ERR_IO: it cannot be run, and the message says the fix.  retry_after_ms is set when it
 * is only that too many run now.  hook_free() the result. */
int hook_start(struct hook **out, const struct hook_order *order, int64_t now,
	       struct err *err) MUST_CHECK;
/* Kills the group of one that still runs. */
void hook_free(struct hook *h);

/* When hook_run() is due though no descriptor tells of news; CLOCK_NEVER: it was killed
 * already. */
int64_t hook_deadline(const struct hook *h);

/* Takes what it has printed; true: it has ended. */
bool hook_run(struct hook *h, int64_t now);

/* Of one that has ended: 0 when it ended with code 0.  ERR_IO: how it ended instead, with
 * the last line that it printed. */
int hook_result(const struct hook *h, struct err *err) MUST_CHECK;

/* What it printed so far, at most HOOK_OUTPUT_MAX bytes; for hook_line(). */
#define HOOK_OUTPUT_MAX 8192
const char *hook_output(const struct hook *h);

/* Cuts the next line off *rest, without control characters; longer lines are cut to
 * pieces.  False: none is left. */
#define HOOK_LINE_LEN 512
bool hook_line(const char **rest, char line[static HOOK_LINE_LEN]);

/* The descriptors that tell of news of those that run; at most 2 * HOOKS_MAX. */
unsigned hooks_fds(int fds[static 2 * HOOKS_MAX]);

#endif
