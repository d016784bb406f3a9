/*
 * outcomes.h: what is logged of notifying the app.
 */
#ifndef RUN_OUTCOMES_H
#define RUN_OUTCOMES_H

#include "deliver/notify_outcome.h"
#include "report/incident.h"

/* One attempt: what it came to, and what a program printed.  A failure is an incident. */
void outcomes_log(struct incidents *incidents, const struct notify_outcome *o,
		  int64_t now);

#endif
