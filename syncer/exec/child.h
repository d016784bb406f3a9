/*
 * child.h: starts CMD as if the caller of this process had started it: with the signal
 * mask, the signal actions and the limits that this process was started with.
 */
#ifndef EXEC_CHILD_H
#define EXEC_CHILD_H

#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "base/err.h"

/* What this process changed of itself, as it was before. */
struct child_origin {
	sigset_t mask;
	struct sigaction
		on_child; /* of SIGCHLD: who ignores it cannot wait for a child */
	struct rlimit core;
};

/* Fills a set with all signals there are, also those that a C library keeps for itself:
 * another process may send them, since they are other ones in its library. */
void child_all_signals(sigset_t *set);

/*
 * First thing in the process: blocks all signals, so that they can be read from now on,
 * and forbids core files and looks into this process.  Closed standard streams are kept
 * busy, so that nothing else gets their numbers; CMD finds them closed.  ERR_IO.
 */
int child_prepare(struct child_origin *origin, struct err *err) MUST_CHECK;

struct child_plan {
	const struct child_origin *origin;
	char *const *command; /* looked for in PATH of env; no shell runs it */
	char **env;
	bool in_foreground; /* CMD's process group gets the terminal on stdin */
};

/*
 * Starts CMD in a process group of its own, whose number is its pid.  It is killed when
 * this process dies.  Returns when CMD has replaced our copy.
 * ERR_NOTFOUND: there is no such program; ERR_IO: it cannot be run.  Nothing is left to
 * wait for then.
 */
int child_start(const struct child_plan *plan, pid_t *pid, struct err *err) MUST_CHECK;

/* The same for a function of our own, whose result is the exit code; it gets no
 * terminal. */
int child_fork(const struct child_origin *origin, int (*run)(void *arg), void *arg,
	       pid_t *pid, struct err *err) MUST_CHECK;

#endif
