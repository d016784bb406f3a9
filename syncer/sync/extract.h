/*
 * extract.h: which files of extracted keys may be part of the set.  What keys a JSON
 * value has is known only when it has been read, so their paths are judged then, by the
 * rules that the configuration has for all paths.
 */
#ifndef SYNC_EXTRACT_H
#define SYNC_EXTRACT_H

#include "config/templates.h"
#include "sync/holders.h"
#include "sync/task.h"

/* All keys of one set. */
#define EXTRACT_KEYS_MAX 10000

/* The rendering of all tasks of a set, one after the other. */
struct extract {
	struct task *next; /* to render; NULL: all are rendered */
	size_t keys;       /* that were extracted so far */
	bool is_late;      /* no time is left: what must be made anew fails */
};

/* paths: those of all tasks but of extracted keys, which are added. */
void extract_begin(struct extract *e, struct task *tasks, struct holders *paths);

/* Renders the next task.  One whose keys cannot all be files fails: its t->err,
 * ERR_CONFIG, names the key and the rule. */
void extract_step(struct extract *e, struct holders *paths,
		  const struct templates *templates);

#endif
