/*
 * precheck.h: asks the programs of precheck= whether a set may be published.
 *
 * The set is made and not visible yet.  They are asked one after another, until one says
 * no: by another exit code than 0, by not ending in time, or because it cannot run.
 */
#ifndef DELIVER_PRECHECK_H
#define DELIVER_PRECHECK_H

#include "deliver/act.h"
#include "deliver/targets.h"

struct precheck;

/* generation is the name of the set's directory in DIR, changed its publish_changed();
 * all but the copied generation outlives the result.  NULL: none of the prechecks is
 * concerned. */
struct precheck *precheck_start(const struct targets *targets,
				const struct act_host *host, const char *generation,
				const struct paths *changed, int64_t now);
/* Ends one that still runs; NULL is fine. */
void precheck_free(struct precheck *p);

/* True: it is over. */
bool precheck_run(struct precheck *p, int64_t now);
int64_t precheck_deadline(const struct precheck *p);

/* 0: all agree.  ERR_IO: one says no, or it is not over; the message says why. */
int precheck_result(const struct precheck *p, struct err *err) MUST_CHECK;

/* The target that was asked last, and what its program printed, for hook_line(). */
const char *precheck_target(const struct precheck *p);
const char *precheck_output(const struct precheck *p);

#endif
