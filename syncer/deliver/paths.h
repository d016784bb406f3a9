/*
 * paths.h: some paths of a set, each once and in order, such as those that changed. Pure.
 */
#ifndef DELIVER_PATHS_H
#define DELIVER_PATHS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* {0} is empty. */
struct paths {
	char **items;
	size_t count;
};

void paths_add(struct paths *to, const char *path);
void paths_add_all(struct paths *to, const struct paths *from);

/*
 * True when one of the paths is meant by one of the patterns.  They are those of
 * a shell: '*' and '?' do not stand for '/'.  A pattern that means a directory means all
 * that is below it: "tls" and "tls/" followed by '*' both mean "tls/a/b".
 */
bool paths_match(const struct paths *patterns, const struct paths *paths);

/* Appends them, a line end between two. */
void paths_write(const struct paths *paths, struct buf *out);

void paths_done(struct paths *p);

#endif
