/*
 * health.h: answers the probes startup, ready and live, and takes requests to poll, over
 * HTTP on a unix socket of the volume: DIR/..sock, mode 0600.
 *
 * A path and not an abstract socket: the permissions of its directory decide which
 * processes may ask, and no other process of the network namespace can take its name
 * first.  GET /startup, /ready, /live: 200, or 503 with the cause in one line; POST
 * /refresh: 202.  Opens no port.
 */
#ifndef RUN_HEALTH_H
#define RUN_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct health;

/* Appends what a probe is told beside yes or no. */
typedef void health_tell(void *arg, struct buf *out);

/* What the probes are answered from, and what they ask for.  Owned by the caller. */
struct health_facts {
	bool started;      /* a complete set of the active list is on the volume */
	health_tell *tell; /* while there is none: why */
	void *arg;
	bool refresh; /* set by health_run() when a poll is asked for */
};

#define HEALTH_SOCKET "..sock"
#define HEALTH_PATH_LEN 64

/* The socket's path, by the descriptor of its directory: the name of a deep directory
 * does not fit a socket's address. */
void health_path(char out[static HEALTH_PATH_LEN], int dir_fd);

/* Listens, and replaces the socket of an earlier process; the caller holds the
 * directory's lock, and *facts must outlive the result.  ERR_IO.  health_free() the
 * result; NULL is fine everywhere. */
int health_new(struct health **out, int dir_fd, struct health_facts *facts,
	       struct err *err) MUST_CHECK;
void health_free(struct health *h);

/* Readable when a request has come; -1 when h is NULL. */
int health_fd(const struct health *h);

/* When an open connection needs attention; CLOCK_NEVER: none is open. */
int64_t health_deadline(const struct health *h, int64_t now);

/* Answers what has come in; never blocks. */
void health_run(struct health *h);

#endif
