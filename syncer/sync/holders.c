#include "sync/holders.h"

#include <stdbool.h>

#include "base/mem.h"
#include "base/sorted.h"

/* Paths that are in each other's way count as equal: one is the other, or a folder of it.
 * In an order in which '/' comes before all else these are neighbours. */
static int holders_compare(const void *path, const void *item)
{
	const char *a = path, *b = ((const struct holder *)item)->path;

	while (*a != '\0' && *a == *b)
		a++, b++;
	if (*a == *b || (*a == '\0' && *b == '/') || (*a == '/' && *b == '\0'))
		return 0;
	if (*a == '/' || *b == '/')
		return *a == '/' ? -1 : 1;
	return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
}

/* Where a path is among those that are taken, or belongs. */
static size_t holders_place(const struct holders *all, const char *path, bool *taken)
{
	return sorted_place(all->items, all->count, sizeof(*all->items), path,
			    holders_compare, taken);
}

const struct task *holders_find(const struct holders *all, const char *path)
{
	bool taken;
	size_t at = holders_place(all, path, &taken);

	return taken ? all->items[at].task : NULL;
}

void holders_take(struct holders *all, const char *path, const struct task *task)
{
	bool taken;
	size_t at = holders_place(all, path, &taken);

	if (taken)
		return;
	all->items = sorted_open(all->items, all->count++, sizeof(*all->items), at);
	all->items[at] = (struct holder){ path, task };
}
