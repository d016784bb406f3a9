#include "base/sorted.h"

#include <string.h>

#include "base/mem.h"

size_t sorted_place(const void *items, size_t count, size_t size, const void *key,
		    sorted_compare *compare, bool *found)
{
	size_t low = 0, high = count;

	*found = false;
	while (low < high && !*found) {
		size_t middle = low + (high - low) / 2;
		int order = compare(key, (const char *)items + middle * size);

		*found = order == 0;
		if (order > 0)
			low = middle + 1;
		else
			high = middle;
	}
	return high;
}

void *sorted_open(void *items, size_t count, size_t size, size_t at)
{
	char *grown = xgrow(items, count, size);

	memmove(grown + (at + 1) * size, grown + at * size, (count - at) * size);
	return grown;
}
