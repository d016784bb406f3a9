/*
 * set.h: the files that a round would publish, put together from its tasks.  Pure.
 */
#ifndef SYNC_SET_H
#define SYNC_SET_H

#include <stdbool.h>

#include "sync/task.h"

struct set {
	struct publish_file *files; /* their bytes belong to the tasks */
	size_t count;
	size_t changed;      /* files with new bytes */
	bool complete;       /* every object that has to be there, is */
	struct buf versions; /* "path@version,…" of what changed, for the log */
};

/* Bytes of the versions, at most one path more. */
#define SET_NAMED_MAX 2048
#define SET_EMPTY                                                                        \
	((struct set){ .complete = true, .versions = BUF_INIT(SET_NAMED_MAX + 8192) })

/* Adds the files of a task: new bytes where use_new and there are some, else those on the
 * volume.  False: it has neither. */
bool set_add(struct set *set, const struct task *t, bool use_new);

/* Carries its files forward as they are, though they were made in another way than is
 * wanted now.  False: there are none. */
bool set_keep(struct set *set, const struct task *t, const struct publish *publish);

void set_done(struct set *set);

#endif
