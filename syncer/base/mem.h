/*
 * mem.h: the one allocation policy, and the locals that carry most clean-up.
 *
 * Out of memory ends the process: published files are whole at every instant and
 * all input is bounded, so the kubelet's restart is the recovery.  The wipe_*
 * family zeroes every block before it returns to the heap; it also serves libcurl,
 * cJSON and OpenSSL, which copy secrets into blocks of their own.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

/* Never return NULL; the caller frees with free(3) or wipe_free(). */
void *xcalloc(size_t count, size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *xvasprintf(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));
/* Grows an array of count items to hold one more; doubles its room as needed. */
void *xgrow(void *items, size_t count, size_t item_size);

/* malloc(3)'s family with two differences: never NULL (a request for 0 bytes gets
 * 1), and a block is zeroed before it is freed or moved. */
void *wipe_malloc(size_t size);
void *wipe_calloc(size_t count, size_t size);
void *wipe_realloc(void *p, size_t size);
char *wipe_strdup(const char *s);
void wipe_free(void *p);

/* Zeroes memory in a way the compiler may not remove. */
void wipe(void *p, size_t size);

static inline void auto_freep(void *p)
{
	free(*(void **)p);
}

static inline void auto_closep(const int *fd)
{
	int saved = errno; /* of a failure that the caller still reports */

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

#define auto_free __attribute__((cleanup(auto_freep)))
#define auto_close __attribute__((cleanup(auto_closep)))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
