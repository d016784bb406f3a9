#include "run/watches.h"

#include <string.h>

/* The watch of a path, which is taken out of the slots; NULL: none. */
static struct watch *watches_take(struct watch **slots, const char *path)
{
	for (size_t i = 0; i < TEMPLATES_FILES_MAX; i++) {
		struct watch *w = slots[i];

		if (w == NULL || strcmp(watch_name(w), path) != 0)
			continue;
		slots[i] = NULL;
		return w;
	}
	return NULL;
}

bool watches_follow(struct watch **slots, const struct templates *all, int64_t now)
{
	struct watch *before[TEMPLATES_FILES_MAX];
	size_t count = 0;

	memcpy(before, slots, sizeof(before));
	memset(slots, 0, sizeof(before));
	/* One that was refused may have more. */
	for (size_t i = 0; i < all->count && count < TEMPLATES_FILES_MAX; i++) {
		const char *file = all->items[i].file;

		if (file == NULL)
			continue;
		slots[count] = watches_take(before, file);
		if (slots[count] == NULL)
			slots[count] = watch_new(file, NULL, now);
		count++;
	}
	for (size_t i = 0; i < TEMPLATES_FILES_MAX; i++)
		watch_free(before[i]);
	return configuration_files_changed(all);
}
