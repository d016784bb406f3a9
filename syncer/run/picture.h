/*
 * picture.h: what the running program shows of itself: the state, with what the vaults,
 * the tokens, the volume and the process are like at this moment.
 */
#ifndef RUN_PICTURE_H
#define RUN_PICTURE_H

#include "run/health.h"
#include "run/loop.h"

/* A document_write; arg is the struct loop. */
void picture_write(void *arg, enum document document, struct buf *out);

#endif
