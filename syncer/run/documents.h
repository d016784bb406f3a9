/*
 * documents.h: what health.h hands out besides the answers to probes.  A document is made
 * at most once a second, however many ask for it, so that they cost the syncs nothing.
 * What was made stays as long as somebody still reads it, up to a bound for all.
 */
#ifndef RUN_DOCUMENTS_H
#define RUN_DOCUMENTS_H

#include <microhttpd.h>
#include <stddef.h>
#include <stdint.h>

#include "run/document.h"

/* {0} is empty.  Must not move while a connection still reads. */
struct documents {
	struct rendering {
		struct MHD_Response *response; /* NULL: there is none */
		int64_t made_at;
	} items[DOCUMENTS];
	size_t bytes; /* of those, and of older ones that somebody still reads */
};

/* The document as it was at most a second ago; NULL: too much is still being read.  Owned
 * by d until its next call. */
struct MHD_Response *documents_get(struct documents *d, document_write *write, void *arg,
				   enum document which, int64_t now);

/* Frees what nobody has asked for lately. */
void documents_run(struct documents *d, int64_t now);

/* When it has something to free; CLOCK_NEVER: there is nothing. */
int64_t documents_deadline(const struct documents *d);

/* Frees all that no connection reads. */
void documents_drop(struct documents *d);

#endif
