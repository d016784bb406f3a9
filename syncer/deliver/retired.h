/*
 * retired.h: generations that are no longer the current one: they stay on disk for a
 * while, for readers that still have them open, and are removed then.
 */
#ifndef DELIVER_RETIRED_H
#define DELIVER_RETIRED_H

#include <stddef.h>
#include <stdint.h>

#include "deliver/generation.h"

/* {0} is empty. */
struct retired {
	struct retired_one {
		char name[GENERATION_LEN];
		int64_t remove_at;
		bool failed; /* it could not be removed, and is tried again */
	} * items;
	size_t count;
};

void retired_add(struct retired *r, const char *name, int64_t remove_at);

/* One that could not be removed.  It is tried again, so that its values do not stay. */
void retired_add_failed(struct retired *r, const char *name);

/* Tries again now what could not be removed; how many of them are left. */
size_t retired_retry(struct retired *r, int dir_fd);

/* When retired_run() next has one to remove; CLOCK_NEVER: none. */
int64_t retired_deadline(const struct retired *r);
void retired_run(struct retired *r, int dir_fd, int64_t now);

/*
 * Removes what an earlier process left in the directory and beside the files of the
 * current generation: half-made generations, temporary names, links that lead nowhere.
 * Whole generations are added, to be removed at remove_at; so are those that may be
 * whole.  It must be certain which generation is the current one.
 */
void retired_sweep(struct retired *r, int dir_fd, const struct generation *current,
		   int64_t remove_at);

void retired_done(struct retired *r);

#endif
