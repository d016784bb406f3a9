/*
 * view.h: the picture of the state at one moment, with what others own: all that metrics,
 * status and page are made of.  Pure.
 */
#ifndef REPORT_VIEW_H
#define REPORT_VIEW_H

#include "base/buf.h"
#include "report/incident.h"
#include "report/state.h"

/* An object that expires in less time is marked for people, or is urgent: the limits of
 * the alert AkvsyncObjectExpiringSoon, for its severities "warning" and "critical". */
#define VIEW_EXPIRES_SOON_S (30 * 86400)
#define VIEW_EXPIRES_URGENT_S (7 * 86400)

/* What the system says of the process; -1: not known. */
struct view_process {
	int64_t cpu_ms, resident_bytes, open_fds, max_fds;
};

/* Strings are the caller's. */
struct view {
	const struct state *state;
	const struct incidents *incidents;
	int64_t now, wall_ms; /* the moment, by both clocks */
	bool ready;
	const char *reason; /* what a probe is told */
	const char *host;   /* the pod's name; of the page alone */
	const char *dir;
	const char *sandbox;    /* what it bounds, in words */
	const char *generation; /* NULL: there is no set */
	int64_t published_unix_ms;
	size_t files;
	int64_t poll_interval_ms;
	int64_t max_staleness_ms;    /* 0: none is set */
	int64_t next_poll_at;        /* CLOCK_NEVER: a sync is under way */
	struct view_process process; /* read by metrics alone */
};

/* The wall time of a monotonic one, in Unix milliseconds; 0 for one before 1970, which a
 * clock that was set back makes. */
int64_t view_wall_ms(const struct view *v, int64_t at);

/* Appends milliseconds as seconds: "1.250"; no less than "0.000". */
void view_seconds(struct buf *out, int64_t ms);

/* Why an object is not up to date: its own failure, or that of what it comes from or goes
 * to.  NULL: nothing is known to fail. */
const struct incident *view_cause(const struct view *v, const struct state_object *o);

/* "permission", "unavailable": the kind of a failure in metrics and status. */
const char *view_error_word(enum err_kind kind);

#endif
