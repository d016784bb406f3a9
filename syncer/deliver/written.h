/*
 * written.h: what each Kubernetes Secret was given last by this pod, remembered on the
 * volume in ..secrets:
 * {"format":1,"list":"1f…","since":1790000000000,"sources":{"db":"0c…"}}.
 *
 * It lives as long as the pod, so a container that starts again knows what it had
 * written, and since when the pod has its list.
 */
#ifndef DELIVER_WRITTEN_H
#define DELIVER_WRITTEN_H

#include <stdint.h>

#include "base/buf.h"
#include "base/json.h"

struct written {
	struct json *root;
	const struct json *sources; /* NULL: nothing is remembered */
	const char *list;           /* "": likewise */
	int64_t since_ms;
};

/* What cannot be read or understood counts as nothing.  written_done() the result. */
struct written written_read(int dir_fd);
void written_done(struct written *w);

/* What the Secret was given last; "": nothing. */
const char *written_source(const struct written *w, const char *name);

/* A new memory: begin, add each Secret with json_add_pair(), save.  ERR_IO: the old one
 * stays. */
struct buf written_begin(void);
int written_save(int dir_fd, const char *list, int64_t since_ms, struct buf *members,
		 struct err *err) MUST_CHECK;

#endif
