#include "config/yaml.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/mem.h"
#include "base/text.h"

#define DEPTH_MAX 16
#define NODES_MAX 50000
/* libyaml wants the colon of a key without '?' within 1024 characters. */
#define SHORT_KEY_MAX 1000

struct reader {
	yaml_parser_t parser;
	yaml_event_t event; /* the current one */
	size_t nodes;
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

static bool is_null(const yaml_event_t *e)
{
	const char *s = (const char *)e->data.scalar.value;

	return e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	       (strcmp(s, "~") == 0 || strcmp(s, "null") == 0);
}

static struct yaml *new_node(struct reader *r, enum yaml_type type)
{
	struct yaml *node = xcalloc(1, sizeof(*node));

	node->type = type;
	node->line = r->event.start_mark.line + 1;
	r->nodes++;
	return node;
}

/* Of a value or a key. */
static int check_scalar(const struct reader *r, struct err *err)
{
	const yaml_event_t *e = &r->event;

	if (e->data.scalar.anchor || e->data.scalar.tag)
		return yaml_fail(r, err, "anchors and tags are not supported here");
	if (strlen((const char *)e->data.scalar.value) != e->data.scalar.length)
		return yaml_fail(r, err, "a NUL character is not allowed");
	return 0;
}

static int read_scalar(struct reader *r, struct yaml **out, struct err *err)
{
	const yaml_event_t *e = &r->event;

	if (check_scalar(r, err) < 0)
		return -1;
	*out = new_node(r, YAML_SCALAR);
	(*out)->text = xstrdup(is_null(e) ? "" : (const char *)e->data.scalar.value);
	return 0;
}

static int read_node(struct reader *r, int depth, struct yaml **out, struct err *err);

static int read_list(struct reader *r, int depth, struct yaml *list, struct err *err)
{
	struct yaml **tail = &list->first;

	if (r->event.data.sequence_start.anchor || r->event.data.sequence_start.tag)
		return yaml_fail(r, err, "anchors and tags are not supported here");
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

static int check_key(const struct reader *r, const struct yaml *map, struct err *err)
{
	const char *key = (const char *)r->event.data.scalar.value;

	if (r->event.type != YAML_SCALAR_EVENT)
		return yaml_fail(r, err, "a key must be plain text");
	if (check_scalar(r, err) < 0)
		return -1;
	for (const struct yaml *n = map->first; n; n = n->next)
		if (n->key && strcmp(n->key, key) == 0)
			return err_set(err, ERR_CONFIG,
				       "YAML line %zu: key '%.80s' stands twice",
				       r->event.start_mark.line + 1, key);
	return 0;
}

static int read_map(struct reader *r, int depth, struct yaml *map, struct err *err)
{
	struct yaml **tail = &map->first;

	if (r->event.data.mapping_start.anchor || r->event.data.mapping_start.tag)
		return yaml_fail(r, err, "anchors and tags are not supported here");
	for (;;) {
		auto_free char *key = NULL;
		struct yaml *node = NULL;

		if (next_event(r, err) < 0)
			return -1;
		if (r->event.type == YAML_MAPPING_END_EVENT)
			return 0;
		if (check_key(r, map, err) < 0)
			return -1;
		key = xstrdup((const char *)r->event.data.scalar.value);
		if (next_event(r, err) < 0 || read_node(r, depth + 1, &node, err) < 0) {
			*tail = node;
			return -1;
		}
		*tail = node;
		node->key = key;
		key = NULL;
		tail = &node->next;
	}
}

/* Reads the node that starts at the current event; *out is linked even when a part of it
 * fails, so that the root frees all. */
static int read_node(struct reader *r, int depth, struct yaml **out, struct err *err)
{
	if (depth > DEPTH_MAX || r->nodes > NODES_MAX)
		return yaml_fail(r, err, "nested too deeply, or too long");
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
		return yaml_fail(r, err, "aliases are not supported here");
	default:
		return yaml_fail(r, err, "a value is missing");
	}
}

static int skip_events(struct reader *r, int count, struct err *err)
{
	while (count-- > 0)
		if (next_event(r, err) < 0)
			return -1;
	return 0;
}

static int read_document(struct reader *r, struct yaml **root, struct err *err)
{
	if (skip_events(r, 2, err) < 0) /* nothing, then the start of the stream */
		return -1;
	if (r->event.type != YAML_DOCUMENT_START_EVENT)
		return yaml_fail(r, err, "it is empty");
	if (next_event(r, err) < 0 || read_node(r, 0, root, err) < 0)
		return -1;
	if (skip_events(r, 2, err) < 0) /* the node's end, then the document's */
		return -1;
	if (r->event.type != YAML_STREAM_END_EVENT)
		return yaml_fail(r, err, "only one document is allowed");
	return 0;
}

int yaml_tree_load(const char *text, size_t len, struct yaml **out, struct err *err)
{
	struct reader r = { 0 };
	struct yaml *root = NULL;
	int result;

	if (len > YAML_TEXT_MAX)
		return err_set(err, ERR_CONFIG, "YAML is larger than %d bytes",
			       YAML_TEXT_MAX);
	if (!yaml_parser_initialize(&r.parser))
		abort();
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, len);
	result = read_document(&r, &root, err);
	yaml_event_delete(&r.event);
	yaml_parser_delete(&r.parser);
	if (result < 0)
		yaml_tree_free(root);
	else
		*out = root;
	return result;
}

const char *yaml_start(const char *text)
{
	for (;;) {
		text += strspn(text, " \t\r\n");
		if (*text != '#')
			return text;
		text += strcspn(text, "\n");
	}
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

/* ---- writing ---- */

static uint32_t code_point(const char *text, size_t len)
{
	static const unsigned char masks[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	uint32_t code = (unsigned char)text[0] & masks[len];

	for (size_t i = 1; i < len; i++)
		code = code << 6 | ((unsigned char)text[i] & 0x3f);
	return code;
}

/* YAML 1.1, section 5.1, without line breaks, and without what is special in quotes. */
static bool is_plain(uint32_t code)
{
	if (code == '"' || code == '\\')
		return false;
	return (code >= 0x20 && code <= 0x7e) || (code >= 0xa0 && code <= 0x2027) ||
	       (code >= 0x202a && code <= 0xd7ff) ||
	       (code >= 0xe000 && code <= 0xfffd && code != 0xfeff) || code >= 0x10000;
}

/* How many bytes stand for themselves. */
static size_t plain_length(const char *text)
{
	size_t plain = 0, len;

	while (text[plain] != '\0') {
		len = text_utf8_length(text + plain);
		if (len == 0 || !is_plain(code_point(text + plain, len)))
			break;
		plain += len;
	}
	return plain;
}

void yaml_write_text(struct buf *out, const char *text)
{
	buf_text(out, "\"");
	while (*text != '\0') {
		size_t plain = plain_length(text);
		size_t len = text_utf8_length(text + plain);

		buf_printf(out, "%.*s", (int)plain, text);
		text += plain;
		if (*text == '\0')
			break;
		/* What is not UTF-8 becomes U+FFFD. */
		buf_printf(out, "\\u%04x", len > 0 ? code_point(text, len) : 0xfffd);
		text += len > 0 ? len : 1;
	}
	buf_text(out, "\"");
}

void yaml_write_key(struct buf *out, const char *key)
{
	auto_buf struct buf quoted = BUF_INIT(out->max);

	yaml_write_text(&quoted, key);
	buf_printf(out, "%s%s:", quoted.len > SHORT_KEY_MAX ? "? " : "",
		   buf_str(&quoted));
}
