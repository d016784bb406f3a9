/*
 * pace.h: how fast one vault is asked, by all objects and rounds together.  Pure.
 *
 * After a 429 nothing is sent before a delay has passed, and then one request at a time;
 * each answer doubles how many may be under way, until there is no limit any more.  The
 * delays are random, so that pods which were throttled together do not come back
 * together.
 */
#ifndef SYNC_PACE_H
#define SYNC_PACE_H

#include <stddef.h>
#include <stdint.h>

#include "base/backoff.h"

struct pace {
	struct backoff backoff;
	int64_t open_at; /* no request before */
	size_t width;    /* requests under way at most; 0: no limit */
};

void pace_init(struct pace *p);

/* The vault refused a request as one too many, perhaps with a delay. */
void pace_throttled(struct pace *p, int retry_after_ms, struct jitter *jitter,
		    int64_t now);

/* The vault answered a request that was sent at a time; one from before the refusal says
 * nothing. */
void pace_answered(struct pace *p, int64_t asked_at);

/* How many requests may be under way, out of those wanted. */
size_t pace_width(const struct pace *p, size_t wanted);

#endif
