#include "run/log.h"

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

static const char *const level_names[] = { "debug", "info", "warn", "error" };

static enum log_level threshold = LOG_INFO;
static enum log_format style = LOG_JSON;

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

static void add_value(struct buf *line, const struct log_field *field)
{
	if (field->type == LOG_INT)
		buf_printf(line, "%lld", (long long)field->number);
	else if (field->type == LOG_RAW)
		buf_text(line, field->string);
	else
		json_quote(line, field->string);
}

static void add_json(struct buf *line, const char *level, const char *event,
		     const struct log_field *fields, const char *msg)
{
	char now[CLOCK_TEXT_LEN];

	clock_text(now, clock_wall_ms());
	buf_printf(line, "{\"ts\":\"%s\",\"level\":\"%s\",\"event\":\"%s\",\"msg\":", now,
		   level, event);
	json_quote(line, msg);
	for (; fields && fields->type != LOG_END; fields++) {
		if (is_empty(fields))
			continue;
		buf_printf(line, ",\"%s\":", fields->name);
		add_value(line, fields);
	}
	buf_text(line, "}");
}

static void add_text(struct buf *line, const char *level, const struct log_field *fields,
		     const char *msg)
{
	char now[CLOCK_TEXT_LEN];

	clock_text(now, clock_wall_ms());
	buf_printf(line, "%s %-5s %s", now, level, msg);
	for (; fields && fields->type != LOG_END; fields++) {
		if (is_empty(fields))
			continue;
		buf_printf(line, " %s=", fields->name);
		add_value(line, fields);
	}
}

void log_event(enum log_level level, const char *event, const struct log_field *fields,
	       const char *fmt, ...)
{
	auto_buf struct buf line = BUF_INIT(LINE_MAX_BYTES);
	char msg[1024];
	va_list ap;

	if (!log_enabled(level))
		return;
	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	if (style == LOG_JSON)
		add_json(&line, level_names[level], event, fields, msg);
	else
		add_text(&line, level_names[level], fields, msg);
	line.max++;
	buf_text(&line, "\n");
	(void)!write(STDERR_FILENO, line.data, line.len);
}
