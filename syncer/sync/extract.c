#include "sync/extract.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/path.h"

static bool extract_is_asked(const struct task *t)
{
	return t->how.extract != OBJECT_EXTRACT_NONE;
}

/* Files on the volume keep their paths, also when their keys vanish with this set: who
 * wants such a path gets it with the next one.  A path that the list names belongs to
 * who is named. */
static void extract_take_published(struct task *t, struct holders *paths)
{
	for (size_t i = 0; i < t->rendered_count;) {
		const struct task *holder = holders_find(paths, t->files[i].path);

		if (t->files[i].extracted && holder != NULL && holder != t) {
			task_forget_file(t, i);
			continue;
		}
		holders_take(paths, t->files[i].path, t);
		i++;
	}
}

static int extract_refuse(struct task *t, const char *path, const char *rule)
{
	size_t folder = t->how.folder ? strlen(t->how.folder) + 1 : 0;

	task_unrender(t);
	return err_set(&t->err, ERR_CONFIG,
		       "%s of vault '%s': key '%.80s' of its JSON value cannot be a "
		       "file: %s",
		       t->words, t->source->vault.name, path + folder, rule);
}

static int extract_check_path(struct task *t, const char *path, const struct holders *own,
			      const struct holders *paths,
			      const struct templates *templates)
{
	const struct template_file *template = templates_in_the_way(templates, path);
	const struct task *holder = holders_find(paths, path);
	auto_free char *copy = xstrdup(path), *rule = NULL;
	struct err err;

	if (path_check(path, &err) < 0)
		rule = xasprintf("the path '%.100s' %s", path, err.msg);
	else if (holders_find(own, path) != NULL)
		rule = xasprintf("the path '%.100s' is in the way of another file of "
				 "this entry",
				 path);
	else if (holder != NULL && holder != t)
		rule = xasprintf("the path '%.100s' is in the way of %s; give one entry "
				 "an objectAlias",
				 path, holder->words);
	else if (template != NULL)
		rule = xasprintf("the path '%.100s' is in the way of template '%.100s'",
				 path, template->path);
	return rule == NULL ? 0 : extract_refuse(t, copy, rule);
}

/* The new files among each other, with the other files of the task, and with those of
 * other tasks. */
static void extract_check(struct task *t, size_t *keys, struct holders *paths,
			  const struct templates *templates)
{
	struct holders own = { 0 };
	size_t first = t->new_files.outlined;
	int result = 0;

	*keys += t->new_files.count - first;
	if (*keys > EXTRACT_KEYS_MAX) {
		*keys -= t->new_files.count - first;
		task_unrender(t);
		err_set(&t->err, ERR_CONFIG,
			"%s of vault '%s': with its keys the set would have more than %d "
			"of them; name the ones you need in jmesPath",
			t->words, t->source->vault.name, EXTRACT_KEYS_MAX);
		return;
	}
	for (size_t i = 0; i < t->file_count; i++)
		if (!t->files[i].extracted)
			holders_take(&own, t->files[i].path, t);
	for (size_t i = first; result == 0 && i < t->new_files.count; i++) {
		const char *path = t->new_files.items[i].path;

		result = extract_check_path(t, path, &own, paths, templates);
		if (result == 0)
			holders_take(&own, path, t);
	}
	free(own.items);
	for (size_t i = first; result == 0 && i < t->new_files.count; i++)
		holders_take(paths, t->new_files.items[i].path, t);
}

void extract_begin(struct extract *e, struct task *tasks, struct holders *paths)
{
	*e = (struct extract){ .next = tasks };
	for (struct task *t = tasks; t; t = t->next)
		if (extract_is_asked(t))
			extract_take_published(t, paths);
}

void extract_step(struct extract *e, struct holders *paths,
		  const struct templates *templates)
{
	struct task *t = e->next;

	e->next = t->next;
	t->is_late = e->is_late;
	task_render(t);
	if (t->has_new_files && extract_is_asked(t))
		extract_check(t, &e->keys, paths, templates);
}
