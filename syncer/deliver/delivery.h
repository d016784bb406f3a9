/*
 * delivery.h: where one target stands: what it was notified of last, whether it is due,
 * and the try that is under way.
 */
#ifndef DELIVER_DELIVERY_H
#define DELIVER_DELIVERY_H

#include "base/backoff.h"
#include "deliver/act.h"
#include "deliver/notify_outcome.h"

struct delivery {
	char *delivered; /* the last generation it was notified of, "": none; NULL: not
			    known */
	int64_t due;     /* CLOCK_NEVER: nothing to deliver, or a try is under way */
	struct act *act; /* the try that is under way; NULL: none */
	char *trying;    /* the generation of the latest try */
	int try_number;  /* and which try of that generation it is */
	struct paths missed; /* what has changed since it was notified */
	bool missed_unknown; /* and more that is not known */
	struct backoff backoff;
	int attempts;
	struct err err;          /* of the last attempt for this generation */
	struct process_set told; /* of this generation */
	bool warned;             /* of what it may not notice, or may end by */
};

/* One that is not due.  delivery_done() later. */
#define DELIVERY_NONE ((struct delivery){ .due = CLOCK_NEVER })
void delivery_done(struct delivery *d);

/* Remembers that it was notified of this generation last. */
void delivery_set(struct delivery *d, const char *generation);

/* It is due from then on, for a set that changes these paths; NULL: it is not known
 * which.  Its tries are counted anew. */
void delivery_make_due(struct delivery *d, const struct paths *changed, int64_t at);

/* A set that it need not be told of has changed these paths. */
void delivery_add_missed(struct delivery *d, const struct paths *changed);

/* Begins a try for the newest generation. */
void delivery_begin(struct delivery *d, const struct target *t,
		    const struct act_host *host, const char *generation, int64_t now);

/*
 * Ends the try, which is over: it was notified of the set that was the newest when the
 * try began, and then of those since then that do not concern it, too; or it is put off.
 * *out points into the act, which is now the caller's to free.
 */
struct act *delivery_end(struct delivery *d, const struct target *t, const char *newest,
			 struct jitter *jitter, int64_t now, struct notify_outcome *out);

/* Makes a try that worked one that failed, by out->err: it was last notified of this
 * generation, NULL: of none. */
void delivery_take_back(struct delivery *d, const char *delivered, struct jitter *jitter,
			int64_t now, struct notify_outcome *out);

#endif
