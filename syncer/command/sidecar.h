/*
 * sidecar.h: a question to the running sidecar, over its socket on the volume.
 *
 * The other end may be any process of our uid: what it says is bytes, and plain.h makes
 * them safe to show.
 */
#ifndef COMMAND_SIDECAR_H
#define COMMAND_SIDECAR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct sidecar_question {
	const char *path; /* of the URL: "/ready" */
	bool post;
	int64_t wait_ms;  /* for a yes; 0: the answer is wanted at once */
	size_t max_bytes; /* of the answer; 0: 256 KiB */
};

struct sidecar_answer {
	int status;      /* of HTTP; 0: nobody answered, and text says why */
	struct buf text; /* the body */
	bool absent;     /* nobody listens at the socket */
};

/* The volume of the configuration; the caller frees it. */
char *sidecar_dir(void);

/* Asks the sidecar of this volume once, or as long as the question waits while nobody
 * listens.  sidecar_answer_done() the answer.  ERR_IO: there is no such volume. */
int sidecar_ask(const char *dir, const struct sidecar_question *question,
		struct sidecar_answer *answer, struct err *err) MUST_CHECK;

/* Appends what is wrong when nobody answered, as one line. */
void sidecar_tell_none(const char *dir, const struct sidecar_answer *answer,
		       struct buf *out);

void sidecar_answer_done(struct sidecar_answer *answer);

#endif
