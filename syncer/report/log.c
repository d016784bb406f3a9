#include "report/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/stderr.h"

/* The start line holds every setting, six bytes a character at worst. */
#define LINE_MAX_BYTES (512 * 1024)
/* A reader that takes no line for so long hangs: syncing goes on without it. */
#define PATIENCE_MS 1000
/* The rest of a line is written again after this time. */
#define RETRY_MS 1000

static const char *const level_names[] = { "debug", "info", "warn", "error" };

static enum log_level threshold = LOG_INFO;
static enum log_format style = LOG_JSON;

static struct buf line = { .max = LINE_MAX_BYTES }; /* being written */
static size_t taken;                                /* bytes of it, by stderr */
static int64_t waited;                              /* since a line went out at once */
static int64_t end_at;                              /* of all waiting: log_finish() */
static int64_t lost;                                /* lines that stderr did not take */

void log_setup(enum log_level level, enum log_format format)
{
	threshold = level;
	style = format;
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

/* Goes on writing the line; true when stderr has all of it. */
static bool write_on(int64_t until)
{
	taken += stderr_write(line.data + taken, line.len - taken, until);
	if (taken < line.len)
		return false;
	buf_done(&line);
	taken = 0;
	return true;
}

/* Until when a line waits.  A slow reader gets this time once for all lines, and again
 * after a line was written without waiting. */
static int64_t patience(int64_t now)
{
	return end_at != 0 ? end_at : now + PATIENCE_MS - waited;
}

/* Writes a line.  False: it is lost.  A line that has been begun is finished later. */
static bool write_line(enum log_level level, const char *event,
		       const struct log_field *fields, const char *msg)
{
	bool at_once, all;
	int64_t began;

	if (style == LOG_JSON)
		add_json(level_names[level], event, fields, msg);
	else
		add_text(level_names[level], fields, msg);
	line.max++;
	buf_text(&line, "\n");
	line.max--;
	at_once = write_on(0);
	began = clock_now_ms();
	all = at_once || write_on(patience(began));
	waited = at_once ? 0 : waited + clock_now_ms() - began;
	if (all || taken > 0)
		return true;
	buf_done(&line);
	return false;
}

void log_catch_up(void)
{
	if (line.len > 0 && !write_on(end_at))
		return;
	if (lost > 0 &&
	    write_line(LOG_WARN, "log-lost", LOG_FIELDS(log_int("lines", lost)),
		       "stderr was blocked: lines of this log are lost"))
		lost = 0;
}

int64_t log_deadline(int64_t now)
{
	return line.len > 0 || lost > 0 ? now + RETRY_MS : CLOCK_NEVER;
}

void log_finish(void)
{
	end_at = clock_now_ms() + PATIENCE_MS;
	log_catch_up();
}

void log_event(enum log_level level, const char *event, const struct log_field *fields,
	       const char *fmt, ...)
{
	char msg[1024];
	va_list ap;

	if (level < threshold)
		return;
	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	log_catch_up();
	if (line.len > 0 || !write_line(level, event, fields, msg))
		lost++;
}
