/*
 * act.h: one try to notify a target: begun, perhaps waiting for an answer, over.
 */
#ifndef DELIVER_ACT_H
#define DELIVER_ACT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "deliver/hook.h"
#include "deliver/process.h"
#include "deliver/target.h"
#include "net/http.h"

struct publish;

/* What all tries work with; all of it outlives them. */
struct act_host {
	struct http *http;
	const struct publish *publish; /* NULL: there is none, in tests */
	const char *dir;               /* AKVSYNC_DIR */
	int dir_fd;                    /* and its descriptor */
	int64_t restart_min_ms;        /* AKVSYNC_RESTART_MIN */
};

struct act_work {
	const struct target *target;
	const struct act_host *host;
	const char *generation;
	const struct paths *changed; /* since it was last notified; NULL: not known */
	struct process_set *told; /* processes that were signalled of this generation */
	int64_t now;
};

struct act {
	bool over;
	/* When it is over: */
	struct err err;     /* kind ERR_NONE: it worked */
	struct err warning; /* kind ERR_NONE: no warning */
	int processes;      /* how many were signalled */
	int status;         /* of the answer */
	int exit_code;      /* the program is to end with it; 0: it goes on */

	/* While it waits: */
	struct http *http;
	struct http_call *call;
	int status_min, status_max;
	struct hook *hook;
};

/* Begins a try; act_free() the result.  Never blocks for longer than the file system. */
struct act *act_start(const struct act_work *work);

/* Ends it: 0, or -1 with *err.  For those that start one. */
void act_end(struct act *a, int result, const struct err *err);

/* Moves it on; true: it is over. */
bool act_run(struct act *a, int64_t now);

/* When act_run() is due though nothing came; CLOCK_NEVER: it waits for a descriptor, or
 * is over. */
int64_t act_deadline(const struct act *a);

/* What a program printed, for hook_line(); "" when none ran. */
const char *act_output(const struct act *a);

/* Ends one that is still waiting; NULL is fine. */
void act_free(struct act *a);

#endif
