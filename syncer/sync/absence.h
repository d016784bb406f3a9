/*
 * absence.h: for how long an object has been absent from its vault.  Pure: the time is
 * passed in.
 *
 * A file is removed only when its object has been absent for several polls and for as
 * many poll intervals, and only for optional objects and those that an entry selects.
 * The number of polls alone is not enough: after a failure, and on request, polls follow
 * each other within seconds.
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
 * end forgets the paths that were not counted.  A new poll interval applies from the next
 * round on, also to objects that have been absent for a while. */
void absences_begin(struct absences *all, int64_t now, int64_t poll_interval_ms);
/* True when the files of the object may go: it was absent in ABSENCE_POLLS or more rounds
 * in a row, and ABSENCE_POLLS poll intervals have passed since the first of them. */
bool absences_count(struct absences *all, const char *path);
void absences_end(struct absences *all);
void absences_done(struct absences *all);

#endif
