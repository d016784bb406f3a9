/*
 * notify_outcome.h: the result of one attempt to notify a target, for the log.  A type
 * only.
 */
#ifndef DELIVER_NOTIFY_OUTCOME_H
#define DELIVER_NOTIFY_OUTCOME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct notify_outcome {
	const char *target; /* the entry's text */
	const char *generation;
	bool ok;
	bool waits;          /* when !ok: nothing has failed, but it is too early */
	int attempt;         /* 1, 2, … for this generation */
	int64_t retry_in_ms; /* when !ok */
	struct err err;      /* when !ok: says the fix */
	struct err warning;  /* once a target: the signal may not have reached the app, or
				have ended it; kind ERR_NONE: no warning */
	int processes;       /* how many were signalled; 0: it signals none */
	int status;          /* of an answer over HTTP; 0: there is none */
	int exit_code;       /* the program is to end with it now; 0: it goes on */
	const char *output;  /* what a program printed, for hook_line(); "": nothing */
};

#endif
