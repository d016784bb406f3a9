/*
 * proc.h: what /proc says of one process.  It reads and decides nothing.
 */
#ifndef DELIVER_PROC_H
#define DELIVER_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"

/* A process as it was when it was read.  What cannot be read is empty. */
struct proc {
	pid_t pid, parent;
	bool running;     /* false: gone, or a zombie, on which a signal has no effect */
	uint64_t started; /* the kernel's ticks since boot: with the pid it tells
			     processes apart */
	int64_t age_ms; /* negative: it started by another clock, and nothing is known */
	char *comm;     /* the command name, "" */
	char *exe; /* the last part of the executable's path; NULL: it cannot be read */
	struct buf cmdline; /* the arguments, each with a NUL behind it */
	/* Of each signal N, bit N-1.  A signal that is in none has its default action. */
	uint64_t blocked, ignored, caught;
	bool shows_signals; /* false: the kernel's emulation does not say the three above
			     */
};

/* Fills *out, also for a process that is gone.  proc_done() the result. */
void proc_read(pid_t pid, struct proc *out);
void proc_done(struct proc *p);
#define auto_proc __attribute__((cleanup(proc_done)))

/* The parent's number; 0: none, or the process is gone. */
pid_t proc_parent(pid_t pid);

/* The last part of a path. */
const char *proc_last_part(const char *path);

/* Argument number i, from 0; NULL: it has fewer. */
const char *proc_argument(const struct proc *p, size_t i);

#endif
