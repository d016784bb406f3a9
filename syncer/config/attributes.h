/*
 * attributes.h: the attributes of one object, as users of the CSI provider know them:
 * from text to a checked struct object, and back to text.  Pure.
 */
#ifndef CONFIG_ATTRIBUTES_H
#define CONFIG_ATTRIBUTES_H

#include "base/buf.h"
#include "config/object.h"
#include "config/yaml.h"

/*
 * Reads a map of attributes.  ERR_CONFIG, without naming the entry: the caller does.
 * object_done() the result.
 *
 * An attribute that is not known is an error when ignored is NULL.  Otherwise its name
 * goes there, since the CSI provider ignores it; but it stays an error when it looks like
 * a typo of one that the entry does not have.
 */
int attributes_read(const struct yaml *map, mode_t default_mode, struct object *out,
		    struct buf *ignored, struct err *err) MUST_CHECK;

/* Reads the short form "[type/]name[=path]". */
int attributes_read_short(const char *entry, mode_t default_mode, struct object *out,
			  struct err *err) MUST_CHECK;

/* Appends the object as a JSON map of attributes, which attributes_read() reads back as
 * the same object, whatever default_mode it is given then. */
void attributes_write(const struct object *o, struct buf *out);

#endif
