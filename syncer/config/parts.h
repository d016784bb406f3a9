/*
 * parts.h: the attribute jmesPath: which values inside the JSON text of a secret become
 * files, as the Secrets Store provider of AWS spells them:
 *
 *   jmesPath: [{path: username, objectAlias: db/user, filePermission: "0400"}]
 *
 * Pure.
 */
#ifndef CONFIG_PARTS_H
#define CONFIG_PARTS_H

#include "base/buf.h"
#include "config/object.h"
#include "config/yaml.h"

/* Adds the parts to the object.  A part without filePermission gets PARTS_MODE_OF_OBJECT,
 * which the caller replaces.  ignored: as of attributes_read().  ERR_CONFIG names the
 * part by its place in the list. */
#define PARTS_MODE_OF_OBJECT ((mode_t)-1)
int parts_read(const struct yaml *list, struct object *o, struct buf *ignored,
	       struct err *err) MUST_CHECK;

/* Appends the parts, if there are any, as a further member of a JSON map: parts_read()
 * reads its value back. */
void parts_write(const struct object *o, struct buf *out);

#endif
