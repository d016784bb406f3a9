/*
 * health.h: answers the probes startup, ready and live over HTTP, at the sockets of
 * endpoint.h: always at the volume's, and at a port when one is asked for.
 *
 * A path and not an abstract socket: the permissions of its directory decide which
 * processes may ask, and no other process of the network namespace can take its name
 * first.
 *
 *   the volume's socket  GET /startup, /ready, /live, /status, /metrics;
 *                        POST /refresh: 202
 *   the port             GET /startupz, /readyz, /healthz: the same answers; /status,
 *                        /metrics, and / for people
 *
 * 200 is yes, of ready with what fails all the same.  503 is no, with the cause; of ready
 * also when no sync has succeeded for too long, or a
 * file or a link of the set is missing.  /startup?wait=MS is answered when
 * it is a yes, or after so many milliseconds.  Connections are bounded in number and in
 * time, and earlier ones make room for new ones (visitors.h), so that nobody keeps a
 * kubelet from asking.
 */
#ifndef RUN_HEALTH_H
#define RUN_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "run/document.h"

struct health;

/* Appends what a probe is told beside yes or no. */
typedef void health_tell(void *arg, struct buf *out);

/* What the probes are answered from, and what they ask for.  Owned by the caller. */
struct health_facts {
	bool started; /* a complete set of the active list is on the volume */
	bool ready;   /* and readers reach it, and it is not older than is allowed */
	document_write *write; /* the documents; with arg */
	health_tell *tell; /* while there is none: why; then what else ready is told */
	void *arg;
	bool refresh; /* set by health_run() when a poll is asked for */
};

/* The longest that a probe may wait for a yes. */
#define HEALTH_WAIT_MAX_MS 60000

/* Answers nobody yet; *facts must outlive the result.  health_free() it.  NULL is fine
 * everywhere but in health_open_…(). */
struct health *health_new(struct health_facts *facts);
/* Probes that wait are answered. */
void health_free(struct health *h);

/* Listen, as endpoint.h says.  ERR_IO. */
int health_open_path(struct health *h, int dir_fd, struct err *err) MUST_CHECK;
int health_open_port(struct health *h, const char *text, struct err *err) MUST_CHECK;

/* Readable when a request has come; -1: there is no socket. */
int health_fd(const struct health *h);

/* When an open connection needs attention; CLOCK_NEVER: none is open. */
int64_t health_deadline(const struct health *h, int64_t now);

/* Answers what has come in; never blocks. */
void health_run(struct health *h);

#endif
