/*
 * retry.h: what of a fetch is tried again, when, and when it is given up.  A part of
 * sync/fetch, which it shares the fetch's state with.
 */
#ifndef SYNC_RETRY_H
#define SYNC_RETRY_H

#include "base/backoff.h"
#include "sync/fetch.h"

#define RETRY_BACKOFF BACKOFF_INIT(500, 8000)

/* Connections opened beside the first when the list is long: more than the pool can ask
 * for at once.  With HTTP/1.1 they save two round trips; with HTTP/2 they are for
 * nothing, so they are few. */
#define WARM 4

/* Tries of one thing of a fetch: the token, or the anonymous request. */
struct tries {
	struct backoff backoff;
	int failures;
	int64_t not_before;
};

struct fetch {
	struct source *source;
	struct fetch_item *items, **tail;
	size_t count, running;
	int64_t progress;   /* when it started, or the vault answered last */
	struct err failure; /* what was last to be tried again since */
	struct warm {
		struct fetch *fetch;
		struct http_call *call;
	} warm[WARM];
	size_t warming; /* calls of them under way */
	struct tries token_tries, probe_tries;
	unsigned token_seen; /* the token request whose failure has been counted */
	bool needs_probe;
	unsigned refused; /* the serial of a token that was, so that a new one was asked
			     for; 0: none */
	struct http_call *probe;
	struct err probe_err;
};

/* A failure that may be over in a moment. */
bool retry_is_passing(const struct err *err);

/* How long to wait before the next try; -1 when there is none. */
int64_t retry_in_ms(struct fetch *f, struct backoff *backoff, int failures,
		    const struct err *err, int64_t now);

/* Counts a failed try.  False: it was the last. */
bool retry_later(struct fetch *f, struct tries *t, const struct err *err, int64_t now);

/* True when the vault has had enough of us, or named a delay. */
bool retry_is_throttled(const struct http_reply *reply);

/* That holds for all that is asked of it. */
void retry_slow_down(struct fetch *f, const struct err *err, int64_t now);

/* The vault has answered. */
void retry_progress(struct fetch *f);

/* A delay beyond the last try, or only failures until then: nothing more is asked in this
 * round.  Else each item of a long list would wait for its own time-out. */
void retry_give_up(struct fetch *f, int64_t now);

#endif
