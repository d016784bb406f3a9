/*
 * app.h: the one CMD that runs: its start with the newest values, what it is told, its
 * end.
 */
#ifndef EXEC_APP_H
#define EXEC_APP_H

#include <signal.h>
#include <stdbool.h>

#include "exec/arguments.h"
#include "exec/child.h"
#include "exec/values.h"

struct app {
	/* The caller's. */
	const struct arguments *arguments;
	const struct child_origin *origin;

	struct values values;
	bool advised;      /* of what --all never sets */
	bool has_terminal; /* there is one, and it was ours before the first start */
	bool is_stopped;   /* by job control */
	bool is_refused;   /* this process may not signal it, which was told */
	pid_t pid;         /* 0: it does not run */
	pid_t group;       /* its process group, also after its end; 0: never started */
	int code;          /* of the last one: its exit code, or 128 and a signal */
};

void app_init(struct app *a);
void app_done(struct app *a);

/*
 * Starts CMD with the newest values.  The kinds of values_make(), and then *faults says
 * all that is wrong, for the caller to free; or those of child_start(), and then
 * *cannot_run is true.
 */
int app_start(struct app *a, struct faults *faults, bool *cannot_run,
	      struct err *err) MUST_CHECK;

/* What a change leads to: asks it to end, as the arguments say; sends the signal for a
 * change; kills it and its process group. */
void app_ask_to_end(struct app *a);
void app_tell(struct app *a);
void app_kill(struct app *a);

/* The exit code that stands for an end. */
int app_exit_code(const siginfo_t *info);

/* It was stopped by a signal; continues it; it has ended. */
void app_stopped(struct app *a, int number);
void app_continue(struct app *a);
void app_ended(struct app *a, const siginfo_t *info);

#endif
