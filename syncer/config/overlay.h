/*
 * overlay.h: the variables that a configuration file sets, and how they go together with
 * the environment.  Pure.
 */
#ifndef CONFIG_OVERLAY_H
#define CONFIG_OVERLAY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct overlay_item {
	char *name, *value; /* a variable */
};

struct overlay {
	struct overlay_item *items;
	size_t count;
	struct buf
		ignored; /* "usePodIdentity, secretObjects": what has no meaning here */
};

void overlay_done(struct overlay *o);

/* Adds a variable; for the readers of each kind of file. */
void overlay_set(struct overlay *o, const char *name, const char *value);

/* True when the file, and not env, decides this variable: AKVSYNC_* of the environment
 * win over the file, the file wins over all others. */
bool overlay_decides(const struct overlay *o, const char *name, char *const *env);

/* env with the file's variables where those decide.  overlay_environ_free() the result.
 */
char **overlay_environ(const struct overlay *o, char *const *env);
void overlay_environ_free(char **env);

#endif
