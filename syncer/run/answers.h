/*
 * answers.h: what the probes are told of the running program, in words: one picture for
 * the socket, for HTTP and for the end of a start that was stopped.
 */
#ifndef RUN_ANSWERS_H
#define RUN_ANSWERS_H

#include "run/loop.h"

/* What has failed most recently while there is no set: in the round that is under way,
 * or else in the one before.  False: nothing has. */
bool answers_failure(const struct loop *l, struct err *out);

/* A health_tell; arg is the struct loop.  While there is no set: what has failed,
 * which answer is waited for, and why a changed configuration file is refused.  Then:
 * "ok", or that no sync has succeeded for too long or something of the set is missing,
 * and below it what fails now. */
void answers_tell(void *arg, struct buf *out);

/* The same without what fails beside a set that is there: one line. */
void answers_tell_briefly(const struct loop *l, struct buf *out);

#endif
