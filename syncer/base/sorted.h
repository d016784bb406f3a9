/*
 * sorted.h: where something is, or belongs, in an array that is in order.  Pure.
 */
#ifndef BASE_SORTED_H
#define BASE_SORTED_H

#include <stdbool.h>
#include <stddef.h>

/* Less than, equal to or greater than 0, as the key comes before the item, is the item's,
 * or comes after it. */
typedef int sorted_compare(const void *key, const void *item);

/* The index of the key's item, of count items of size bytes each; when *found is false,
 * the index at which such an item keeps the order. */
size_t sorted_place(const void *items, size_t count, size_t size, const void *key,
		    sorted_compare *compare, bool *found);

/* Makes room for one more item at an index and grows the array, as xgrow() does. */
void *sorted_open(void *items, size_t count, size_t size, size_t at);

#endif
