/*
 * backoff.h: random delays.  Pure: the seed is passed in.
 *
 * Decorrelated jitter: each delay is random between the base and three times the
 * one before, up to a cap.  Clients that failed together do not come back together.
 * https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
#ifndef BASE_BACKOFF_H
#define BASE_BACKOFF_H

#include <stddef.h>
#include <stdint.h>

/* A small random generator (splitmix64); not for secrets. */
struct jitter {
	uint64_t state;
};

/* Seeds from any bytes, such as a pod's uid; equal bytes give equal sequences. */
void jitter_seed(struct jitter *j, const void *p, size_t n);

/* A uniform number in low..high, both included. */
int64_t jitter_between(struct jitter *j, int64_t low, int64_t high);

/* value changed by up to percent in either direction. */
int64_t jitter_around(struct jitter *j, int64_t value, int percent);

struct backoff {
	int64_t base_ms, cap_ms; /* bounds of every delay */
	int64_t last_ms;         /* 0: nothing failed yet */
};

#define BACKOFF_INIT(base, cap) ((struct backoff){ .base_ms = (base), .cap_ms = (cap) })

/* The delay before the next try, in milliseconds. */
int64_t backoff_next(struct backoff *b, struct jitter *j);

/* After a success: the next delay starts from the base again. */
void backoff_reset(struct backoff *b);

#endif
