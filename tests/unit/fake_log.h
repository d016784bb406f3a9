/*
 * fake_log.h: stands in for report/log at link time and keeps what is said, a line each:
 * "level event: message name=value …".  Include it once.
 */
#ifndef TESTS_FAKE_LOG_H
#define TESTS_FAKE_LOG_H

#include "unit.h"

#include "base/buf.h"
#include "report/log.h"

static struct buf said = { .max = 64 * 1024 };

void log_event(enum log_level level, const char *event, const struct log_field *fields,
	       const char *fmt, ...)
{
	char msg[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	buf_printf(&said, "%d %s: %s", level, event, msg);
	for (; fields && fields->type != LOG_END; fields++) {
		if (fields->type == LOG_INT)
			buf_printf(&said, " %s=%d", fields->name, (int)fields->number);
		else if (fields->string && *fields->string)
			buf_printf(&said, " %s=%s", fields->name, fields->string);
	}
	buf_text(&said, "\n");
}

#endif
