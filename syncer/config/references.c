#include "config/references.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "config/path.h"

/* Files that entries certainly make, and who makes each. */
struct references_file {
	char *path;
	const struct object *object; /* NULL: a template */
};

struct references {
	struct references_file *items;
	size_t count;
};

static void references_add(struct references *all, const char *path, const char *suffix,
			   const struct object *object)
{
	all->items = xgrow(all->items, all->count, sizeof(*all->items));
	all->items[all->count++] =
		(struct references_file){ .path = xasprintf("%s%s", path, suffix),
					  .object = object };
}

/* True when only the vault knows which files the entry makes. */
static bool references_is_open(const struct object *o)
{
	return object_selects(o) || o->history > 0 || o->extract != OBJECT_EXTRACT_NONE;
}

/* The files of the whole value. */
static void references_add_whole(struct references *all, const struct object *o)
{
	static const char *const suffixes[][3] = {
		[OBJECT_SINGLE] = { "" },
		[OBJECT_SPLIT] = { "", ".crt", ".key" },
		[OBJECT_TLS] = { "/tls.crt", "/tls.key", "/ca.crt" },
	};

	for (size_t i = 0; i < ARRAY_LEN(suffixes[0]) && suffixes[o->layout][i]; i++)
		references_add(all, o->path, suffixes[o->layout][i], o);
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

/* True when the entry, of which only the vault knows the files, may make this one. */
static bool references_may_make(const struct object *o, const char *path)
{
	const char *folder = o->extract ? o->folder : o->path;
	size_t len = folder ? strlen(folder) : 0;
	auto_free char *pattern = xasprintf("%s*", o->pattern ? o->pattern : "");

	if (!references_is_open(o))
		return false;
	if (len > 0 && (strncmp(path, folder, len) != 0 || path[len] != '/'))
		return false;
	return !object_selects(o) ||
	       fnmatch(pattern, path + len + (len > 0), FNM_CASEFOLD) == 0;
}

static bool references_is_known(const struct references *known, const struct objects *all,
				const char *path)
{
	for (size_t i = 0; i < known->count; i++)
		if (strcmp(known->items[i].path, path) == 0)
			return true;
	for (size_t i = 0; i < all->count; i++)
		if (references_may_make(&all->items[i], path))
			return true;
	return false;
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

	if (!templates_is_env(t) && templates_in_the_way(&all->templates, part->path))
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

		if (part->path != NULL && !references_is_known(known, all, part->path))
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

	for (size_t i = 0; i < templates->count && result == 0; i++)
		if (!templates_is_env(&templates->items[i]))
			result = references_check_one(all, &known, &templates->items[i],
						      err);
	/* Env files also take the files that templates become. */
	references_add_templates(&known, templates);
	for (size_t i = 0; i < templates->count && result == 0; i++)
		if (templates_is_env(&templates->items[i]))
			result = references_check_one(all, &known, &templates->items[i],
						      err);
	references_done(&known);
	return result;
}
