#include "base/backoff.h"

static uint64_t next(struct jitter *j)
{
	uint64_t z = (j->state += 0x9e3779b97f4a7c15U);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
	return z ^ (z >> 31);
}

void jitter_seed(struct jitter *j, const void *p, size_t n)
{
	const unsigned char *bytes = p;

	j->state = n;
	for (size_t i = 0; i < n; i++) {
		j->state ^= bytes[i];
		j->state = next(j);
	}
}

int64_t jitter_between(struct jitter *j, int64_t low, int64_t high)
{
	if (high <= low)
		return low;
	return low + (int64_t)(next(j) % (uint64_t)(high - low + 1));
}

int64_t jitter_around(struct jitter *j, int64_t value, int percent)
{
	int64_t swing = value / 100 * percent + value % 100 * percent / 100;

	return jitter_between(j, value - swing, value + swing);
}

int64_t backoff_next(struct backoff *b, struct jitter *j)
{
	int64_t high = (b->last_ms ? b->last_ms : b->base_ms) * 3;

	b->last_ms = jitter_between(j, b->base_ms, high < b->cap_ms ? high : b->cap_ms);
	return b->last_ms;
}

void backoff_reset(struct backoff *b)
{
	b->last_ms = 0;
}
