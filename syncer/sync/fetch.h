/*
 * fetch.h: many requests to one vault at once.
 *
 * When access to the vault is granted (access.h), all items are asked for over a few
 * connections that stay open.  Within one fetch, statuses that pass (net/retry.h),
 * transport errors and replies that make no sense are tried again (tries.h), 401 once
 * with a new token, and 400, 403 and 404 never.
 */
#ifndef SYNC_FETCH_H
#define SYNC_FETCH_H

#include <stdbool.h>
#include <stdint.h>

#include "net/http.h"
#include "sync/access.h"
#include "sync/source.h"
#include "sync/tries.h"

/* Reads the reply to a request, of any status, into what arg is.  Fails like the parsers
 * of azure/vault.h; its message does not name the object. */
typedef int fetch_parse(void *arg, struct http_reply *reply, struct err *err);

enum fetch_state {
	FETCH_NONE,    /* not asked for */
	FETCH_WAITING, /* for its turn, or for its next try */
	FETCH_RUNNING, /* a request is under way */
	FETCH_GOT,
	FETCH_FAILED,
};

/* One GET: a version of an object, or a page of a list. */
struct fetch_item {
	const char *url;   /* of the fetch's vault; it, words and arg outlive the item */
	const char *words; /* for messages: "secret 'db-pass'" */
	const char *purpose; /* as net/request.h has it; a constant */
	fetch_parse *parse;
	void *arg;
	size_t max_bytes; /* of the reply; 0: enough for one object */

	enum fetch_state state;
	struct err err; /* FETCH_FAILED, and the last failure while it is tried again */

	/* fetch.c's own */
	struct fetch *fetch;
	struct fetch_item *next;
	struct http_call *call;
	struct tries tries;
	int64_t asked_at;
	unsigned token_serial;
};

struct fetch;

/* Starts without items; never fails at once.  fetch_free() the result. */
struct fetch *fetch_start(struct source *source, int64_t now);

/* Adds an item; it stays the caller's, must outlive the fetch and not move. */
void fetch_add(struct fetch *f, struct fetch_item *item);

/* Asks again with an item that is FETCH_GOT or FETCH_FAILED: for the next page or another
 * version at its new url, or for a newer answer at the same one. */
void fetch_again(struct fetch_item *item);

/* When fetch_run() has to be called again even if nothing happens on the network. */
int64_t fetch_deadline(const struct fetch *f);

/* Sends the requests that are due; call it after every http_run() and after fetch_add().
 * True when every item is FETCH_GOT or FETCH_FAILED. */
bool fetch_run(struct fetch *f, int64_t now);

/* True when the vault cannot be asked now, since a request for what it wants first has
 * failed, or since it throttles; *why says how. */
bool fetch_failure(const struct fetch *f, struct err *why, int64_t now);

/* True when a request is under way. */
bool fetch_is_silent(const struct fetch *f, struct access_silence *out, int64_t now);

/* Cancels what is under way; unfinished items become FETCH_FAILED with their last
 * failure, or with "no answer in time". */
void fetch_free(struct fetch *f);

#endif
