/*
 * visitors.h: the open connections of one server of health.h: how long each may stay, and
 * which one is ended when there are too many.
 *
 * A new connection is never refused.  When there are more than a server keeps, earlier
 * ones are ended: of the address that has most of them, the oldest first, but none that
 * had no time to ask yet.  So nobody who connects and says little keeps others from
 * asking for longer than a moment, not even others of the same address: through
 * `kubectl port-forward` and inside of the pod all of them are 127.0.0.1.
 */
#ifndef RUN_VISITORS_H
#define RUN_VISITORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct MHD_Connection;

/* From its start to its end, however slowly the other side sends. */
#define VISITOR_LIFE_MS 10000
/* So long it may take to ask, however many others come meanwhile. */
#define VISITOR_GRACE_MS 50

/* An open connection. */
struct visitor {
	struct MHD_Connection *connection; /* NULL: the place is free */
	int fd;
	uint8_t address[16]; /* of IPv6, or of IPv4 and zeros; zeros: a path's */
	int64_t since;
	bool waits; /* for a yes, until then; it is not ended for others */
	bool waited;
	bool ended;    /* its server closes it at its next run */
	int64_t until; /* when it is ended */
};

/* {0} has no places. */
struct visitors {
	struct visitor *places;
	size_t count; /* of places */
	size_t keep;  /* so many stay open; the other places are for newer ones */
};

/* As many places as the server accepts connections; visitors_done() the result. */
void visitors_init(struct visitors *v, size_t count, size_t keep);
void visitors_done(struct visitors *v);

/* A connection has been accepted.  NULL: there is no place. */
struct visitor *visitors_enter(struct visitors *v, struct MHD_Connection *connection,
			       int fd, const struct sockaddr *from, int64_t now);

/* It is closed. */
void visitors_leave(struct visitor *visitor);

size_t visitors_waiting(const struct visitors *v);

/* Ends those whose time is over, and those that are too many, by shutting down their
 * sockets: the server then finds nothing more to read and closes them. */
void visitors_run(struct visitors *v, int64_t now);

/* When visitors_run() has the next one to end; CLOCK_NEVER: none is open. */
int64_t visitors_deadline(const struct visitors *v);

#endif
