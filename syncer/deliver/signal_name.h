/*
 * signal_name.h: the signals that a target may send, by name.  Pure.
 */
#ifndef DELIVER_SIGNAL_NAME_H
#define DELIVER_SIGNAL_NAME_H

#include "base/err.h"

/* "HUP", "SIGHUP" or "1".  ERR_CONFIG lists those that there are: the ones on which
 * programs reload or stop. */
int signal_number(const char *s, int *out, struct err *err) MUST_CHECK;

/* "HUP"; "?" for a signal that no target has. */
const char *signal_name(int number);

#endif
