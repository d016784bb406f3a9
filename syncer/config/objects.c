#include "config/objects.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "config/attributes.h"
#include "config/path.h"
#include "config/yaml.h"

_Static_assert(OBJECT_HISTORY_MAX <= OBJECTS_MAX, "a history fits into a list");

static void objects_add(struct objects *all, const struct object *o)
{
	all->items = xgrow(all->items, all->count, sizeof(*all->items));
	all->items[all->count++] = *o;
}

static int wrap_entry(struct err *err, size_t number)
{
	return err_wrap(err, "object %zu", number);
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
			return wrap_entry(err, all->count + 1);
		objects_add(all, &o);
	}
	return 0;
}

/* An entry of the provider's form: a string that is YAML of its own. */
static int parse_inner(const struct yaml *item, mode_t mode, struct object *out,
		       struct err *err)
{
	struct yaml *map = NULL;
	int result;

	if (item->type != YAML_SCALAR)
		return attributes_read(item, mode, out, err);
	if (yaml_tree_load(item->text, strlen(item->text), &map, err) < 0)
		return -1;
	result = attributes_read(map, mode, out, err);
	yaml_tree_free(map);
	return result;
}

static int parse_list(struct objects *all, const struct yaml *list, mode_t mode,
		      struct err *err)
{
	for (const struct yaml *item = list->first; item; item = item->next) {
		struct object o;

		if (parse_inner(item, mode, &o, err) < 0)
			return wrap_entry(err, all->count + 1);
		objects_add(all, &o);
	}
	return 0;
}

static int parse_tree(struct objects *all, const struct yaml *root, mode_t mode,
		      struct err *err)
{
	const struct yaml *array = root->first;

	if (root->type == YAML_LIST)
		return parse_list(all, root, mode, err);
	if (root->type != YAML_MAP || array == NULL || strcmp(array->key, "array") != 0 ||
	    array->next != NULL || array->type != YAML_LIST)
		return err_set(
			err, ERR_CONFIG,
			"the YAML must be a list of maps, or 'array:' with a list");
	return parse_list(all, array, mode, err);
}

static bool is_yaml(const char *text)
{
	text = yaml_start(text);
	return text_starts(text, "array:") || text_starts(text, "- ") ||
	       text_starts(text, "-\n") || text_starts(text, "[");
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

static int check_pair(const struct objects *all, const struct claim *a,
		      const struct claim *b, struct err *err)
{
	if (a->entry == b->entry || !path_collides(a->path, b->path))
		return 0;
	if (strcmp(a->path, b->path) == 0)
		return err_set(
			err, ERR_CONFIG,
			"object %zu ('%s') and object %zu ('%s') both go to the path "
			"'%.100s'; give one of them another objectAlias",
			a->entry + 1, all->items[a->entry].name, b->entry + 1,
			all->items[b->entry].name, b->path);
	return err_set(err, ERR_CONFIG,
		       "object %zu ('%s') and object %zu ('%s') cannot both be written: "
		       "path '%.100s' is in the way of '%.100s'; give one of them "
		       "another objectAlias",
		       a->entry + 1, all->items[a->entry].name, b->entry + 1,
		       all->items[b->entry].name, a->path, b->path);
}

static int check_paths(const struct objects *all, struct err *err)
{
	struct claims claims = { 0 };
	int result = 0;

	for (size_t i = 0; i < all->count; i++)
		claim_all(&claims, &all->items[i], i);
	for (size_t b = 0; b < claims.count && result == 0; b++)
		for (size_t a = 0; a < b && result == 0; a++)
			result = check_pair(all, &claims.items[a], &claims.items[b], err);
	for (size_t i = 0; i < claims.count; i++)
		free(claims.items[i].path);
	free(claims.items);
	return result;
}

static int check_list(const struct objects *all, struct err *err)
{
	if (all->count == 0)
		return err_set(err, ERR_CONFIG,
			       "the list is empty; name at least one object, such as "
			       "'db-password'");
	if (all->count > OBJECTS_MAX)
		return err_set(err, ERR_CONFIG,
			       "the list has %zu objects; at most %d are allowed",
			       all->count, OBJECTS_MAX);
	return check_paths(all, err);
}

static int parse(struct objects *all, const char *text, mode_t mode, struct err *err)
{
	struct yaml *root = NULL;
	int result;

	if (!is_yaml(text))
		return parse_short(all, text, mode, err);
	if (yaml_tree_load(text, strlen(text), &root, err) < 0)
		return -1;
	result = parse_tree(all, root, mode, err);
	yaml_tree_free(root);
	return result;
}

int objects_parse(struct objects *out, const char *text, mode_t default_mode,
		  struct err *err)
{
	struct objects all = { 0 };

	if (parse(&all, text, default_mode, err) < 0 || check_list(&all, err) < 0) {
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
	*o = (struct objects){ 0 };
}

/* ---- the list as a whole ---- */

uint64_t objects_number(const struct objects *o)
{
	uint64_t sum = 0;

	/* A sum, so that the order of the list does not count. */
	for (size_t i = 0; i < o->count; i++)
		sum += object_fingerprint(&o->items[i]);
	return sum >> 1 ? sum >> 1 : 1;
}

void objects_write(const struct objects *o, struct buf *out)
{
	for (size_t i = 0; i < o->count; i++) {
		buf_text(out, i ? "," : "[");
		attributes_write(&o->items[i], out);
	}
	buf_text(out, o->count ? "]" : "[]");
}
