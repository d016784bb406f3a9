#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void err_flatten(char *msg)
{
	for (; *msg; msg++)
		if ((unsigned char)*msg < 0x20 || *msg == 0x7f)
			*msg = '?';
}

static void set_message(struct err *err, enum err_kind kind, const char *fmt, va_list ap)
	__attribute__((format(printf, 3, 0)));

static void set_message(struct err *err, enum err_kind kind, const char *fmt, va_list ap)
{
	/* The arguments may point into *err, so format beside it first. */
	char msg[sizeof(err->msg)];

	vsnprintf(msg, sizeof(msg), fmt, ap);
	err->kind = kind;
	err->retry_after_ms = 0;
	err->request[0] = '\0';
	err->tokenless = false;
	err->disabled = false;
	err_flatten(msg);
	memcpy(err->msg, msg, sizeof(msg));
}

static void err_append(struct err *err, const char *separator, const char *text)
{
	size_t len = strlen(err->msg);

	snprintf(err->msg + len, sizeof(err->msg) - len, "%s%s", separator, text);
	err_flatten(err->msg + len);
}

int err_set(struct err *err, enum err_kind kind, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set_message(err, kind, fmt, ap);
	va_end(ap);
	return -1;
}

int err_set_errno(struct err *err, enum err_kind kind, const char *fmt, ...)
{
	int saved = errno;
	va_list ap;

	va_start(ap, fmt);
	set_message(err, kind, fmt, ap);
	va_end(ap);
	err_append(err, ": ", strerror(saved));
	errno = saved;
	return -1;
}

int err_wrap(struct err *err, const char *fmt, ...)
{
	char context[sizeof(err->msg)];
	char inner[sizeof(err->msg)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(context, sizeof(context), fmt, ap);
	va_end(ap);
	memcpy(inner, err->msg, sizeof(inner));
	err->msg[0] = '\0';
	err_append(err, "", context);
	err_append(err, ": ", inner);
	return -1;
}

int err_hint(struct err *err, const char *fmt, ...)
{
	char hint[sizeof(err->msg)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(hint, sizeof(hint), fmt, ap);
	va_end(ap);
	err_append(err, "; ", hint);
	return -1;
}

static int rank(enum err_kind kind)
{
	switch (kind) {
	case ERR_USAGE:
	case ERR_CONFIG:
		return 5;
	case ERR_IDENTITY:
	case ERR_DENIED:
		return 4;
	case ERR_NOTFOUND:
		return 3;
	case ERR_GARBLED:
	case ERR_UNAVAILABLE:
		return 2;
	case ERR_IO:
		return 1;
	case ERR_NONE:
		break;
	}
	return 0;
}

bool err_outranks(const struct err *a, const struct err *b)
{
	return rank(a->kind) > rank(b->kind);
}
