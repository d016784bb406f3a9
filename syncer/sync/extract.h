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

/* Renders the tasks.  One whose keys cannot all be files fails: its t->err, ERR_CONFIG,
 * names the key and the rule.  paths: those of all tasks but of extracted keys, which are
 * added. */
void extract_render(struct task *tasks, struct holders *paths,
		    const struct templates *templates);

#endif
