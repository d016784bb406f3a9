#include "deliver/paths.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sorted.h"

static int paths_compare(const void *key, const void *item)
{
	return strcmp(key, *(char *const *)item);
}

void paths_add(struct paths *to, const char *path)
{
	bool found;
	size_t at = sorted_place(to->items, to->count, sizeof(*to->items), path,
				 paths_compare, &found);

	if (found)
		return;
	to->items = sorted_open(to->items, to->count++, sizeof(*to->items), at);
	to->items[at] = xstrdup(path);
}

void paths_add_all(struct paths *to, const struct paths *from)
{
	for (size_t i = 0; i < from->count; i++)
		paths_add(to, from->items[i]);
}

bool paths_match(const struct paths *patterns, const struct paths *paths)
{
	for (size_t i = 0; i < patterns->count; i++)
		for (size_t k = 0; k < paths->count; k++)
			if (fnmatch(patterns->items[i], paths->items[k],
				    FNM_PATHNAME | FNM_LEADING_DIR) == 0)
				return true;
	return false;
}

void paths_write(const struct paths *paths, struct buf *out)
{
	for (size_t i = 0; i < paths->count; i++)
		buf_printf(out, "%s%s", i ? "\n" : "", paths->items[i]);
}

void paths_done(struct paths *p)
{
	for (size_t i = 0; i < p->count; i++)
		free(p->items[i]);
	free(p->items);
	*p = (struct paths){ 0 };
}
