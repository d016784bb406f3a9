/*
 * yaml.h: bytes to a small tree, and texts to YAML.  Pure.  The only reader of YAML (and
 * so of JSON) that people write; owns libyaml.
 *
 * Scalars keep their text: 0755, 1e5, yes and null are what was typed, since every field
 * has its own strict parser.  Refuses what a list of objects never needs: anchors,
 * aliases, tags, several documents, duplicate keys, deep nesting.
 */
#ifndef CONFIG_YAML_H
#define CONFIG_YAML_H

#include <stddef.h>

#include "base/buf.h"

/* A longer text is refused. */
#define YAML_TEXT_MAX (1024 * 1024)

enum yaml_type { YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml {
	enum yaml_type type;
	char *key;          /* in its map; NULL elsewhere */
	char *text;         /* of a scalar; a plain null or ~ is "" */
	size_t line;        /* 1 for the first */
	struct yaml *first; /* of a list or map */
	struct yaml *next;  /* beside it */
};

/* ERR_CONFIG with the line.  yaml_tree_free() the result; NULL is fine there.  (The names
 * yaml_load and yaml_free would stand in for functions inside the library.) */
int yaml_tree_load(const char *text, size_t len, struct yaml **out,
		   struct err *err) MUST_CHECK;
void yaml_tree_free(struct yaml *node);

/* The first text of a document that is neither blank nor a comment. */
const char *yaml_start(const char *text);

/*
 * Append a text, or the key of a map with its colon, in the form of JSON.  Unlike the
 * form that json_quote() makes, yaml_tree_load() reads it back exactly: YAML refuses some
 * characters that JSON allows, and takes others for ends of lines.  A key that is too
 * long for YAML's short form gets its '?', and the text is then no JSON.
 */
void yaml_write_text(struct buf *out, const char *text);
void yaml_write_key(struct buf *out, const char *key);

#endif
