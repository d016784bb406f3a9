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
	char *name, *value; /* a variable; of one that the file unsets, the value is "" */
	const char *with;   /* it counts only while the file decides this one, too; NULL:
			       always */
};

struct overlay {
	struct overlay_item *items;
	size_t count;
	struct buf
		ignored; /* "usePodIdentity, resourceGroup": what has no meaning here */
};

void overlay_done(struct overlay *o);

/* Adds a variable; for the readers of each kind of file. */
void overlay_set(struct overlay *o, const char *name, const char *value);

/* Makes a variable of the environment count as unset, while the file decides another one.
 * with is kept, not copied. */
void overlay_unset(struct overlay *o, const char *name, const char *with);

/* Adds a name, or what else is to be told, to what is ignored. */
void overlay_ignore(struct overlay *o, const char *name);

/* True when the file, and not env, decides this variable: AKVSYNC_* of the environment
 * win over the file, the file wins over all others. */
bool overlay_decides(const struct overlay *o, const char *name, char *const *env);

/* env with the file's variables where those decide.  overlay_environ_free() the result.
 */
char **overlay_environ(const struct overlay *o, char *const *env);
void overlay_environ_free(char **env);

#endif
