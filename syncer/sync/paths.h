/*
 * paths.h: which task a path of the set belongs to.  A path belongs to the first task
 * that takes it, and so does what is in its way: a folder of it, and what is below it.
 */
#ifndef SYNC_PATHS_H
#define SYNC_PATHS_H

#include <stddef.h>

struct task;

/* A path that a task takes. */
struct path_taken {
	const char *path; /* the task's */
	const struct task *task;
};

/* {0} is empty; free() the items. */
struct paths {
	struct path_taken *items; /* in order */
	size_t count;
};

/* The task that is in the way of a path; NULL: none. */
const struct task *paths_holder(const struct paths *all, const char *path);

/* Takes a path, which outlives *all, unless a task holds it. */
void paths_take(struct paths *all, const char *path, const struct task *task);

#endif
