#include "net/pool.h"

#include <limits.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "base/mem.h"

unsigned pool_tick(struct pool *p)
{
	return ++p->clock;
}

void pool_opened(struct pool *p, int fd)
{
	p->items = xgrow(p->items, p->count, sizeof(*p->items));
	p->items[p->count++] = (struct pooled){ .fd = fd, .born = pool_tick(p) };
}

void pool_closed(struct pool *p, int fd)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->items[i].fd == fd)
			p->items[i--] = p->items[--p->count];
}

static bool is_busy(int fd, const int *busy, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (busy[i] == fd)
			return true;
	return false;
}

void pool_abandon(const struct pool *p, int own_fd, unsigned born, const int *busy,
		  size_t busy_count)
{
	for (size_t i = 0; i < p->count; i++) {
		const struct pooled *c = &p->items[i];
		bool older = c->born - born > UINT_MAX / 2; /* the clock may wrap */

		if (c->fd == own_fd || (older && !is_busy(c->fd, busy, busy_count)))
			shutdown(c->fd, SHUT_RDWR);
	}
}

void pool_done(struct pool *p)
{
	free(p->items);
	*p = (struct pool){ 0 };
}
