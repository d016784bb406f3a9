#include "sync/set.h"

#include <stdlib.h>

#include "base/mem.h"
#include "deliver/manifest.h"

/* "path@version,…": which versions are new, as far as a line can hold. */
static void name_change(struct buf *names, const struct task *t)
{
	if (names->len <= SET_NAMED_MAX)
		buf_printf(names, "%s%s@%s", names->len ? "," : "", t->path, t->fresh);
	else if (names->data[names->len - 1] != '\xa6') /* the end of … */
		buf_text(names, ",…");
}

bool set_add(struct set *set, const struct task *t, bool use_new)
{
	struct publish_file files[TASK_FILES_MAX];
	size_t count, changed = set->changed;

	if (!task_files(t, use_new, files, &count))
		return false;
	for (size_t i = 0; i < count; i++) {
		files[i].path = task_path(t, i);
		set->changed += files[i].data != NULL;
		set->files = xgrow(set->files, set->count, sizeof(*set->files));
		set->files[set->count++] = files[i];
	}
	if (set->changed > changed)
		name_change(&set->versions, t);
	return true;
}

bool set_keep(struct set *set, const struct task *t, const struct publish *publish)
{
	size_t before = set->count;

	for (size_t i = 0; i < TASK_FILES_MAX; i++) {
		const struct manifest_entry *e = task_kept(t, publish, i);

		if (e == NULL)
			continue;
		set->files = xgrow(set->files, set->count, sizeof(*set->files));
		set->files[set->count++] = (struct publish_file){
			.path = task_path(t, i),
			.mode = e->mode,
			.object = e->object,
			.version = e->version,
			.options = e->options,
		};
	}
	return set->count > before;
}

void set_done(struct set *set)
{
	for (size_t i = 0; i < set->count; i++)
		free((char *)set->files[i].path);
	free(set->files);
	buf_done(&set->versions);
}
