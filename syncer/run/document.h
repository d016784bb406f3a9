/*
 * document.h: what the sidecar shows of itself besides the answers to probes.  Types
 * only.
 */
#ifndef RUN_DOCUMENT_H
#define RUN_DOCUMENT_H

#include "base/buf.h"

enum document {
	DOCUMENT_STATUS, /* JSON */
	DOCUMENT_METRICS,
	DOCUMENT_OPENMETRICS,
	DOCUMENT_PAGE, /* HTML */
	DOCUMENTS,
};

/* Appends the document as it is now. */
typedef void document_write(void *arg, enum document which, struct buf *out);

#endif
