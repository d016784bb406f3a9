#include "sync/absence.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void absences_begin(struct absences *all)
{
	for (size_t i = 0; i < all->count; i++)
		all->items[i].seen = false;
}

static struct absence *find(struct absences *all, const char *path)
{
	for (size_t i = 0; i < all->count; i++)
		if (strcmp(all->items[i].path, path) == 0)
			return &all->items[i];
	all->items = xgrow(all->items, all->count, sizeof(*all->items));
	all->items[all->count] = (struct absence){ .path = xstrdup(path) };
	return &all->items[all->count++];
}

bool absences_count(struct absences *all, const char *path)
{
	struct absence *it = find(all, path);

	it->seen = true;
	if (it->count < ABSENCE_POLLS)
		it->count++;
	return it->count >= ABSENCE_POLLS;
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
	absences_begin(all);
	absences_end(all);
	free(all->items);
	*all = (struct absences){ 0 };
}
