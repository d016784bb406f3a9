/*
 * check_view.h: what both reports of `check` show, and the words that they share.
 */
#ifndef COMMAND_CHECK_VIEW_H
#define COMMAND_CHECK_VIEW_H

#include "config/configuration.h"
#include "sync/check.h"
#include "sync/cost.h"

/* Of a report, and of one value in it. */
#define CHECK_TEXT_MAX (16 * 1024 * 1024)

struct check_view {
	const struct configuration *configuration;
	const struct check *check;
	bool online;             /* every object was asked for */
	bool by_argument;        /* the configuration file is one of the command line */
	struct cost_terms terms; /* of how many pods the cost is to be told */
};

/* Where a setting's value comes from: configuration_source(), or "argument". */
const char *check_source(const struct check_view *view, const char *name);

/* "ok", "absent" or "FAILED"; "-" when nothing was asked for. */
const char *check_verdict(const struct check_entry *e, bool online);

/* Target i of all, the prechecks behind the others; NULL: there are no more. */
const struct target *check_target(const struct targets *all, size_t i);

#endif
