#include "config/objects.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "config/attributes.h"
#include "config/path.h"
#include "config/yaml.h"
#include "config/yaml_write.h"

/* Of what is told of a list. */
#define NOTES_MAX 2000

_Static_assert(OBJECT_HISTORY_MAX <= OBJECTS_MAX, "a history fits into a list");

static void objects_add(struct objects *all, const struct object *o)
{
	all->items = xgrow(all->items, all->count, sizeof(*all->items));
	all->items[all->count++] = *o;
}

static int parse_short(struct objects *all, const char *text, mode_t mode,
		       struct err *err)
{
	auto_free char *copy = xstrdup(text);
	char *rest = copy, *piece;

	while ((piece = strsep(&rest, ",\n")) != NULL) {
		struct object o;

		piece = text_trim(piece);
		if (*piece == '\0')
			continue;
		if (attributes_read_short(piece, mode, &o, err) < 0)
			return err_wrap(err, "object %zu", all->count + 1);
		o.place = all->count + 1;
		objects_add(all, &o);
	}
	return 0;
}

/* ---- YAML ---- */

/* Where the next one of several notes goes. */
static struct buf *objects_note(struct buf *notes)
{
	buf_text(notes, notes->len ? ", " : "");
	return notes;
}

/* An entry of the provider's form: a string that is YAML of its own. */
static int parse_inner(const struct yaml *item, mode_t mode, struct object *out,
		       struct buf *ignored, struct err *err)
{
	struct yaml *map = NULL;
	int result;

	if (item->type != YAML_SCALAR)
		return attributes_read(item, mode, out, ignored, err);
	if (yaml_tree_load(item->text, strlen(item->text), &map, err) < 0)
		return -1;
	result = attributes_read(map, mode, out, ignored, err);
	if (map->next != NULL && ignored != NULL)
		buf_text(objects_note(ignored), "what follows the first document");
	yaml_tree_free(map);
	return result;
}

/* pasted: it is the provider's, with what that ignores. */
static int parse_list(struct objects *all, const struct yaml *list, bool pasted,
		      mode_t mode, struct err *err)
{
	size_t place = 0;

	for (const struct yaml *item = list->first; item; item = item->next) {
		auto_buf struct buf ignored = BUF_INIT(NOTES_MAX);
		struct object o;

		place++;
		if (pasted && item->null) {
			buf_printf(objects_note(&all->ignored),
				   "object %zu, which is empty", place);
			continue;
		}
		if (parse_inner(item, mode, &o, pasted ? &ignored : NULL, err) < 0)
			return err_wrap(err, "object %zu", place);
		o.place = place;
		if (ignored.len > 0)
			buf_printf(objects_note(&all->ignored), "%s of object %zu ('%s')",
				   buf_str(&ignored), place, o.name ? o.name : "");
		objects_add(all, &o);
	}
	return 0;
}

static int parse_tree(struct objects *all, const struct yaml *root, mode_t mode,
		      struct err *err)
{
	const struct yaml *array = yaml_member(root, "array");

	if (root->next != NULL)
		buf_text(objects_note(&all->ignored), "what follows the first document");
	if (root->type == YAML_LIST)
		return parse_list(all, root, false, mode, err);
	if (array == NULL || (array->type != YAML_LIST && !array->null))
		return err_set(
			err, ERR_CONFIG,
			"the YAML must be a list of maps, or 'array:' with a list");
	for (const struct yaml *node = root->first; node; node = node->next)
		if (node != array)
			buf_printf(objects_note(&all->ignored), "%s beside array",
				   node->key);
	return parse_list(all, array, true, mode, err);
}

/* An entry of the short form that reads as a map has its colon behind a '='. */
static bool is_yaml(const struct yaml *root)
{
	if (root->type == YAML_MAP)
		return root->first == NULL || strchr(root->first->key, '=') == NULL ||
		       yaml_member(root, "array") != NULL;
	return root->type == YAML_LIST;
}

/* Of a text that YAML refuses: whether it starts with something else than
 * "[type/]name". */
static bool looks_like_yaml(const char *s)
{
	for (s += strspn(s, " \t\r\n"); *s == '#'; s += strspn(s, " \t\r\n"))
		s += strcspn(s, "\n");
	if (text_starts(s, "---"))
		return true;
	s += strspn(s,
		    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-/");
	s += strspn(s, " \t");
	return strchr("=,\r\n", *s) == NULL;
}

/* ---- rules that span entries ---- */

/* A path that an entry certainly takes. */
struct claim {
	char *path;
	size_t entry;
};

struct claims {
	struct claim *items;
	size_t count;
};

static void claim(struct claims *all, size_t entry, const char *path, const char *suffix)
{
	all->items = xgrow(all->items, all->count, sizeof(*all->items));
	all->items[all->count++] =
		(struct claim){ .path = xasprintf("%s%s", path, suffix), .entry = entry };
}

static void claim_all(struct claims *all, const struct object *o, size_t entry)
{
	if (object_selects(o))
		return;
	for (size_t i = 0; i < o->part_count; i++)
		claim(all, entry, o->parts[i].path, "");
	if (!o->without_whole)
		claim(all, entry, o->path, "");
	if (o->history > 0)
		return; /* all are in that folder */
	if (o->layout == OBJECT_SPLIT) {
		claim(all, entry, o->path, ".crt");
		claim(all, entry, o->path, ".key");
	}
	if (o->metadata)
		claim(all, entry, o->path, ".json");
}

/* In the order of the paths, a folder right before what is in it. */
static int claim_order(const void *a, const void *b)
{
	const struct claim *left = a, *right = b;
	const unsigned char *l = (const unsigned char *)left->path;
	const unsigned char *r = (const unsigned char *)right->path;

	while (*l == *r && *l != '\0') {
		l++;
		r++;
	}
	if (*l == *r)
		return left->entry < right->entry ? -1 : left->entry > right->entry;
	/* The end of a path comes first, then '/', then all else. */
	return (*l == '/' ? 1 : *l ? *l + 1 : 0) - (*r == '/' ? 1 : *r ? *r + 1 : 0);
}

static int check_pair(const struct objects *all, const struct claim *claim_a,
		      const struct claim *claim_b, struct err *err)
{
	const struct object *a = &all->items[claim_a->entry];
	const struct object *b = &all->items[claim_b->entry];

	if (!path_collides(claim_a->path, claim_b->path))
		return 0;
	if (a == b)
		return err_set(err, ERR_CONFIG,
			       "object %zu ('%s') has two files that are in each other's "
			       "way, '%.100s' and '%.100s'; give one of them another "
			       "objectAlias",
			       a->place, a->name, claim_a->path, claim_b->path);
	if (strcmp(claim_a->path, claim_b->path) == 0)
		return err_set(
			err, ERR_CONFIG,
			"object %zu ('%s') and object %zu ('%s') both go to the path "
			"'%.100s'; give one of them another objectAlias",
			a->place, a->name, b->place, b->name, claim_b->path);
	return err_set(err, ERR_CONFIG,
		       "object %zu ('%s') and object %zu ('%s') cannot both be written: "
		       "path '%.100s' is in the way of '%.100s'; give one of them "
		       "another objectAlias",
		       a->place, a->name, b->place, b->name, claim_a->path,
		       claim_b->path);
}

static int check_paths(const struct objects *all, struct err *err)
{
	struct claims claims = { 0 };
	int result = 0;

	for (size_t i = 0; i < all->count; i++)
		claim_all(&claims, &all->items[i], i);
	if (claims.count > 0)
		qsort(claims.items, claims.count, sizeof(*claims.items), claim_order);
	for (size_t i = 1; i < claims.count && result == 0; i++)
		result = check_pair(all, &claims.items[i - 1], &claims.items[i], err);
	for (size_t i = 0; i < claims.count; i++)
		free(claims.items[i].path);
	free(claims.items);
	return result;
}

static int check_count(const struct objects *all, struct err *err)
{
	if (all->count == 0)
		return err_set(err, ERR_CONFIG,
			       "the list is empty; name at least one object, such as "
			       "'db-password'");
	if (all->count > OBJECTS_MAX)
		return err_set(err, ERR_CONFIG,
			       "the list has %zu objects; at most %d are allowed",
			       all->count, OBJECTS_MAX);
	return 0;
}

/* Charts repeat what several of their parts need. */
static void drop_repeated(struct objects *all)
{
	auto_free uint64_t *numbers = xcalloc(all->count, sizeof(*numbers));
	size_t kept = 0;

	for (size_t i = 0; i < all->count; i++) {
		struct object o = all->items[i];
		uint64_t number = object_fingerprint(&o);
		size_t earlier = 0;

		while (earlier < kept && numbers[earlier] != number)
			earlier++;
		if (earlier < kept) {
			buf_printf(objects_note(&all->repeated), "object %zu ('%s')",
				   o.place, o.name ? o.name : "");
			object_done(&o);
			continue;
		}
		numbers[kept] = number;
		all->items[kept++] = o;
	}
	all->count = kept;
}

static int parse(struct objects *all, const char *text, mode_t mode, struct err *err)
{
	struct yaml *root = NULL;
	int result = yaml_tree_load(text, strlen(text), &root, err);

	if (result < 0 ? !looks_like_yaml(text) : !is_yaml(root))
		result = parse_short(all, text, mode, err);
	else if (result == 0)
		result = parse_tree(all, root, mode, err);
	yaml_tree_free(root);
	return result;
}

int objects_parse(struct objects *out, const char *text, mode_t default_mode,
		  struct err *err)
{
	struct objects all = { .ignored = BUF_INIT(NOTES_MAX),
			       .repeated = BUF_INIT(NOTES_MAX) };

	int result = parse(&all, text, default_mode, err);

	if (result == 0)
		result = check_count(&all, err);
	if (result == 0) {
		drop_repeated(&all);
		result = check_paths(&all, err);
	}
	if (result < 0) {
		objects_done(&all);
		return err_wrap(err, "AKVSYNC_OBJECTS");
	}
	*out = all;
	return 0;
}

void objects_done(struct objects *o)
{
	for (size_t i = 0; i < o->count; i++)
		object_done(&o->items[i]);
	free(o->items);
	templates_done(&o->templates);
	buf_done(&o->ignored);
	buf_done(&o->repeated);
	*o = (struct objects){ 0 };
}

/* ---- the list as a whole ---- */

/* 0 when there is none, so that an upgrade knows the lists of before. */
static uint64_t objects_templates_number(const struct objects *o)
{
	auto_buf struct buf text = BUF_INIT(TEMPLATES_MAX * 4 * TEMPLATES_TEXT_MAX);

	if (o->templates.count == 0)
		return 0;
	templates_write(&o->templates, false, &text);
	templates_write(&o->templates, true, &text);
	return text_hash(TEXT_HASH, buf_str(&text));
}

uint64_t objects_number(const struct objects *o)
{
	uint64_t sum = 0;

	/* A sum, so that the order of the list does not count. */
	for (size_t i = 0; i < o->count; i++)
		sum += object_fingerprint(&o->items[i]);
	sum += objects_templates_number(o);
	return sum >> 1 ? sum >> 1 : 1;
}

static void objects_write_list(const struct objects *o, struct buf *out)
{
	for (size_t i = 0; i < o->count; i++) {
		buf_text(out, i ? "," : "[");
		attributes_write(&o->items[i], out);
	}
	buf_text(out, o->count ? "]" : "[]");
}

void objects_write(const struct objects *o, struct buf *out)
{
	if (o->templates.count == 0) {
		objects_write_list(o, out);
		return;
	}
	buf_text(out, "{\"objects\":");
	objects_write_list(o, out);
	buf_text(out, ",\"templates\":");
	templates_write(&o->templates, false, out);
	buf_text(out, ",\"envFiles\":");
	templates_write(&o->templates, true, out);
	buf_text(out, "}");
}

/* The part of the text under one key, as text of its own; the caller frees.  NULL: there
 * is none. */
static char *objects_part(const struct yaml *root, const char *key)
{
	const struct yaml *node = yaml_member(root, key);
	auto_buf struct buf out = BUF_INIT(OBJECTS_TEXT_MAX);

	if (node == NULL)
		return NULL;
	yaml_write_node(&out, node);
	return xstrdup(buf_str(&out));
}

/* The text of a template that is remembered stands in the list. */
static int objects_check_texts(const struct templates *all, struct err *err)
{
	for (size_t i = 0; i < all->count; i++)
		if (!templates_is_env(&all->items[i]) && all->items[i].text == NULL)
			return err_set(err, ERR_CONFIG, "template '%.200s' has no text",
				       all->items[i].path);
	return 0;
}

static int objects_read_parts(struct objects *out, const struct yaml *root, mode_t mode,
			      struct err *err)
{
	auto_free char *list = objects_part(root, "objects");
	auto_free char *templates = objects_part(root, "templates");
	auto_free char *env_files = objects_part(root, "envFiles");

	if (objects_parse(out, list ? list : "", mode, err) < 0)
		return -1;
	if (templates_read(&out->templates, templates, mode, err) == 0 &&
	    templates_read_env_files(&out->templates, env_files, mode, err) == 0 &&
	    objects_check_texts(&out->templates, err) == 0)
		return 0;
	objects_done(out);
	return -1;
}

int objects_read_back(struct objects *out, const char *text, mode_t default_mode,
		      struct err *err)
{
	struct yaml *root = NULL;
	int result;

	if (yaml_tree_load(text, strlen(text), &root, err) < 0)
		return -1;
	result = root->type == YAML_MAP ? objects_read_parts(out, root, default_mode, err)
					: objects_parse(out, text, default_mode, err);
	yaml_tree_free(root);
	return result;
}
