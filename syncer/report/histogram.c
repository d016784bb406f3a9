#include "report/histogram.h"

void histogram_add(struct histogram *h, const struct histogram_bounds *bounds, int64_t ms)
{
	size_t i = 0;

	if (ms < 0)
		ms = 0;
	while (i < bounds->count && ms > bounds->ms[i])
		i++;
	if (i < bounds->count)
		h->up_to[i]++;
	h->count++;
	h->sum_ms += ms;
}
