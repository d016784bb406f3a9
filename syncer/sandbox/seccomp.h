/*
 * seccomp.h: which system calls the kernel refuses this process, until it ends, and each
 * process that it starts.
 *
 * A list of what akvsync never needs and a program that took it over would: to run
 * programs, to look into other processes, to change what is mounted, to load code into
 * the kernel.  A refused call fails with EPERM; it does not end the process.
 */
#ifndef SANDBOX_SECCOMP_H
#define SANDBOX_SECCOMP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* runs_programs: the configuration has programs to run, which need more calls than
 * akvsync.  ERR_IO: nothing is refused. */
int seccomp_enforce(bool runs_programs, struct err *err) MUST_CHECK;

/* The name of a call that was refused since this was last asked, such as "execve", once
 * for each name; "" when there was none.  Without programs to run only. */
void seccomp_refused(char *name, size_t size);

#endif
