/*
 * loopback.h: TCP connections to ourselves, for tests of what is done to sockets. Include
 * it once.
 */
#ifndef TESTS_LOOPBACK_H
#define TESTS_LOOPBACK_H

#include "unit.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

struct connection {
	int fd, peer; /* both ends; -1: closed */
	int port;     /* of fd */
};

static inline struct connection connection_make(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	struct connection c = { .fd = socket(AF_INET, SOCK_STREAM, 0) };

	assert_int_equal(bind(listener, (void *)&address, len), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (void *)&address, &len), 0);
	assert_int_equal(connect(c.fd, (void *)&address, len), 0);
	c.peer = accept(listener, NULL, NULL);
	assert_true(c.peer >= 0);
	assert_int_equal(getsockname(c.fd, (void *)&address, &len), 0);
	c.port = ntohs(address.sin_port);
	close(listener);
	return c;
}

/* The peer sees at once that it was shut down. */
static inline bool connection_is_open(const struct connection *c)
{
	struct pollfd wait = { .fd = c->peer, .events = POLLIN };

	return poll(&wait, 1, 0) == 0;
}

static inline void connection_close(struct connection *c)
{
	close(c->fd);
	close(c->peer);
	c->fd = c->peer = -1;
}

#endif
