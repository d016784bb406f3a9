/*
 * pool.h: the sockets of the open connections, so that those that may be dead are not
 * taken for those that were opened after a failure.
 *
 * libcurl has no call to close a connection.  It would use a multiplexed one again after
 * a request has timed out on it; that its socket has been shut down it notices at once.
 */
#ifndef NET_POOL_H
#define NET_POOL_H

#include <stddef.h>

struct pool {
	struct pooled {
		int fd;
		unsigned born;
	} * items;
	size_t count;
	unsigned clock; /* ticks with each request and each connection */
};

/* The next tick: when a request was born. */
unsigned pool_tick(struct pool *p);

/* A connection's socket was opened, or is being closed. */
void pool_opened(struct pool *p, int fd);
void pool_closed(struct pool *p, int fd);

/* A request of that birth timed out on a connection (-1: on none): shuts that down, and
 * all as old as the request that are not busy. */
void pool_abandon(const struct pool *p, int own_fd, unsigned born, const int *busy,
		  size_t busy_count);

void pool_done(struct pool *p);

#endif
