/*
 * notified.h: which set each target was notified of last, remembered on the volume in
 * ..notified: {"format":1,"delivered":{"signal=HUP,process=nginx":"..2026_…"}}.
 */
#ifndef DELIVER_NOTIFIED_H
#define DELIVER_NOTIFIED_H

#include "base/buf.h"
#include "base/json.h"

enum notified_memory {
	NOTIFIED_NONE,    /* no ..notified: nothing was ever delivered */
	NOTIFIED_FOREIGN, /* something that cannot be understood, in whole or in part */
	NOTIFIED_READ,
};

struct notified {
	enum notified_memory memory;
	struct json *root;            /* notified_done() frees it */
	const struct json *delivered; /* of NOTIFIED_READ: the members are targets */
};

/* ERR_UNAVAILABLE: it could not be read, for another reason than those above. */
int notified_read(int dir_fd, struct notified *out, struct err *err) MUST_CHECK;
void notified_done(struct notified *n);

/* The set that a target was notified of last; NULL: it is not listed. */
const char *notified_last(const struct notified *n, const char *target);

/* A new memory: begin, add each target with json_add_pair(), write.  ERR_IO: the old one
 * stays. */
struct buf notified_begin(void);
int notified_write(int dir_fd, struct buf *members, struct err *err) MUST_CHECK;

#endif
