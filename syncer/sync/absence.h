/*
 * absence.h: how often in a row an object was not there.  Pure.
 *
 * A file goes only when its object has been gone for several polls, and only for objects
 * that may go: optional ones and those that a list selected.
 */
#ifndef SYNC_ABSENCE_H
#define SYNC_ABSENCE_H

#include <stdbool.h>
#include <stddef.h>

#define ABSENCE_POLLS 3

struct absence {
	char *path;
	int count;
	bool seen; /* in the round that is being counted */
};

struct absences {
	struct absence *items;
	size_t count;
};

/* Between begin and end, every path whose object is absent is counted once; end forgets
 * those that were not. */
void absences_begin(struct absences *all);
/* True when it is gone for good: this is the third time in a row, or a later one. */
bool absences_count(struct absences *all, const char *path);
void absences_end(struct absences *all);
void absences_done(struct absences *all);

#endif
