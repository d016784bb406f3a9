/*
 * absence.h: for how long an object has not been there.  Pure: the time is passed in.
 *
 * A file goes only when its object has been gone for several polls and for the time that
 * as many polls take, and only for objects that may go: optional ones and those that a
 * list selected.  Polls alone do not say enough: after a failure, and on request, they
 * follow each other within seconds.
 */
#ifndef SYNC_ABSENCE_H
#define SYNC_ABSENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* So many polls in a row, and so many poll intervals. */
#define ABSENCE_POLLS 3

struct absence {
	char *path;
	int count;     /* polls in a row */
	int64_t since; /* when it was first noticed, monotonic milliseconds */
	bool seen;     /* in the round that is being counted */
};

/* {0} is empty. */
struct absences {
	struct absence *items;
	size_t count;
	int64_t now; /* of the round that is being counted */
	int64_t poll_interval_ms;
};

/* Between begin and end is one round: every path whose object is absent is counted once;
 * end forgets those that were not.  A new poll interval holds from the next round on,
 * also for what has been absent for a while. */
void absences_begin(struct absences *all, int64_t now, int64_t poll_interval_ms);
/* True when the object is gone for good: it was absent at ABSENCE_POLLS rounds in a row
 * or more, and it is ABSENCE_POLLS poll intervals since the first of them. */
bool absences_count(struct absences *all, const char *path);
void absences_end(struct absences *all);
void absences_done(struct absences *all);

#endif
