/*
 * writer.h: makes one Secret of the cluster what it is to be.
 *
 *   LOOKS ──▶ WRITES ──▶ OWNS ──▶ OVER
 *    │ │        ▲ │        ▲  │
 *    │ └────────┼─┼────────┘  │   nothing of a step is to be done: the next one
 *    │          │ └─▶ LOOKS ◀─┘   a conflict: somebody else wrote meanwhile, a few times
 *    └─▶ TRIES ─┘                 the look is refused
 *
 * LOOKS is a dry run, which needs no other permission than writing does, and whose answer
 * is the Secret as it is.  When there is none, the dry run would make one without data
 * and labels, which a policy of the cluster may refuse.  So then TRIES is a dry run of
 * the whole Secret: when that would create it, there is none, and it is written.
 *
 * The answer to each of the other requests is the Secret as it is then, which decides on
 * the next step: OWNS may go back to WRITES once, and be repeated for each claim that the
 * pod has left over.
 */
#ifndef CLUSTER_WRITER_H
#define CLUSTER_WRITER_H

#include "cluster/api_server.h"
#include "cluster/secret.h"
#include "net/http.h"

enum writer_step { WRITER_LOOKS, WRITER_TRIES, WRITER_WRITES, WRITER_OWNS, WRITER_OVER };

/* What became of the data. */
enum writer_result {
	WRITER_FAILED,
	WRITER_UNCHANGED,
	WRITER_CREATED,
	WRITER_CHANGED,
	WRITER_YIELDED, /* another pod's word counts */
};

struct writer;

/* Starts.  What it is given stays the caller's, and outlives it; of *secret the source
 * and shown_ms may change.  writer_free() ends it. */
struct writer *writer_new(struct http *http, struct api_server *server,
			  const struct settings *settings, struct cluster_secret *secret);
void writer_free(struct writer *w);

/* WRITER_OVER: *result says what became of it; of WRITER_FAILED *err says why, as
 * status.h and secret.h do. */
enum writer_step writer_state(const struct writer *w, enum writer_result *result,
			      struct err *err);

#endif
