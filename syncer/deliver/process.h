/*
 * process.h: finds processes by name and signals them, by pidfd, so that a recycled pid
 * is never hit.  Reads /proc.
 */
#ifndef DELIVER_PROCESS_H
#define DELIVER_PROCESS_H

#include <sys/types.h>

#include "base/err.h"

/*
 * Signals every process of that name whose parent is not one of them too (nginx's master,
 * not its workers), never this one.  A name is a command name (comm, compared in its 15
 * characters), or the last part of the executable's path or of argv[0].
 * *count says how many were signalled.  ERR_IO: none matched, one may not be signalled,
 * or one has no handler for HUP, USR1 or USR2 (yet) and would end; the message says which
 * and the fix.
 */
int process_signal_name(const char *name, int signal, int *count,
			struct err *err) MUST_CHECK;

/* Signals the process whose number a file holds.  ERR_IO likewise. */
int process_signal_pidfile(const char *path, int signal, struct err *err) MUST_CHECK;

#endif
