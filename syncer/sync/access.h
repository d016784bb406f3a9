/*
 * access.h: what a vault needs before it answers: an access token and, the first time, a
 * request without one.  Its 401 opens the connection and brings the vault's challenge.
 *
 * Both requests run side by side, so the challenge costs no extra time.  For a long list
 * a few more anonymous requests open further connections.  Each failure is tried again as
 * tries.h says; then the access is refused for the rest of the fetch that it belongs to.
 */
#ifndef SYNC_ACCESS_H
#define SYNC_ACCESS_H

#include "net/http.h"
#include "sync/source.h"
#include "sync/tries.h"

/* Connections that are opened beside the first one when the list is longer than the
 * pool.  With HTTP/1.1 they save two round trips; with HTTP/2 they are of no use, so they
 * are few. */
#define ACCESS_WARM 4

enum access_state {
	ACCESS_PENDING, /* a token or the challenge is still missing */
	ACCESS_GRANTED, /* requests may be sent */
	ACCESS_REFUSED, /* no further try is made: access.failure says why */
};

/* The request that has been without an answer for longest. */
struct access_silence {
	int64_t asked_at;
	int64_t since; /* when the vault last answered, or the start of the fetch */
	int attempt;   /* 1, 2, … */
	bool of_token;
};

struct access_warm {
	struct access *access;
	struct http_call *call;
};

struct access {
	struct source *source;
	const char *url; /* what is asked for without a token; the owner's */
	size_t requests; /* how many requests will follow */
	int64_t since;   /* when the vault last answered, or the start */
	struct tries token_tries, probe_tries;
	unsigned token_seen; /* the token request whose failure was counted */
	bool needs_probe;
	struct http_call *probe;
	int64_t probed_at;
	struct err probe_err; /* the last failure of the anonymous request */
	struct access_warm warm[ACCESS_WARM];
	size_t warming;     /* calls of them under way */
	struct err failure; /* ERR_NONE: not refused */
};

/* The access must not move afterwards.  access_stop() it later. */
void access_start(struct access *a, struct source *source, int64_t now);

/* Asks for what is missing.  url, requests and since are set by the owner before. */
enum access_state access_run(struct access *a, int64_t now);

/* Takes over the resource that a 401 names in its WWW-Authenticate header, if it is of
 * the vault's own domain and tenant.  -1: it is not, and no token is sent for it. */
int access_learn(struct access *a, const char *header, struct err *err) MUST_CHECK;

/* True when nothing is missing, whatever the vault's pace. */
bool access_is_granted(const struct access *a, int64_t now);

/* When access_run() is due though nothing came from the network; CLOCK_NEVER: never. */
int64_t access_deadline(const struct access *a, int64_t now);

/* True when a request for what is missing has failed and has not worked since; *why says
 * how. */
bool access_failure(const struct access *a, struct err *why, int64_t now);

/* True when a request for what is missing is under way. */
bool access_is_silent(const struct access *a, struct access_silence *out, int64_t now);

/* Cancels what is under way. */
void access_stop(struct access *a);

#endif
