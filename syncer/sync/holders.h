/*
 * holders.h: which task a path of the set belongs to.  A path belongs to the first task
 * that takes it, and so does what is in its way: a folder of it, and what is below it.
 */
#ifndef SYNC_HOLDERS_H
#define SYNC_HOLDERS_H

#include <stddef.h>

struct task;

/* A path, and the task that holds it. */
struct holder {
	const char *path; /* the task's */
	const struct task *task;
};

/* {0} is empty; free() the items. */
struct holders {
	struct holder *items; /* in order */
	size_t count;
};

/* The task that is in the way of a path; NULL: none. */
const struct task *holders_find(const struct holders *all, const char *path);

/* Takes a path, which outlives *all, unless a task holds it. */
void holders_take(struct holders *all, const char *path, const struct task *task);

#endif
