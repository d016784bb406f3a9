/*
 * confine.h: what of files, ports and programs a configuration needs, for the sandbox.
 *
 * A running process cannot widen its sandbox.  So a changed configuration that needs a
 * directory, a port or a program that the first one did not is refused, and needs a
 * restart.
 */
#ifndef RUN_CONFINE_H
#define RUN_CONFINE_H

#include "config/configuration.h"
#include "deliver/publish.h"
#include "sandbox/sandbox.h"
#include "sync/source.h"

struct confine {
	struct sandbox sandbox;
	struct sandbox_needs needs; /* of the configuration that it was made for */
};

/* Enters the sandbox, for a configuration whose vaults are among the sources, and for the
 * env files that an earlier list left and that will be removed.  Whatever is open by now
 * stays usable.  confine_done() the result.  ERR_IO. */
int confine_enter(struct confine *out, const struct configuration *c,
		  const struct sources *sources, const struct publish *publish,
		  struct err *err) MUST_CHECK;
void confine_done(struct confine *confine);

/* Logs a system call that the sandbox refused since the last time: a fault of ours, or
 * somebody else's code in this process. */
void confine_report(void);

/* Whether another configuration fits into the sandbox.  ERR_CONFIG. */
int confine_check(const struct confine *confine, const struct configuration *c,
		  const struct sources *sources, struct err *err) MUST_CHECK;

#endif
