#include "base/mem.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/stderr.h"

static void out_of_memory(void)
{
	static const char msg[] = "{\"level\":\"error\",\"msg\":\"out of memory\"}\n";

	stderr_write(msg, sizeof(msg) - 1, 0);
	abort();
}

static void *checked(void *p)
{
	if (p == NULL)
		out_of_memory();
	return p;
}

void *xcalloc(size_t count, size_t size)
{
	return checked(calloc(count ? count : 1, size ? size : 1));
}

char *xstrdup(const char *s)
{
	return checked(strdup(s));
}

char *xstrndup(const char *s, size_t n)
{
	return checked(strndup(s, n));
}

char *xvasprintf(const char *fmt, va_list ap)
{
	char *s = NULL;

	if (vasprintf(&s, fmt, ap) < 0)
		out_of_memory();
	return s;
}

char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = xvasprintf(fmt, ap);
	va_end(ap);
	return s;
}

void *xgrow(void *items, size_t count, size_t item_size)
{
	size_t room = count ? count * 2 : 8;

	/* Room is a power of two times 8, so it is full exactly at these counts. */
	if (count != 0 && (count < 8 || (count & (count - 1)) != 0))
		return items;
	return checked(reallocarray(items, room, item_size));
}

void wipe(void *p, size_t size)
{
	explicit_bzero(p, size);
}

void *wipe_malloc(size_t size)
{
	return checked(malloc(size ? size : 1));
}

void *wipe_calloc(size_t count, size_t size)
{
	return xcalloc(count, size);
}

/* realloc(3) may leave the old bytes behind, so move by copy and wipe. */
void *wipe_realloc(void *p, size_t size)
{
	size_t had = p ? malloc_usable_size(p) : 0;
	void *moved;

	if (p != NULL && size != 0 && size <= had && size >= had / 2)
		return p;
	moved = wipe_malloc(size);
	if (p != NULL)
		memcpy(moved, p, had < size ? had : size);
	wipe_free(p);
	return moved;
}

char *wipe_strdup(const char *s)
{
	size_t size = strlen(s) + 1;

	return memcpy(wipe_malloc(size), s, size);
}

void wipe_free(void *p)
{
	if (p != NULL)
		explicit_bzero(p, malloc_usable_size(p));
	free(p);
}
