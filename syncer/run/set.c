#include "run/set.h"

#include <stdlib.h>

#include "base/mem.h"

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
		buf_printf(&set->versions, "%s%s@%s", set->versions.len ? "," : "",
			   t->path, t->value.got.version);
	return true;
}

void set_done(struct set *set)
{
	for (size_t i = 0; i < set->count; i++)
		free((char *)set->files[i].path);
	free(set->files);
	buf_done(&set->versions);
}
