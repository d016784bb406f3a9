#include "config/yaml.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/mem.h"
#include "base/text.h"

#define DEPTH_MAX 100
#define NODES_MAX 50000
#define MEMBERS_MAX 1000 /* of one map; each key is compared with all before it */
#define ANCHORS_MAX 1000
#define CORE_TAG "tag:yaml.org,2002:"

struct anchor {
	char *name;
	const struct yaml *node; /* NULL while it is being read */
};

struct reader {
	yaml_parser_t parser;
	yaml_event_t event; /* the current one */
	size_t nodes;
	size_t bytes; /* of all texts */
	struct anchor
		*anchors; /* of the current document; a later one of a name counts */
	size_t anchor_count;
	struct yaml *spare; /* nodes that are in no tree, but may have an anchor */
};

static int yaml_fail(const struct reader *r, struct err *err, const char *what)
{
	err_set(err, ERR_CONFIG, "YAML line %zu: %s", r->event.start_mark.line + 1, what);
	return -1;
}

static int next_event(struct reader *r, struct err *err)
{
	yaml_event_delete(&r->event);
	if (yaml_parser_parse(&r->parser, &r->event))
		return 0;
	memset(&r->event, 0, sizeof(r->event));
	return err_set(err, ERR_CONFIG, "YAML line %zu: %s",
		       r->parser.problem_mark.line + 1,
		       r->parser.problem ? r->parser.problem : "cannot be read");
}

static struct yaml *new_node(struct reader *r, enum yaml_type type)
{
	struct yaml *node = xcalloc(1, sizeof(*node));

	node->type = type;
	node->line = r->event.start_mark.line + 1;
	r->nodes++;
	return node;
}

static int check_bounds(const struct reader *r, int depth, struct err *err)
{
	if (depth > DEPTH_MAX || r->nodes > NODES_MAX || r->bytes > 2 * YAML_TEXT_MAX)
		return yaml_fail(r, err, "nested too deeply, or too long");
	return 0;
}

static void yaml_discard(struct reader *r, struct yaml *node)
{
	node->next = r->spare;
	r->spare = node;
}

/* ---- scalars ---- */

static bool is_tagged(const yaml_event_t *e, const char *tag)
{
	const char *has = (const char *)e->data.scalar.tag;

	return has != NULL && strcmp(has, tag) == 0;
}

static bool is_null(const yaml_event_t *e)
{
	static const char *const words[] = { "", "~", "null", "Null", "NULL" };

	if (!is_tagged(e, CORE_TAG "null") &&
	    (e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE ||
	     (e->data.scalar.tag && !is_tagged(e, "!"))))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp((const char *)e->data.scalar.value, words[i]) == 0)
			return true;
	return false;
}

static int read_scalar(struct reader *r, struct yaml **out, struct err *err)
{
	const yaml_event_t *e = &r->event;
	const char *value = (const char *)e->data.scalar.value;
	size_t len = e->data.scalar.length;
	auto_buf struct buf bytes = BUF_INIT(YAML_TEXT_MAX);
	struct err why;

	*out = new_node(r, YAML_SCALAR);
	if (is_tagged(e, CORE_TAG "binary")) {
		if (text_from_base64(value, len, &bytes, &why) < 0)
			return yaml_fail(r, err, "a !!binary is not base64");
		value = buf_str(&bytes);
		len = bytes.len;
	}
	if (strlen(value) != len)
		return yaml_fail(r, err, "a NUL character is not allowed");
	(*out)->null = is_null(e);
	(*out)->text = xstrdup((*out)->null ? "" : value);
	r->bytes += len;
	return 0;
}

/* ---- anchors and aliases ---- */

static const char *event_anchor(const yaml_event_t *e)
{
	if (e->type == YAML_SCALAR_EVENT)
		return (const char *)e->data.scalar.anchor;
	if (e->type == YAML_SEQUENCE_START_EVENT)
		return (const char *)e->data.sequence_start.anchor;
	if (e->type == YAML_MAPPING_START_EVENT)
		return (const char *)e->data.mapping_start.anchor;
	return NULL;
}

static int yaml_copy(struct reader *r, const struct yaml *from, int depth,
		     struct yaml **out, struct err *err)
{
	struct yaml *node, **tail;

	if (check_bounds(r, depth, err) < 0)
		return -1;
	*out = node = new_node(r, from->type);
	node->null = from->null;
	node->line = from->line;
	node->text = from->text ? xstrdup(from->text) : NULL;
	r->bytes += from->text ? strlen(from->text) : 0;
	tail = &node->first;
	for (const struct yaml *n = from->first; n; n = n->next, tail = &(*tail)->next) {
		if (yaml_copy(r, n, depth + 1, tail, err) < 0)
			return -1;
		(*tail)->key = n->key ? xstrdup(n->key) : NULL;
		r->bytes += n->key ? strlen(n->key) : 0;
	}
	return 0;
}

static int read_alias(struct reader *r, int depth, struct yaml **out, struct err *err)
{
	const char *name = (const char *)r->event.data.alias.anchor;
	size_t i = r->anchor_count;

	while (i > 0 && strcmp(r->anchors[i - 1].name, name) != 0)
		i--;
	if (i == 0)
		return yaml_fail(r, err, "an alias names an anchor that is not there");
	if (r->anchors[i - 1].node == NULL)
		return yaml_fail(r, err, "an alias stands inside of its own anchor");
	return yaml_copy(r, r->anchors[i - 1].node, depth, out, err);
}

static void forget_anchors(struct reader *r)
{
	while (r->anchor_count > 0)
		free(r->anchors[--r->anchor_count].name);
}

/* ---- lists and maps ---- */

static int read_node(struct reader *r, int depth, struct yaml **out, struct err *err);

static int read_list(struct reader *r, int depth, struct yaml *list, struct err *err)
{
	struct yaml **tail = &list->first;

	for (;;) {
		if (next_event(r, err) < 0)
			return -1;
		if (r->event.type == YAML_SEQUENCE_END_EVENT)
			return 0;
		if (read_node(r, depth + 1, tail, err) < 0)
			return -1;
		tail = &(*tail)->next;
	}
}

static bool is_merge_key(const yaml_event_t *e)
{
	return e->type == YAML_SCALAR_EVENT &&
	       (e->data.scalar.tag == NULL || is_tagged(e, CORE_TAG "merge")) &&
	       e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	       strcmp((const char *)e->data.scalar.value, "<<") == 0;
}

static int yaml_check_room(const struct reader *r, size_t count, struct err *err)
{
	if (count == MEMBERS_MAX)
		return yaml_fail(r, err, "a map has too many keys");
	return 0;
}

/* key: NULL for a merge key, which counts, too. */
static int check_key(const struct reader *r, const struct yaml *map, const char *key,
		     struct err *err)
{
	size_t count = 0;

	for (const struct yaml *n = map->first; n; n = n->next, count++)
		if (key && n->key && strcmp(n->key, key) == 0)
			return err_set(err, ERR_CONFIG,
				       "YAML line %zu: key '%.80s' stands twice",
				       r->event.start_mark.line + 1, key);
	return yaml_check_room(r, count, err);
}

/* The key at the current event; NULL for a merge key. */
static int read_key(struct reader *r, int depth, const struct yaml *map, char **out,
		    struct err *err)
{
	bool has_anchor = event_anchor(&r->event) != NULL;
	const char *name = NULL;
	struct yaml *key = NULL;
	int result;

	*out = NULL;
	if (is_merge_key(&r->event))
		return check_key(r, map, NULL, err);
	result = read_node(r, depth + 1, &key, err);
	if (result == 0 && key->type != YAML_SCALAR)
		result = yaml_fail(r, err, "a key must be plain text");
	/* A null is as good a name as another. */
	if (result == 0)
		name = key->null && r->event.type == YAML_SCALAR_EVENT
			       ? (const char *)r->event.data.scalar.value
			       : key->text;
	if (result == 0)
		result = check_key(r, map, name, err);
	if (result == 0)
		*out = xstrdup(name);
	if (key != NULL && has_anchor) {
		yaml_discard(r, key);
	} else {
		r->nodes -= key != NULL;
		yaml_tree_free(key);
	}
	return result;
}

/* Copies the members of a map that the other has not. */
static int merge_members(struct reader *r, int depth, struct yaml *map,
			 const struct yaml *from, struct err *err)
{
	if (from->type != YAML_MAP)
		return err_set(err, ERR_CONFIG,
			       "YAML line %zu: '<<' wants a map, or a list of maps",
			       from->line);
	for (const struct yaml *n = from->first; n; n = n->next) {
		struct yaml **tail = &map->first;
		size_t count = 0;

		if (yaml_member(map, n->key) != NULL)
			continue;
		for (; *tail != NULL; count++)
			tail = &(*tail)->next;
		if (yaml_check_room(r, count, err) < 0 ||
		    yaml_copy(r, n, depth + 1, tail, err) < 0)
			return -1;
		(*tail)->key = xstrdup(n->key);
	}
	return 0;
}

static int merge_value(struct reader *r, int depth, struct yaml *map,
		       const struct yaml *from, struct err *err)
{
	if (from->type != YAML_LIST)
		return merge_members(r, depth, map, from, err);
	for (const struct yaml *item = from->first; item; item = item->next)
		if (merge_members(r, depth, map, item, err) < 0)
			return -1;
	return 0;
}

/* Until here, what is merged stands in the map without a key. */
static int merge_all(struct reader *r, int depth, struct yaml *map, struct err *err)
{
	for (struct yaml **at = &map->first; *at != NULL;) {
		struct yaml *from = *at;

		if (from->key != NULL) {
			at = &from->next;
			continue;
		}
		*at = from->next;
		yaml_discard(r, from);
		if (merge_value(r, depth, map, from, err) < 0)
			return -1;
	}
	return 0;
}

static int read_map(struct reader *r, int depth, struct yaml *map, struct err *err)
{
	struct yaml **tail = &map->first;

	for (;;) {
		auto_free char *key = NULL;
		struct yaml *node = NULL;
		int result;

		if (next_event(r, err) < 0)
			return -1;
		if (r->event.type == YAML_MAPPING_END_EVENT)
			return merge_all(r, depth, map, err);
		if (read_key(r, depth, map, &key, err) < 0 || next_event(r, err) < 0)
			return -1;
		result = read_node(r, depth + 1, &node, err);
		*tail = node;
		if (result < 0)
			return -1;
		node->key = key;
		key = NULL;
		tail = &node->next;
	}
}

static int read_content(struct reader *r, int depth, struct yaml **out, struct err *err)
{
	switch (r->event.type) {
	case YAML_SCALAR_EVENT:
		return read_scalar(r, out, err);
	case YAML_SEQUENCE_START_EVENT:
		*out = new_node(r, YAML_LIST);
		return read_list(r, depth, *out, err);
	case YAML_MAPPING_START_EVENT:
		*out = new_node(r, YAML_MAP);
		return read_map(r, depth, *out, err);
	case YAML_ALIAS_EVENT:
		return read_alias(r, depth, out, err);
	default:
		return yaml_fail(r, err, "a value is missing");
	}
}

/* Reads the node that starts at the current event; *out is linked even when a part of it
 * fails, so that the root frees all. */
static int read_node(struct reader *r, int depth, struct yaml **out, struct err *err)
{
	const char *anchor = event_anchor(&r->event);
	size_t own = r->anchor_count;

	if (check_bounds(r, depth, err) < 0)
		return -1;
	if (anchor == NULL)
		return read_content(r, depth, out, err);
	if (own == ANCHORS_MAX)
		return yaml_fail(r, err, "there are too many anchors");
	r->anchors = xgrow(r->anchors, own, sizeof(*r->anchors));
	r->anchors[r->anchor_count++] = (struct anchor){ .name = xstrdup(anchor) };
	if (read_content(r, depth, out, err) < 0)
		return -1;
	r->anchors[own].node = *out;
	return 0;
}

/* ---- documents ---- */

static int read_documents(struct reader *r, struct yaml **out, struct err *err)
{
	struct yaml **tail = out;

	if (next_event(r, err) < 0) /* the start of the stream */
		return -1;
	for (;;) {
		if (next_event(r, err) < 0)
			return -1;
		if (r->event.type == YAML_STREAM_END_EVENT)
			break;
		if (next_event(r, err) < 0 || read_node(r, 0, tail, err) < 0 ||
		    next_event(r, err) < 0) /* the end of the document */
			return -1;
		forget_anchors(r);
		if (!(*tail)->null) {
			tail = &(*tail)->next;
			continue;
		}
		yaml_discard(r, *tail);
		*tail = NULL;
	}
	return *out ? 0 : yaml_fail(r, err, "it is empty");
}

int yaml_tree_load(const char *text, size_t len, struct yaml **out, struct err *err)
{
	struct reader r = { 0 };
	struct yaml *first = NULL;
	int result;

	if (len > YAML_TEXT_MAX)
		return err_set(err, ERR_CONFIG, "YAML is larger than %d bytes",
			       YAML_TEXT_MAX);
	if (!yaml_parser_initialize(&r.parser))
		abort();
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, len);
	result = read_documents(&r, &first, err);
	yaml_event_delete(&r.event);
	yaml_parser_delete(&r.parser);
	forget_anchors(&r);
	free(r.anchors);
	yaml_tree_free(r.spare);
	if (result < 0)
		yaml_tree_free(first);
	else
		*out = first;
	return result;
}

struct yaml *yaml_member(const struct yaml *map, const char *key)
{
	struct yaml *n = map != NULL && map->type == YAML_MAP ? map->first : NULL;

	while (n != NULL && (n->key == NULL || strcmp(n->key, key) != 0))
		n = n->next;
	return n;
}

const char *yaml_member_text(const struct yaml *map, const char *key)
{
	const struct yaml *n = yaml_member(map, key);

	return n != NULL && n->type == YAML_SCALAR ? n->text : "";
}

void yaml_tree_free(struct yaml *node)
{
	while (node != NULL) {
		struct yaml *next = node->next;

		yaml_tree_free(node->first);
		free(node->key);
		free(node->text);
		free(node);
		node = next;
	}
}
