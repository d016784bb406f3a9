/*
 * choice.h: which version stands in for a current one that cannot be used: newest-enabled
 * and newest-valid of an entry.  The current version is asked for first, as always; only
 * when it is disabled, or for newest-valid also when it is not valid yet or has expired,
 * the versions are listed and the newest one that can be used is asked for.
 */
#ifndef SYNC_CHOICE_H
#define SYNC_CHOICE_H

#include <stdbool.h>
#include <stdint.h>

#include "sync/listing.h"
#include "sync/task.h"

struct choice {
	struct choice *next;
	struct task *task;
	struct listing *versions;
	bool made;
};

/* True when another version has to be chosen for the task, whose t->passed_over then says
 * why.  At most once for each task.  now_s: Unix seconds. */
bool choice_is_needed(struct task *t, int64_t now_s);

/* Starts listing its versions.  choice_free() the result. */
struct choice *choice_new(struct task *t, struct fetch *fetch);
void choice_free(struct choice *c);

/* Goes on; true when it is made: the version was asked for, or t->err says why there is
 * none.  The fetch is to be run once more after each call. */
bool choice_run(struct choice *c, int64_t now_s);

/* The sync ends before it is made: t->err says so. */
void choice_cut(struct choice *c);

#endif
