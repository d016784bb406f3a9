/*
 * process.h: finds processes by name and signals them, by pidfd, so that a recycled pid
 * is never hit.  Where the system refuses a pidfd, by pid.  Reads /proc.
 */
#ifndef DELIVER_PROCESS_H
#define DELIVER_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/* Processes that took a signal, so that they do not take it again when another one of
 * the same name has to be tried again.  {0} is empty. */
struct process_set {
	struct process_seen {
		pid_t pid;
		uint64_t started; /* the kernel's ticks since boot: a pid may be reused */
	} * items;
	size_t count;
};

void process_set_clear(struct process_set *set);

/* True when this process sees no other one that could be the app: the pod does not share
 * its process namespace. */
bool process_is_alone(void);

/*
 * Signals the processes of that name: match.h says which processes have it, and which of
 * those get the signal.  Never this one, and none that is in *told; those that took the
 * signal are added to *told.
 *
 * *warning: of a process that took the signal but may not have noticed it, or may have
 * been ended by it: effect.h.
 *
 * ERR_IO: none matched, one may not be signalled, or one has no handler for HUP, USR1 or
 * USR2 (yet) and would end; the message says which and the fix.  retry_after_ms is set
 * when nothing is wrong but that a process is younger than a few seconds: so long it may
 * not have set up its handler.  The others have been signalled all the same.
 */
int process_signal_name(const char *name, int signal, struct process_set *told,
			struct err *warning, struct err *err) MUST_CHECK;

/* Signals the process whose number a file holds, as its first word.  ERR_IO likewise, and
 * when the process has started after the file was written: the number is reused. */
int process_signal_pidfile(const char *path, int signal, struct err *warning,
			   struct err *err) MUST_CHECK;

#endif
