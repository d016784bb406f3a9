#include "config/references.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sorted.h"
#include "base/text.h"
#include "config/path.h"

/* Files that entries certainly make, and who makes each. */
struct references_file {
	char *path;
	const struct object *object; /* NULL: a template */
};

struct references {
	struct references_file *items; /* in the order of their paths when they are read
					*/
	size_t count;
};

/* What a layout appends to the path of an object's files. */
static const char *const references_suffixes[][4] = {
	[OBJECT_SINGLE] = { "" },
	[OBJECT_SPLIT] = { "", ".crt", ".key" },
	[OBJECT_TLS] = { "/tls.crt", "/tls.key", "/ca.crt" },
};

static void references_add(struct references *all, const char *path, const char *suffix,
			   const struct object *object)
{
	all->items = xgrow(all->items, all->count, sizeof(*all->items));
	all->items[all->count++] =
		(struct references_file){ .path = xasprintf("%s%s", path, suffix),
					  .object = object };
}

/* The files of the whole value. */
static void references_add_whole(struct references *all, const struct object *o)
{
	for (const char *const *s = references_suffixes[o->layout]; *s; s++)
		references_add(all, o->path, *s, o);
}

static void references_add_object(struct references *all, const struct object *o)
{
	if (object_selects(o) || o->history > 0)
		return;
	for (size_t i = 0; i < o->part_count; i++)
		references_add(all, o->parts[i].path, "", o);
	if (!o->without_whole)
		references_add_whole(all, o);
	if (o->metadata)
		references_add(all, o->path, ".json", o);
}

static void references_done(struct references *all)
{
	for (size_t i = 0; i < all->count; i++)
		free(all->items[i].path);
	free(all->items);
}

/* ---- names in a template ---- */

/* Behind the name of an object, or the number of a version. */
static bool references_is_suffix(const struct object *o, const char *rest)
{
	for (const char *const *s = references_suffixes[o->layout]; *s; s++)
		if (strcmp(rest, *s) == 0)
			return true;
	return o->metadata && strcmp(rest, ".json") == 0;
}

/* The number of a version, from 0. */
static bool references_is_version(const struct object *o, const char *name)
{
	size_t digits = strspn(name, "0123456789");
	auto_free char *number = xstrndup(name, digits);
	int64_t n;

	return (digits == 1 || *name != '0') &&
	       text_number(number, OBJECT_HISTORY_MAX, &n) == 0 && n < o->history &&
	       references_is_suffix(o, name + digits);
}

/* The name of an object that the entry selects. */
static bool references_is_selected(const struct object *o, const char *name)
{
	size_t len = strspn(name, "0123456789abcdefghijklmnopqrstuvwxyz"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZ-");
	auto_free char *selected = xstrndup(name, len);

	return len > 0 && references_is_suffix(o, name + len) &&
	       (o->pattern == NULL || fnmatch(o->pattern, selected, FNM_CASEFOLD) == 0);
}

/* True when the entry, of which only the vault knows the files, may make this one. */
static bool references_may_make(const struct object *o, const char *path)
{
	const char *folder = o->extract ? o->folder : o->path;
	size_t len = folder ? strlen(folder) : 0;
	struct err err;

	if (len > 0 && (strncmp(path, folder, len) != 0 || path[len++] != '/'))
		return false;
	if (object_selects(o))
		return references_is_selected(o, path + len);
	if (o->history > 0)
		return references_is_version(o, path + len);
	return o->extract != OBJECT_EXTRACT_NONE && path_check(path, &err) == 0;
}

static int references_order(const void *a, const void *b)
{
	const struct references_file *x = a, *y = b;

	return strcmp(x->path, y->path);
}

static int references_compare(const void *path, const void *item)
{
	return strcmp(path, ((const struct references_file *)item)->path);
}

static void references_sort(struct references *all)
{
	if (all->count > 0)
		qsort(all->items, all->count, sizeof(*all->items), references_order);
}

static bool references_is_known(const struct references *known, const struct objects *all,
				const char *path)
{
	bool found;

	(void)sorted_place(known->items, known->count, sizeof(*known->items), path,
			   references_compare, &found);
	for (size_t i = 0; i < all->count && !found; i++)
		found = references_may_make(&all->items[i], path);
	return found;
}

/* The file of a template, which no template takes. */
static bool references_is_template(const struct objects *all,
				   const struct template_file *t, const char *path)
{
	return !templates_is_env(t) && templates_in_the_way(&all->templates, path);
}

/* The name that may be meant; NULL: none is near. */
static const char *references_nearest(const struct references *known, const char *path)
{
	auto_free const char **names = xcalloc(known->count, sizeof(*names));

	for (size_t i = 0; i < known->count; i++)
		names[i] = known->items[i].path;
	return text_nearest(path, names, known->count);
}

static int references_refuse(const struct references *known, const struct objects *all,
			     const struct template_file *t,
			     const struct template_part *part, struct err *err)
{
	const char *nearest = references_nearest(known, part->path);

	if (references_is_template(all, t, part->path))
		return err_set(err, ERR_CONFIG,
			       "%s: '%.100s' is a template itself; a template takes the "
			       "files of objects only",
			       part->where, part->path);
	err_set(err, ERR_CONFIG, "%s: no object of the list makes a file '%.100s'",
		part->where, part->path);
	if (nearest != NULL)
		return err_hint(err, "did you mean '%.100s'?", nearest);
	if (strpbrk(part->path, " .$#") != NULL)
		return err_hint(
			err, "only {{path|filter}} is possible, without conditions, "
			     "loops and variables; write {{\"{{\"}} for two braces that "
			     "stay");
	return -1;
}

static int references_check_names(const struct references *known,
				  const struct objects *all,
				  const struct template_file *t, struct err *err)
{
	for (size_t i = 0; i < t->body.count; i++) {
		const struct template_part *part = &t->body.parts[i];

		if (part->path != NULL && (references_is_template(all, t, part->path) ||
					   !references_is_known(known, all, part->path)))
			return references_refuse(known, all, t, part, err);
	}
	return 0;
}

/* ---- its own path ---- */

static int references_check_path(const struct objects *all,
				 const struct references *known,
				 const struct template_file *t, struct err *err)
{
	const struct object *holder = NULL;

	for (size_t i = 0; i < known->count; i++)
		if (known->items[i].object &&
		    path_collides(known->items[i].path, t->path))
			holder = known->items[i].object;
	for (size_t i = 0; i < all->count; i++)
		if (all->items[i].history > 0 &&
		    path_collides(all->items[i].path, t->path))
			holder = &all->items[i];
	if (holder == NULL)
		return 0;
	return err_set(err, ERR_CONFIG,
		       "its path is in the way of object %zu ('%s'); give one of them "
		       "another path",
		       holder->place, holder->name);
}

static int references_check_one(const struct objects *all, struct references *known,
				const struct template_file *t, struct err *err)
{
	int result = 0;

	if (!templates_is_env(t))
		result = references_check_path(all, known, t, err);
	if (result == 0)
		result = references_check_names(known, all, t, err);
	if (result < 0) {
		auto_free char *words = templates_words(t);

		return err_wrap(err, "%s: %s",
				templates_is_env(t) ? "AKVSYNC_ENV_FILES"
						    : "AKVSYNC_TEMPLATES",
				words);
	}
	return 0;
}

static struct references references_of_objects(const struct objects *all)
{
	struct references known = { 0 };

	for (size_t i = 0; i < all->count; i++)
		references_add_object(&known, &all->items[i]);
	return known;
}

static void references_add_templates(struct references *known,
				     const struct templates *templates)
{
	for (size_t i = 0; i < templates->count; i++)
		if (!templates_is_env(&templates->items[i]))
			references_add(known, templates->items[i].path, "", NULL);
}

int references_check_file(const struct objects *all, const char *path, struct err *err)
{
	struct references known = references_of_objects(all);
	const char *nearest;
	int result = 0;

	references_add_templates(&known, &all->templates);
	references_sort(&known);
	if (!references_is_known(&known, all, path)) {
		nearest = references_nearest(&known, path);
		result = err_set(err, ERR_CONFIG,
				 "no object of the list makes a file '%.100s'", path);
		if (nearest != NULL)
			err_hint(err, "did you mean '%.100s'?", nearest);
	}
	references_done(&known);
	return result;
}

int references_check(const struct objects *all, struct err *err)
{
	const struct templates *templates = &all->templates;
	struct references known = references_of_objects(all);
	int result = 0;

	references_sort(&known);
	for (size_t i = 0; i < templates->count && result == 0; i++)
		if (!templates_is_env(&templates->items[i]))
			result = references_check_one(all, &known, &templates->items[i],
						      err);
	/* Env files also take the files that templates become. */
	references_add_templates(&known, templates);
	references_sort(&known);
	for (size_t i = 0; i < templates->count && result == 0; i++)
		if (templates_is_env(&templates->items[i]))
			result = references_check_one(all, &known, &templates->items[i],
						      err);
	references_done(&known);
	return result;
}
