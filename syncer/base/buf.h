/*
 * buf.h: a growable byte string, always bounded and always wiped.
 *
 * The struct owns data.  A NUL follows the last byte, so text can go to C string
 * functions, but len is the truth: values may hold NUL bytes.  Every block that ever
 * held bytes is zeroed before it is freed.  All buffers are treated as secret, so
 * there is no way to choose wrongly.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stddef.h>

#include "base/err.h"

struct buf {
	char *data; /* NULL until the first append */
	size_t len; /* bytes in use, without the NUL */
	size_t cap; /* bytes allocated */
	size_t max; /* an append past this fails */
};

#define BUF_INIT(limit) ((struct buf){ .max = (limit) })
#define auto_buf __attribute__((cleanup(buf_done)))

/* Append; on failure the buffer is unchanged.  ERR_UNAVAILABLE: past the limit (most
 * such bytes come from a reply; other callers set their own kind). */
int buf_add(struct buf *b, const void *p, size_t n, struct err *err) MUST_CHECK;

/* For text of our own making, whose size is known to fit: past the limit it is cut. */
void buf_text(struct buf *b, const char *s);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The bytes as a C string; "" when empty. */
const char *buf_str(const struct buf *b);

/* Wipes the bytes beyond len and forgets them. */
void buf_truncate(struct buf *b, size_t len);

/* Wipes and frees the bytes; the buffer is empty and usable again. */
void buf_done(struct buf *b);

#endif
