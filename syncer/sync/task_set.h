/*
 * task_set.h: what a task gives to the set: new files, or those that the volume has of
 * it.
 */
#ifndef SYNC_TASK_SET_H
#define SYNC_TASK_SET_H

#include "sync/task.h"

/* Adds the files that it has in the set, by its verdict; their bytes and strings stay the
 * task's. */
void task_add_files(const struct task *t, struct publish_file **files, size_t *count);

#endif
