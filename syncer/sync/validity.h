/*
 * validity.h: whether an object is meant to be used now.  Pure: the time is passed in.
 *
 * Key Vault gives an object before its activation date and after its expiration date, and
 * a disabled key or certificate, too: the dates only inform.  Its files are made all the
 * same, as by the CSI provider, and an operator is told.
 */
#ifndef SYNC_VALIDITY_H
#define SYNC_VALIDITY_H

#include "sync/task.h"

enum validity {
	VALIDITY_UNKNOWN, /* nothing came, or its certificate was not looked at now */
	VALIDITY_FINE,
	VALIDITY_WARNS, /* expired, not valid yet, or disabled, or in place of such a one
			 */
};

/* By the attributes of the answer and the dates of the certificate, if files were made of
 * one.  Older versions of a history are always fine.  wall_ms: the time, of
 * clock_wall_ms().  VALIDITY_WARNS: *why names the object, its vault, the date, and what
 * to do. */
enum validity validity_of(const struct task *t, int64_t wall_ms, struct err *why);

#endif
