#include "sync/pace.h"

/* Key Vault counts over windows of 10 s. */
#define BASE_MS 500
#define CAP_MS 8000
/* More than is ever sent at once over HTTP/1.1. */
#define FREE_WIDTH 16

void pace_init(struct pace *p)
{
	*p = (struct pace){ .backoff = BACKOFF_INIT(BASE_MS, CAP_MS) };
}

void pace_throttled(struct pace *p, int retry_after_ms, struct jitter *jitter,
		    int64_t now)
{
	int64_t until = now + retry_after_ms;

	/* Of requests that were under way together, the first refusal decides.  A delay
	 * that the vault names is the same for all pods, so the random one comes on top.
	 */
	if (now >= p->open_at)
		until += backoff_next(&p->backoff, jitter);
	if (until > p->open_at)
		p->open_at = until;
	p->width = 1;
}

void pace_answered(struct pace *p, int64_t asked_at)
{
	if (p->width == 0 || asked_at < p->open_at)
		return;
	p->width *= 2;
	if (p->width < FREE_WIDTH)
		return;
	p->width = 0;
	backoff_reset(&p->backoff);
}

size_t pace_width(const struct pace *p, size_t wanted)
{
	return p->width > 0 && p->width < wanted ? p->width : wanted;
}
