/*
 * target.h: one entry of AKVSYNC_NOTIFY, from text to a checked structure.  Pure.
 *
 * An entry is options first, then the action, which takes the rest of the entry:
 * "on=first,signal=HUP,process=nginx".  Entries are separated by ';' or line ends; when
 * the text starts with U+001E, by that alone, so that an entry may hold the others.
 */
#ifndef DELIVER_TARGET_H
#define DELIVER_TARGET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct target {
	char *text; /* the entry as written, trimmed: ..notified knows it by this text */
	bool on_first; /* also runs at a first set */
	int signal;
	char *process; /* a name; or else */
	char *pidfile; /* a path */
};

struct targets {
	struct target *items;
	size_t count;
};

/* text may be NULL: none.  ERR_CONFIG names the entry, the rule and the fix. */
int targets_parse(struct targets *out, const char *text, struct err *err) MUST_CHECK;
void targets_done(struct targets *t);

/* "HUP"; "?" for a signal that no target has. */
const char *target_signal_name(int number);

#endif
