/*
 * clock.h: time.  Deadlines are int64_t milliseconds of CLOCK_MONOTONIC; wall time
 * appears only where a protocol or a log line needs it.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

#define CLOCK_NEVER INT64_MAX

/* Milliseconds of CLOCK_MONOTONIC. */
int64_t clock_now_ms(void);

/* Milliseconds since 1970, UTC. */
int64_t clock_wall_ms(void);

/* The earlier of two deadlines. */
static inline int64_t clock_sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* The later of two points in time. */
static inline int64_t clock_later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Milliseconds from now to the deadline, 0 when it has passed; -1 for CLOCK_NEVER;
 * capped to what an int holds. */
int clock_ms_until(int64_t deadline, int64_t now);

/* RFC 3339 with milliseconds, UTC: "2026-06-16T22:35:02.123Z". */
#define CLOCK_TEXT_LEN 32
void clock_text(char out[static CLOCK_TEXT_LEN], int64_t wall_ms);

/* The Unix milliseconds of a UTC time that is written as strptime(3) reads format,
 * whatever follows it; 0: it is not so written. */
int64_t clock_read(const char *text, const char *format);

#endif
