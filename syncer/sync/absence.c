#include "sync/absence.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void absences_begin(struct absences *all, int64_t now, int64_t poll_interval_ms)
{
	all->now = now;
	all->poll_interval_ms = poll_interval_ms;
	for (size_t i = 0; i < all->count; i++)
		all->items[i].seen = false;
}

static struct absence *absence_find(struct absences *all, const char *path)
{
	for (size_t i = 0; i < all->count; i++)
		if (strcmp(all->items[i].path, path) == 0)
			return &all->items[i];
	all->items = xgrow(all->items, all->count, sizeof(*all->items));
	all->items[all->count] =
		(struct absence){ .path = xstrdup(path), .since = all->now };
	return &all->items[all->count++];
}

bool absences_count(struct absences *all, const char *path)
{
	struct absence *it = absence_find(all, path);

	it->seen = true;
	if (it->count < ABSENCE_POLLS)
		it->count++;
	return it->count >= ABSENCE_POLLS &&
	       (all->now - it->since) / ABSENCE_POLLS >= all->poll_interval_ms;
}

void absences_end(struct absences *all)
{
	size_t kept = 0;

	for (size_t i = 0; i < all->count; i++) {
		if (all->items[i].seen)
			all->items[kept++] = all->items[i];
		else
			free(all->items[i].path);
	}
	all->count = kept;
}

void absences_done(struct absences *all)
{
	for (size_t i = 0; i < all->count; i++)
		free(all->items[i].path);
	free(all->items);
	*all = (struct absences){ 0 };
}
