#include "run/log.h"

#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"

/* The start line holds every setting, six bytes a character at worst. */
#define LINE_MAX_BYTES (512 * 1024)
/* A reader that takes nothing for so long hangs, and syncing goes on without it. */
#define PATIENCE_MS 1000

static const char *const level_names[] = { "debug", "info", "warn", "error" };

static enum log_level threshold = LOG_INFO;
static enum log_format style = LOG_JSON;

static struct buf line = { .max = LINE_MAX_BYTES }; /* being written */
static size_t taken;                                /* bytes of it, by stderr */
static bool blocked;                                /* stderr took nothing last time */
static int64_t lost;                                /* lines since it did */

void log_setup(enum log_level level, enum log_format format)
{
	threshold = level;
	style = format;
}

bool log_enabled(enum log_level level)
{
	return level >= threshold;
}

static bool is_empty(const struct log_field *field)
{
	return field->type != LOG_INT &&
	       (field->string == NULL || *field->string == '\0');
}

static void add_value(const struct log_field *field)
{
	if (field->type == LOG_INT)
		buf_printf(&line, "%lld", (long long)field->number);
	else if (field->type == LOG_RAW)
		buf_text(&line, field->string);
	else
		json_quote(&line, field->string);
}

static void add_json(const char *level, const char *event, const struct log_field *fields,
		     const char *msg)
{
	char now[CLOCK_TEXT_LEN];

	clock_text(now, clock_wall_ms());
	buf_printf(&line,
		   "{\"ts\":\"%s\",\"level\":\"%s\",\"event\":\"%s\",\"msg\":", now,
		   level, event);
	json_quote(&line, msg);
	for (; fields && fields->type != LOG_END; fields++) {
		if (is_empty(fields))
			continue;
		buf_printf(&line, ",\"%s\":", fields->name);
		add_value(fields);
	}
	buf_text(&line, "}");
}

static void add_text(const char *level, const struct log_field *fields, const char *msg)
{
	char now[CLOCK_TEXT_LEN];

	clock_text(now, clock_wall_ms());
	buf_printf(&line, "%s %-5s %s", now, level, msg);
	for (; fields && fields->type != LOG_END; fields++) {
		if (is_empty(fields))
			continue;
		buf_printf(&line, " %s=", fields->name);
		add_value(fields);
	}
}

/* Goes on writing the line; true when stderr has all of it.  Not by O_NONBLOCK, which
 * would hold for all who share it: a pipe that has room takes PIPE_BUF bytes at once. */
static bool write_on(void)
{
	while (taken < line.len) {
		struct pollfd out = { .fd = STDERR_FILENO, .events = POLLOUT };
		size_t left = line.len - taken;
		ssize_t n = -1;

		if (poll(&out, 1, blocked ? 0 : PATIENCE_MS) > 0)
			n = write(STDERR_FILENO, line.data + taken,
				  left < PIPE_BUF ? left : PIPE_BUF);
		blocked = n <= 0;
		if (blocked)
			return false;
		taken += (size_t)n;
	}
	buf_done(&line);
	taken = 0;
	return true;
}

/* Writes a line.  False: it is lost.  One that has been begun is finished some time. */
static bool write_line(enum log_level level, const char *event,
		       const struct log_field *fields, const char *msg)
{
	if (style == LOG_JSON)
		add_json(level_names[level], event, fields, msg);
	else
		add_text(level_names[level], fields, msg);
	line.max++;
	buf_text(&line, "\n");
	line.max--;
	if (write_on() || taken > 0)
		return true;
	buf_done(&line);
	return false;
}

bool log_catch_up(void)
{
	if (!write_on())
		return false;
	if (lost > 0 &&
	    write_line(LOG_WARN, "log-lost", LOG_FIELDS(log_int("lines", lost)),
		       "stderr was blocked: lines of this log are lost"))
		lost = 0;
	return !blocked;
}

void log_event(enum log_level level, const char *event, const struct log_field *fields,
	       const char *fmt, ...)
{
	char msg[1024];
	va_list ap;

	if (!log_enabled(level))
		return;
	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	if (!log_catch_up() || !write_line(level, event, fields, msg))
		lost++;
}
