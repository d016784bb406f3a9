/*
 * yaml_write.h: texts to YAML that is JSON as well.  Pure.
 */
#ifndef CONFIG_YAML_WRITE_H
#define CONFIG_YAML_WRITE_H

#include "base/buf.h"
#include "config/yaml.h"

/*
 * Append a text, or the key of a map with its colon, in the form of JSON.  Unlike the
 * form that json_quote() makes, yaml_tree_load() reads it back exactly: YAML refuses some
 * characters that JSON allows, and takes others for ends of lines.  A key that is too
 * long for YAML's short form gets its '?', and the text is then no JSON.
 */
void yaml_write_text(struct buf *out, const char *text);
void yaml_write_key(struct buf *out, const char *key);

/* Appends a tree in the same form. */
void yaml_write_node(struct buf *out, const struct yaml *node);

#endif
