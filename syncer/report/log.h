/*
 * log.h: one line on stderr per event: a JSON object, or text for humans.
 *
 * Nothing below report/ can log.  No value, token or body of a reply may be passed to
 * it.  `event` is stable, for machines; the message is a sentence, for people.  A reader
 * of stderr that hangs cannot hold up the work: a line waits for a second at most, and
 * the lines after it do not wait while the reader hangs.  Lines that are not read are
 * dropped, and counted.
 */
#ifndef REPORT_LOG_H
#define REPORT_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_JSON, LOG_TEXT };

/* A named value beside the message; raw is JSON made by us. */
struct log_field {
	const char *name;
	enum { LOG_END, LOG_STRING, LOG_INT, LOG_RAW } type;
	union {
		const char *string; /* LOG_STRING, LOG_RAW */
		int64_t number;     /* LOG_INT */
	};
};

#define log_str(n, s)                                                                    \
	((struct log_field){ .name = (n), .type = LOG_STRING, .string = (s) })
#define log_int(n, i) ((struct log_field){ .name = (n), .type = LOG_INT, .number = (i) })
#define log_raw(n, j) ((struct log_field){ .name = (n), .type = LOG_RAW, .string = (j) })
/* Strings that are NULL or "" are left out. */
#define LOG_FIELDS(...) ((const struct log_field[]){ __VA_ARGS__, { .type = LOG_END } })

void log_setup(enum log_level level, enum log_format format);

/* fields may be NULL. */
void log_event(enum log_level level, const char *event, const struct log_field *fields,
	       const char *fmt, ...) PRINTF_LIKE(4, 5);

/* Without waiting: finishes a line of which stderr has only a part, and logs how many
 * lines were lost.  log_event() does so first. */
void log_catch_up(void);

/* When log_catch_up() is due: soon, while there is such a line or one was lost; otherwise
 * never. */
int64_t log_deadline(int64_t now);

/* The process is about to end: does the same.  All lines from now on together may wait
 * for one second, so that the last one is not lost. */
void log_finish(void);

#endif
