/*
 * histogram.h: how many of some durations lie below each of a few bounds, as Prometheus
 * counts them.  Pure.
 */
#ifndef REPORT_HISTOGRAM_H
#define REPORT_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_BOUNDS_MAX 10

/* The bounds of a kind of durations, in milliseconds and in order. */
struct histogram_bounds {
	int64_t ms[HISTOGRAM_BOUNDS_MAX];
	size_t count;
};

/* {0} has seen nothing. */
struct histogram {
	uint64_t up_to[HISTOGRAM_BOUNDS_MAX]; /* those at or below that bound, and above
						 the one before */
	uint64_t count;                       /* all */
	int64_t sum_ms;
};

/* One more; a negative one counts as 0, since clocks differ. */
void histogram_add(struct histogram *h, const struct histogram_bounds *bounds,
		   int64_t ms);

#endif
