/*
 * attributes.h: the attributes of one object, as users of the CSI provider know them,
 * from text to a checked struct object.  Pure.
 */
#ifndef CONFIG_ATTRIBUTES_H
#define CONFIG_ATTRIBUTES_H

#include "config/objects.h"
#include "config/yaml.h"

/* Reads a map of attributes.  ERR_CONFIG, without naming the entry: the caller does. */
int attributes_read(const struct yaml *map, mode_t default_mode, struct object *out,
		    struct err *err) MUST_CHECK;

/* Reads the short form "[type/]name[=path]". */
int attributes_read_short(const char *entry, mode_t default_mode, struct object *out,
			  struct err *err) MUST_CHECK;

void attributes_done(struct object *object);

#endif
