/*
 * fetch.h: gets many objects from a vault at once: token, challenge, requests, retries.
 *
 * At the start the token request and one anonymous request for the first object run side
 * by side: its 401 opens the connection and brings the challenge, so nothing is paid for
 * discovery.  Then all objects are asked for over a few kept-alive connections.  Within
 * one fetch, 408, 429, 5xx and transport errors are tried again, 401 once with a new
 * token, and 400, 403 and 404 never.
 */
#ifndef RUN_FETCH_H
#define RUN_FETCH_H

#include <stdbool.h>
#include <stdint.h>

#include "azure/vault.h"
#include "run/source.h"

/* One object to get. */
struct fetch_item {
	const char *name;
	const char *version; /* NULL: the current one */
	const char *known;   /* the version whose value is not wanted again; NULL: none */

	enum { FETCH_WAITING, FETCH_RUNNING, FETCH_GOT, FETCH_SAME, FETCH_FAILED } state;
	struct vault_secret secret; /* FETCH_GOT */
	struct err err; /* FETCH_FAILED, and the last failure while it is retried */

	/* fetch.c's own */
	struct fetch *fetch;
	struct http_call *call;
	struct backoff backoff;
	int failures;
	int64_t not_before;
	unsigned token_serial;
	bool renewed; /* a new token has been tried */
};

struct fetch;

/* Starts; items stay the caller's and must outlive it.  Never fails at once. */
struct fetch *fetch_start(struct source *source, struct fetch_item *items, size_t count,
			  int64_t now);

/* When fetch_run() has to be called again even if nothing happens on the network. */
int64_t fetch_deadline(const struct fetch *f);

/* Moves on; call it after every http_run().  True when every item is GOT, SAME or
 * FAILED. */
bool fetch_run(struct fetch *f, int64_t now);

/* Cancels what is in flight; unfinished items become FAILED with their last failure, or
 * with "no answer in time". */
void fetch_free(struct fetch *f);

#endif
