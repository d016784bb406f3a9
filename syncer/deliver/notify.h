/*
 * notify.h: notifies the app that a new set has replaced an earlier one.
 *
 * Targets come from AKVSYNC_NOTIFY.  Each is tried until it succeeds, with bounded
 * backoff, always for the newest generation only.  DIR/..notified remembers which set
 * each target was notified of, so that a restart neither repeats nor loses an event.  At
 * a first set only targets marked on=first run: the app does not exist yet, and a signal
 * could kill it.
 *
 * A target with filters is notified of the sets that change one of its paths; the others
 * count as delivered.  Where it is not known what has changed, since the process was
 * killed in between, it is notified.
 *
 * A try may have to wait for an answer.  A set that is published meanwhile does not end
 * it: the target is due again afterwards.
 */
#ifndef DELIVER_NOTIFY_H
#define DELIVER_NOTIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/backoff.h"
#include "base/err.h"
#include "deliver/act.h"
#include "deliver/notify_outcome.h"
#include "deliver/precheck.h"

struct notify;

/*
 * Parses the targets.  text may be NULL: none.  ERR_CONFIG names the entry, the rule and
 * the fix.  host may be NULL to parse only; else what it points to stays the caller's and
 * outlives *out.  notify_free() the result.
 */
int notify_new(struct notify **out, const char *text, const struct act_host *host,
	       int64_t splay_ms, struct jitter *jitter, struct err *err) MUST_CHECK;
void notify_free(struct notify *n);

/*
 * At start, with the generation found on the volume (NULL: none): targets that ..notified
 * shows behind that generation become due.  before_app: the app does not run, only
 * on=first targets become due; the others stay behind.
 *
 * A target that ..notified does not list is new.  It is behind only when ..notified also
 * lists a target that is behind: the new one may stand for the same app, as when a typo
 * in a name was corrected.
 *
 * Without a ..notified, or with one that is garbage or of another format, nothing is
 * known to be delivered, and the promise is "at least once".  is_first: the set is the
 * first one on its volume, so only on=first targets become due; else all do.  A
 * ..notified without a set says that the app may run all the same: it is notified of the
 * next set, though that is a first one.  ERR_UNAVAILABLE: ..notified could not be read
 * for another reason.  Nothing is written, and no target is due; worth trying again.
 */
int notify_resume(struct notify *n, const char *generation, bool is_first,
		  bool before_app, int64_t now, struct err *err) MUST_CHECK;

/*
 * At a reload, in place of notify_resume(): n, just made, continues what old has not
 * delivered.  A target with the same text stays where it was; one that failed is tried
 * now; a try that waits for its answer goes on. A target that is new inherits the oldest
 * generation that another target has not been notified of, also one that was removed at
 * an earlier reload, and is then due now.  old is only good for the caller to free.
 */
void notify_take_over(struct notify *n, struct notify *old, int64_t now);

/*
 * After a set was published.  changed: the paths that it changed; NULL: not known.
 * before_app: there was no set before, or the app does not
 * run for another reason: only on=first targets become due, and without delay.
 *
 * Otherwise each target becomes due after a random part of the splay.  One that is due
 * already stays due no later than it was, so that frequent sets do not put it off.
 */
void notify_published(struct notify *n, const char *generation,
		      const struct paths *changed, bool before_app, int64_t now);

/* While true, no exit= ends the program: what the containers read when they start is not
 * written yet. */
void notify_hold_exit(struct notify *n, bool hold);

/* When a target is next due, or an attempt has to end; CLOCK_NEVER: never. */
int64_t notify_deadline(const struct notify *n);

/* Begins the attempts that are due; true: *out says how one that is over went, call
 * again.  What it points to is good until the next call. */
bool notify_run(struct notify *n, int64_t now, struct notify_outcome *out);

/* Asks the prechecks about a set that is not published yet, as precheck.h says; NULL:
 * none is concerned. */
struct precheck *notify_precheck(const struct notify *n, const char *generation,
				 const struct paths *changed, int64_t now);

/* True when there is a target with this text. */
bool notify_has(const struct notify *n, const char *text);

/* The text of a target that signals a process; NULL: none does. */
const char *notify_signal_target(const struct notify *n);

/* Why an on=first target has not been notified, also when it only waits; NULL: all have
 * been, or are still to be tried. */
const struct err *notify_first_failure(const struct notify *n);

/* True while an on=first target has not succeeded that has been tried less often, or that
 * is being tried. */
bool notify_first_pending(const struct notify *n, int tries);

#endif
