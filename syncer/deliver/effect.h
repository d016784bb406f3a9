/*
 * effect.h: what a signal does to a process.  Pure: it decides from what proc.h has read.
 *
 * Whether the program has a handler of its own cannot be known when the runtime of its
 * language installs one for every program: Go, the JVM, Node, Ruby, PHP, Erlang.
 */
#ifndef DELIVER_EFFECT_H
#define DELIVER_EFFECT_H

#include <stdbool.h>

#include "base/err.h"
#include "deliver/proc.h"

/* From the worst to the best. */
enum effect {
	EFFECT_ENDS,    /* a signal to reload on would end it: it has no handler (yet) */
	EFFECT_NOTHING, /* it ignores the signal */
	EFFECT_UNSURE,  /* the handler may be the one of its language's runtime only */
	EFFECT_HANDLED, /* also: ended on purpose, as by TERM */
};

enum effect effect_of(const struct proc *p, int signal);

/* True for the signals that apps reload on and whose default action ends the process:
 * HUP, USR1 and USR2.  TERM, INT and QUIT are sent to end it. */
bool effect_is_reload(int signal);

/* Of EFFECT_NOTHING and EFFECT_UNSURE: fills *warning, which says what to check, unless
 * it holds one already.  Its kind stays ERR_NONE when there is nothing to warn of. */
void effect_warn(const struct proc *p, int signal, struct err *warning);

#endif
