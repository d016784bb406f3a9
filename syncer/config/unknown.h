/*
 * unknown.h: a name in a map that nobody knows: a typo, or what the CSI provider ignores.
 * Pure.
 */
#ifndef CONFIG_UNKNOWN_H
#define CONFIG_UNKNOWN_H

#include "base/buf.h"
#include "config/yaml.h"

/* The names that are known, and where they stand. */
struct known {
	const char *const *names;
	size_t count;
};

/*
 * Judges the name of a member of the map.  ignored NULL: it is an error, with the known
 * name that it may have been meant to be.  Otherwise it is appended there, unless it
 * looks like a typo of a known one that the map does not have.
 */
int unknown_name(const struct known *known, const char *name, const struct yaml *map,
		 struct buf *ignored, struct err *err) MUST_CHECK;

#endif
