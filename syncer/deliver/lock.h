/*
 * lock.h: the directory that sets are published to, and the lock by which it has one
 * writer at a time.
 */
#ifndef DELIVER_LOCK_H
#define DELIVER_LOCK_H

#include "base/err.h"

/*
 * Opens the directory and takes its lock, for as long as *fd is open; the caller closes
 * *fd also after a failure, when it is not -1.
 * ERR_UNAVAILABLE: another process holds the lock.  ERR_IO: it is missing, not writable,
 * or its ..data belongs to another uid.
 */
int lock_directory(const char *dir, int *fd, struct err *err) MUST_CHECK;

#endif
