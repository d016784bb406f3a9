/*
 * incident.h: what is failing now.  A failure is logged when it starts and when it
 * changes; repeats are counted; its end is logged with the count.
 *
 * A process has one collection of incidents, whichever list of objects is active.
 */
#ifndef REPORT_INCIDENT_H
#define REPORT_INCIDENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "report/log.h"

/* What fails.  An incident is found by its kind and its name, so an object that is called
 * like a vault, or "publish", has an incident of its own. */
enum incident_kind {
	INCIDENT_OBJECT,   /* name: the path of its file */
	INCIDENT_VALIDITY, /* an object is not meant to be used now; name: likewise */
	INCIDENT_LIST,     /* name: the words for it, "list of secrets like 'a*'" */
	INCIDENT_LEFT_OUT, /* some objects of a list have no place; name: the list's */
	INCIDENT_GONE,     /* a list no longer has what it had; name: the list's */
	INCIDENT_TEMPLATE, /* a file of a template cannot be made; name: its path */
	INCIDENT_ENV_FILE, /* an env file cannot be made or written; name: its path */
	INCIDENT_VAULT,    /* name: the vault's */
	INCIDENT_TOKEN_ENDPOINT, /* the service that gives access tokens; no name */
	INCIDENT_IDENTITY,       /* our own identity is refused; no name */
	INCIDENT_VOLUME,         /* a set cannot be published on it; no name */
	INCIDENT_SET,            /* a set is held back; no name */
	INCIDENT_PRECHECK,       /* a program refuses a set; name: the target's text */
	/* These are reported when they happen, not in rounds. */
	INCIDENT_CONFIGURATION, /* the changed file is refused; no name */
	INCIDENT_NOTIFY,        /* a target of AKVSYNC_NOTIFY fails; name: its text */
	INCIDENT_SECRET, /* a Kubernetes Secret cannot be written; name: its name */
};

/*
 * What is known of an incident since incidents_begin().  A later mark wins over an
 * earlier one, in whatever order they come: two lists that are asked for in turn may say
 * different things.
 *
 *   begin → UNASKED → confirm → WORKS → hold → UNANSWERED → report → FAILS
 */
enum incident_mark {
	INCIDENT_UNASKED,    /* nothing was asked about it: at the end it is withdrawn */
	INCIDENT_WORKS,      /* it was asked for and works: at the end it has recovered */
	INCIDENT_UNANSWERED, /* there was no answer about it: it stays open as it is */
	INCIDENT_FAILS, /* it fails: it stays open, and one more failure is counted */
};

struct incident {
	enum incident_kind kind;
	char *name;     /* "" where the kind has none */
	struct err err; /* the latest failure */
	enum log_level level;
	const char *consequence; /* of it; constant */
	int64_t since;           /* monotonic milliseconds */
	int64_t said;            /* when it was last logged */
	int count;               /* failures so far */
	enum incident_mark mark;
};

/* {0} is empty. */
struct incidents {
	struct incident *
		*items; /* the open ones, in the order of their kinds and names */
	size_t count;
};

/*
 * Between begin and end is one round, or one round for each list.  In it everything that
 * is asked for is marked: with incidents_report() when it fails, with incidents_confirm()
 * when it works, with incidents_hold() when there was no answer about it.
 *
 * The name may be NULL for a kind that has none.  Confirm and hold do nothing when there
 * is no such incident.  Each call takes
 * a time that grows with the logarithm of how many are open.
 */
void incidents_begin(struct incidents *all);

/* Of several reports since incidents_begin() only the first counts.  It is logged, and
 * true is returned, when it is new, when its cause is another than before, and, but for
 * INCIDENT_VALIDITY, once an hour: the message is that of err; consequence, a constant or
 * NULL, says what the failure means for the files. */
bool incidents_report(struct incidents *all, enum log_level level,
		      enum incident_kind kind, const char *name, const struct err *err,
		      const char *consequence, int64_t now);
void incidents_hold(struct incidents *all, enum incident_kind kind, const char *name);
void incidents_confirm(struct incidents *all, enum incident_kind kind, const char *name);

/* The same for all of a kind. */
void incidents_hold_all(struct incidents *all, enum incident_kind kind);
void incidents_confirm_all(struct incidents *all, enum incident_kind kind);

/* As incidents_report(), but does not log it: the caller does, with more to say.  True:
 * it is worth a line, as above. */
bool incidents_note(struct incidents *all, enum log_level level, enum incident_kind kind,
		    const char *name, const struct err *err, const char *consequence,
		    int64_t now);

/* Closes an incident that is not reported in rounds, and logs that: it works again, or
 * nothing asks for it any more.  Does nothing when there is no such incident. */
void incidents_close(struct incidents *all, enum incident_kind kind, const char *name,
		     bool works, int64_t now);

/* An open incident; NULL: there is none.  "object", "token-endpoint": the word of a kind,
 * as in the log's field "kind". */
const struct incident *incidents_get(const struct incidents *all, enum incident_kind kind,
				     const char *name);
const char *incident_word(enum incident_kind kind);

/* The latest failure of an incident; NULL: there is no such incident. */
const struct err *incidents_cause(const struct incidents *all, enum incident_kind kind,
				  const char *name);

/* Appends a line for each that is open, at most INCIDENTS_TOLD: what it is, for how long,
 * and its cause.  Those that concern the most objects come first. */
#define INCIDENTS_TOLD 10
void incidents_tell(const struct incidents *all, int64_t now, struct buf *out);

/* Closes the incidents that were confirmed (event "recovered", for a set "set-released")
 * and those that nothing asks for any more (event "withdrawn"), and logs that.  A refused
 * configuration, which nothing reports again, it logs once an hour. */
void incidents_end(struct incidents *all, int64_t now);

/* Forgets all of them without logging anything. */
void incidents_done(struct incidents *all);

#endif
