/*
 * signals.h: the signals that the process reads instead of being interrupted by them:
 * SIGTERM and SIGINT ask for a stop, SIGHUP for a poll.  signalfd(2).
 */
#ifndef RUN_SIGNALS_H
#define RUN_SIGNALS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* The signals that came since the last call; several may have come together. */
struct signals_taken {
	bool stop;        /* SIGTERM or SIGINT */
	bool poll;        /* SIGHUP */
	int stop_number;  /* the signal that asked first for the stop */
	int64_t stop_pid; /* the process that sent it; 0: one that we cannot see */
};

/* Blocks these signals, and SIGPIPE, for this thread and all that libraries start later.
 * First thing in the process. */
void signals_block(void);

/* A descriptor that is readable when a signal came; the caller closes it.  -1 with
 * ERR_IO.
 */
int signals_open(struct err *err) MUST_CHECK;

/* Takes all signals that came, without waiting. */
struct signals_taken signals_take(int fd);

#endif
