/*
 * tags.h: the attribute tags: which tags a selected object has.  Pure.
 */
#ifndef CONFIG_TAGS_H
#define CONFIG_TAGS_H

#include "base/buf.h"
#include "config/object.h"
#include "config/yaml.h"

/* Adds the tags to the object.  ERR_CONFIG: they are no map of texts, or too many. */
int tags_read(const struct yaml *map, struct object *o, struct err *err) MUST_CHECK;

/* Appends the tags, if there are any, as a further member of a JSON map: tags_read()
 * reads its value back. */
void tags_write(const struct object *o, struct buf *out);

#endif
