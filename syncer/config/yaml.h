/*
 * yaml.h: bytes to small trees.  Pure.  The only reader of YAML (and
 * so of JSON) that people write; owns libyaml.
 *
 * Scalars keep their text: 0755, 1e5 and yes are what was typed, since every field has
 * its own strict parser.  Anchors, aliases, merge keys (<<) and tags mean what they mean
 * to the Go library yaml.v3, with which the CSI provider reads its objects: an alias is a
 * copy of its anchor's node, the keys of a map win over those that are merged into it,
 * !!binary is base64, and other tags change nothing but that !!str null is a text.
 * Refuses duplicate keys, and keys that are no scalars.  The depth, the nodes and the
 * bytes are bounded with all copies, so a text cannot grow by its aliases.
 */
#ifndef CONFIG_YAML_H
#define CONFIG_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* A longer text is refused. */
#define YAML_TEXT_MAX (1024 * 1024)

enum yaml_type { YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml {
	enum yaml_type type;
	char *key;          /* in its map; NULL elsewhere */
	char *text;         /* of a scalar; of a null it is "" */
	bool null;          /* a scalar that was left out, or is a plain ~ or null */
	size_t line;        /* 1 for the first */
	struct yaml *first; /* of a list or map */
	struct yaml *next;  /* beside it; of a document: the next one */
};

/*
 * Reads all documents of the text; those that hold nothing are left out, and the first of
 * the others is the result.  ERR_CONFIG with the line, also when there is none.
 * yaml_tree_free() the result; NULL is fine there.  (The names yaml_load and yaml_free
 * would stand in for functions inside the library.)
 */
int yaml_tree_load(const char *text, size_t len, struct yaml **out,
		   struct err *err) MUST_CHECK;
void yaml_tree_free(struct yaml *node);

/* What stands in a map under a key; NULL when nothing does, or when it is no map. */
struct yaml *yaml_member(const struct yaml *map, const char *key);

/* The text of such a member; "" when there is none, or when it is no scalar. */
const char *yaml_member_text(const struct yaml *map, const char *key);

#endif
