/*
 * restarts.h: when akvsync last ended on purpose, by exit=, remembered on the volume in
 * ..restarts, which survives the restart of the pod's containers.
 */
#ifndef DELIVER_RESTARTS_H
#define DELIVER_RESTARTS_H

#include <stdint.h>

#include "base/err.h"

/* How long until the next end is allowed, in milliseconds; 0: it is now.  What cannot be
 * understood, and a time that is still to come since the clock was set, count as none.
 * -1 with ERR_IO: it could not be read. */
int64_t restarts_wait_ms(int dir_fd, int64_t min_ms, int64_t wall_ms,
			 struct err *err) MUST_CHECK;

/* Remembers that it ends now.  ERR_IO: it must not, since nobody would know. */
int restarts_note(int dir_fd, int code, int64_t wall_ms, struct err *err) MUST_CHECK;

#endif
