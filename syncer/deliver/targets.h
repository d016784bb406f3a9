/*
 * targets.h: the entries of AKVSYNC_NOTIFY, from text to checked targets.  Pure.
 *
 * An entry is options first, then the action, which takes the rest of the entry:
 * "on=first,signal=HUP,process=nginx".  Entries are separated by ';' or line ends; when
 * the text starts with U+001E, by that alone, so that an entry may hold the others.
 */
#ifndef DELIVER_TARGETS_H
#define DELIVER_TARGETS_H

#include "deliver/target.h"

struct targets {
	struct target *items; /* to notify after a set was published */
	size_t count;
	struct target *prechecks; /* to ask before */
	size_t precheck_count;
};

/* text may be NULL: none.  ERR_CONFIG names the entry, the rule and the fix. */
int targets_parse(struct targets *out, const char *text, struct err *err) MUST_CHECK;
void targets_done(struct targets *t);

#endif
