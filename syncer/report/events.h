/*
 * events.h: what events the log has: the one table that the manual and docs/operate.md
 * are made from.  A test compares it with what the sources log.
 */
#ifndef REPORT_EVENTS_H
#define REPORT_EVENTS_H

struct event {
	const char *name; /* the field "event" */
	const char *kind; /* the field "kind" of an incident; NULL: it has none, or any */
	const char *levels;  /* "info", or several: "warn, error" */
	const char *fields;  /* the names of its other fields: "what, kind"; "": none */
	const char *meaning; /* one line of plain text, as `action` is */
	const char *action;  /* what to do */
};

/* In the order of their names and kinds, ended by a NULL name. */
extern const struct event events[];

#endif
