#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

static void grow(struct buf *b, size_t need)
{
	size_t cap = b->cap ? b->cap : 64;
	char *p;

	while (cap < need)
		cap *= 2;
	p = wipe_malloc(cap);
	if (b->data)
		memcpy(p, b->data, b->len);
	wipe_free(b->data);
	b->data = p;
	b->cap = cap;
}

static void buf_append(struct buf *b, const void *p, size_t n)
{
	if (b->len + n + 1 > b->cap)
		grow(b, b->len + n + 1);
	if (n)
		memcpy(b->data + b->len, p, n);
	b->len += n;
	b->data[b->len] = '\0';
}

int buf_add(struct buf *b, const void *p, size_t n, struct err *err)
{
	if (n > b->max - b->len)
		return err_set(err, ERR_UNAVAILABLE, "larger than %zu bytes", b->max);
	buf_append(b, p, n);
	return 0;
}

void buf_text(struct buf *b, const char *s)
{
	size_t n = strlen(s);

	buf_append(b, s, n > b->max - b->len ? b->max - b->len : n);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	auto_free char *s = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		abort();
	va_end(ap);
	buf_text(b, s);
	wipe(s, strlen(s));
}

const char *buf_str(const struct buf *b)
{
	return b->data ? b->data : "";
}

void buf_truncate(struct buf *b, size_t len)
{
	if (len >= b->len)
		return;
	wipe(b->data + len, b->len - len);
	b->len = len;
}

void buf_done(struct buf *b)
{
	wipe_free(b->data);
	*b = BUF_INIT(b->max);
}
