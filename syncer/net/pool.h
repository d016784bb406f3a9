/*
 * pool.h: the sockets of the open connections, and which of them may be dead.
 *
 * libcurl has no call that closes a connection, and would send further requests over one
 * on which a request has timed out.  When its socket has been shut down, libcurl notices
 * and takes another connection.  Requests and connections are numbered in one sequence:
 * a connection with a lower number than a request that timed out was open before it, so
 * it may be dead, too, unless another request is using it.
 */
#ifndef NET_POOL_H
#define NET_POOL_H

#include <stddef.h>
#include <stdint.h>

struct pool {
	struct pooled {
		int fd;
		uint64_t born; /* its number */
	} * items;
	size_t count;
	uint64_t last; /* the highest number so far */
};

/* The next number. */
uint64_t pool_number(struct pool *p);

/* A connection's socket was opened, or is being closed. */
void pool_opened(struct pool *p, int fd);
void pool_closed(struct pool *p, int fd);

/* The socket of the connection between this port of ours and that address, as text; -1:
 * there is none.  libcurl tells of a request under way only these. */
int pool_find(const struct pool *p, int own_port, const char *peer);

/* A request of that number timed out on a connection (-1: on none): shuts this one down,
 * and those that were opened before the request and are not among the busy ones. */
void pool_abandon(const struct pool *p, int own_fd, uint64_t born, const int *busy,
		  size_t busy_count);

void pool_done(struct pool *p);

#endif
