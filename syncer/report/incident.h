/*
 * incident.h: what is failing now.  A failure is logged when it starts and when it
 * changes; repeats are counted; its end is logged with the count.
 *
 * There is one set of them in a process, whatever list of objects is in force.
 */
#ifndef REPORT_INCIDENT_H
#define REPORT_INCIDENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "report/log.h"

struct incident {
	char *key;      /* what fails: an object's path, "vault 'NAME'", "token endpoint",
			   "identity", "publish" */
	struct err err; /* the latest failure */
	int64_t since;  /* monotonic milliseconds */
	int64_t said;   /* when it was last logged */
	int count;      /* failures so far */
	bool reported, held; /* since the last incidents_begin() */
};

struct incidents {
	struct incident *items;
	size_t count;
};

/* Between begin and end, which is one round or one for each list, every failure that
 * still holds is reported, of which the first report counts, and what was not looked at
 * is held; end logs the end of the others. */
void incidents_begin(struct incidents *all);
void incidents_report(struct incidents *all, enum log_level level, const char *key,
		      const struct err *err, const char *consequence, int64_t now);
/* Whether it still fails is not known: it stays as it is. */
void incidents_hold(struct incidents *all, const char *key);
void incidents_end(struct incidents *all, int64_t now);

void incidents_done(struct incidents *all);

#endif
