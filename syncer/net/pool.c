#include "net/pool.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"

uint64_t pool_number(struct pool *p)
{
	return ++p->last;
}

void pool_opened(struct pool *p, int fd)
{
	p->items = xgrow(p->items, p->count, sizeof(*p->items));
	p->items[p->count++] = (struct pooled){ .fd = fd, .born = pool_number(p) };
}

void pool_closed(struct pool *p, int fd)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->items[i].fd == fd)
			p->items[i--] = p->items[--p->count];
}

static bool is_between(int fd, int own_port, const char *peer)
{
	struct sockaddr_storage own = { 0 }, other = { 0 };
	socklen_t own_len = sizeof(own), other_len = sizeof(other);
	char text[INET6_ADDRSTRLEN];
	const struct sockaddr_in *v4 = (void *)&own;
	const struct sockaddr_in6 *v6 = (void *)&own;
	const void *address = &((struct sockaddr_in *)(void *)&other)->sin_addr;

	if (getsockname(fd, (void *)&own, &own_len) < 0 ||
	    getpeername(fd, (void *)&other, &other_len) < 0 ||
	    (own.ss_family != AF_INET && own.ss_family != AF_INET6))
		return false;
	if (own.ss_family == AF_INET6)
		address = &((struct sockaddr_in6 *)(void *)&other)->sin6_addr;
	return ntohs(own.ss_family == AF_INET ? v4->sin_port : v6->sin6_port) ==
		       own_port &&
	       inet_ntop(own.ss_family, address, text, sizeof(text)) &&
	       strcmp(text, peer) == 0;
}

int pool_find(const struct pool *p, int own_port, const char *peer)
{
	for (size_t i = 0; i < p->count; i++)
		if (is_between(p->items[i].fd, own_port, peer))
			return p->items[i].fd;
	return -1;
}

static bool is_busy(int fd, const int *busy, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (busy[i] == fd)
			return true;
	return false;
}

void pool_abandon(const struct pool *p, int own_fd, uint64_t born, const int *busy,
		  size_t busy_count)
{
	for (size_t i = 0; i < p->count; i++) {
		const struct pooled *c = &p->items[i];

		if (c->fd == own_fd ||
		    (c->born < born && !is_busy(c->fd, busy, busy_count)))
			shutdown(c->fd, SHUT_RDWR);
	}
}

void pool_done(struct pool *p)
{
	free(p->items);
	*p = (struct pool){ 0 };
}
