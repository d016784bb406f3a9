/*
 * state.h: the one picture of what the process knows and has done: of each object, each
 * vault, each target that is notified, and of the syncs.  Metrics, the status and the
 * page for people are made of it and of the incidents; nothing else keeps counters.
 * Pure: the time is passed in.  No value of an object and no digest of one gets in.
 *
 * Times are monotonic milliseconds; those that the vault or a file names are Unix time.
 */
#ifndef REPORT_STATE_H
#define REPORT_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/kind.h"
#include "net/request.h"
#include "report/histogram.h"

/* An event that has not happened. */
#define STATE_NEVER CLOCK_NEVER

/* ---- requests ---- */

/* What a request is for: the label "kind" of the metrics. */
enum state_request {
	REQUEST_SECRET,
	REQUEST_KEY,
	REQUEST_CERTIFICATE,
	REQUEST_LIST,
	REQUEST_CHALLENGE, /* without a token, for the vault's challenge */
	STATE_REQUESTS,
};
extern const char *const state_request_words[STATE_REQUESTS];

/* Statuses of answers differ by service, and one that is hostile could send all of them:
 * those that find no room are counted as other. */
#define STATE_CODES 14

/* The answers to one kind of request by their status, or by why there was none. */
struct state_codes {
	struct state_code {
		int status; /* 0: there was none; then failure says why */
		enum http_failure failure;
		uint64_t count; /* 0: this place is free */
	} items[STATE_CODES];
	uint64_t others;
};

#define STATE_CODE_LEN 16
/* "200", "timeout": the label "code". */
void state_code_word(char out[static STATE_CODE_LEN], const struct state_code *code);

struct state_vault {
	struct state_vault *next;
	char *name, *url, *host; /* host with :port, if any */
	struct state_codes codes[STATE_REQUESTS];
	struct histogram durations;
	uint64_t requests, throttled;
	bool used; /* the active list has something of it, as far as is known */
	/* How it is asked now, as sync/pace.h says; 0 while it is not used. */
	size_t width;    /* 0: no limit */
	int64_t open_at; /* nothing is sent before */
};

/* Access tokens. */
struct state_token {
	char *resource;
	int64_t expires_at;
};

/* ---- objects ---- */

enum state_freshness {
	OBJECT_UP_TO_DATE, /* the last sync confirmed its files, or made them anew */
	OBJECT_STALE,      /* it has files, and the last sync could not confirm them */
	OBJECT_MISSING,    /* it has no files */
};
/* "up-to-date", "stale", "missing". */
extern const char *const state_freshness_words[];

struct state_object {
	char *path; /* what the log calls it by */
	char *name;
	enum object_kind kind;
	const struct state_vault *vault;
	char *version; /* of its files; "": it has none */
	size_t files;
	enum state_freshness freshness;
	int64_t changed_unix_ms; /* its newest file; 0: not known */
	int64_t confirmed_at;    /* STATE_NEVER: not since the start */
	int64_t expires_unix_s;  /* 0: it does not, or it is not known */
	bool seen;               /* since state_objects_begin() */
};

/* What a sync came to for an object.  Strings are the caller's. */
struct state_sighting {
	const char *path, *name, *version;
	enum object_kind kind;
	const struct state_vault *vault;
	size_t files;
	bool confirmed;
	int64_t changed_unix_ms;
	int64_t expires_unix_s;
	bool rotated;           /* its files got another version than they had */
	int64_t created_unix_s; /* that version; 0: not known */
};

/* ---- syncs ---- */

enum state_sync {
	SYNC_UNCHANGED,
	SYNC_PUBLISHED,
	SYNC_PARTIAL, /* something failed; the rest is up to date */
	SYNC_HELD,    /* there is no set: an object has neither bytes nor files */
	SYNC_VETOED,  /* a precheck refuses the set */
	SYNC_REFUSED, /* the volume cannot be read or written */
	STATE_SYNCS,
};
extern const char *const state_sync_words[STATE_SYNCS];

/* ---- notifying ---- */

struct state_target {
	char *text;
	uint64_t successes, failures;
	int64_t last_success; /* STATE_NEVER: none */
	bool failing;         /* the last try failed */
};

/* ---- all of it ---- */

struct state {
	int64_t started_at;

	uint64_t syncs[STATE_SYNCS];
	struct histogram sync_durations;
	enum state_sync last_sync;
	int64_t last_sync_at;      /* its end; STATE_NEVER: there was none */
	int64_t last_sync_took_ms; /* of it */
	int64_t last_success;      /* the end of the last in which nothing failed */
	uint64_t failures_in_a_row;

	uint64_t rotations;
	struct histogram rotation_delays;
	uint64_t generations; /* sets that this process published */

	struct state_object *objects; /* in the order of their paths */
	size_t object_count;
	struct state_vault *vaults; /* in the order in which they were met */
	struct state_codes token_codes;
	struct histogram token_durations;
	struct state_token *tokens;
	size_t token_count;
	struct state_target *targets; /* in the order in which they were tried */
	size_t target_count;
};

/* The bounds of its histograms. */
extern const struct histogram_bounds state_sync_bounds, state_request_bounds,
	state_rotation_bounds;

void state_init(struct state *s, int64_t now);
void state_done(struct state *s);

/* The vault of this host; made when it is new.  Owned by s, for all its life. */
struct state_vault *state_vault(struct state *s, const char *host, const char *name,
				const char *url);

/* A request has come to its end: of this vault, by a purpose of state_request_words; or,
 * v NULL, for an access token.  Others are not counted. */
void state_requested(struct state *s, struct state_vault *v,
		     const struct http_seen *seen);

/* Between begin and end each object of the active list is seen once; end forgets those
 * that were not. */
void state_objects_begin(struct state *s);
void state_object_seen(struct state *s, const struct state_sighting *seen, int64_t now,
		       int64_t wall_ms);
void state_objects_end(struct state *s);

/* A sync of the active list has come to its end.  succeeded: nothing failed in it. */
void state_synced(struct state *s, enum state_sync what, bool succeeded, int64_t took_ms,
		  int64_t now);

/* A set was published. */
void state_published(struct state *s);

/* A target was tried, and that worked or failed. */
void state_notified(struct state *s, const char *target, bool ok, int64_t now);

/* It is not configured any more. */
void state_forget_target(struct state *s, size_t index);

/* The token of a resource; expires_at STATE_NEVER: there is none, and the end of the one
 * of before stays known. */
void state_token(struct state *s, const char *resource, int64_t expires_at);

/* Nothing asks for that resource any more. */
void state_forget_token(struct state *s, size_t index);

/* For how long nothing has confirmed the set: since the last sync in which nothing
 * failed, or since the start. */
int64_t state_staleness_ms(const struct state *s, int64_t now);

#endif
