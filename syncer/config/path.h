/*
 * path.h: where files may be: relative, below the directory, and not at the name of a
 * file of our own.  Pure.
 */
#ifndef CONFIG_PATH_H
#define CONFIG_PATH_H

#include <stdbool.h>

#include "base/err.h"

/* ERR_CONFIG; the message, such as "has an empty part", goes on after the path's name. */
int path_check(const char *path, struct err *err) MUST_CHECK;

/* True when one path is the other, or a folder of it. */
bool path_collides(const char *a, const char *b);

#endif
