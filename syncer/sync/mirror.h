/*
 * mirror.h: keeps the cluster's Secrets equal to the set on the volume.
 *
 * One request is under way at a time.  A Secret is looked at when the list or the set has
 * changed, after every few polls, so that one that was deleted comes back, and after a
 * failure with growing delays.  Failures are incidents and never hold up the files.
 */
#ifndef SYNC_MIRROR_H
#define SYNC_MIRROR_H

#include "base/backoff.h"
#include "config/configuration.h"
#include "deliver/publish.h"
#include "net/http.h"
#include "report/incident.h"

struct mirror;

/* What it works with: all of it outlives the mirror. */
struct mirror_host {
	struct http *http;
	struct jitter *jitter;
	struct incidents *incidents;
	const struct publish *publish;
};

struct mirror *mirror_new(const struct mirror_host *host);
void mirror_free(struct mirror *m);

/* The configuration that applies from now on, which stays the caller's until the next
 * call; what is under way for the one before ends. */
void mirror_use(struct mirror *m, const struct configuration *c, int64_t now);

/* After a round; changed: it has published another set. */
void mirror_round(struct mirror *m, bool changed, int64_t now);

/* Held: the set on the volume is not yet, or no longer, the one of this configuration, so
 * nothing is written. */
void mirror_hold(struct mirror *m, bool held);

/* True when each Secret has been written since its pod has it: apps can start. */
bool mirror_is_complete(const struct mirror *m);

/* One that is not known to be as the set is now: its name; NULL: all are. */
const char *mirror_awaited(const struct mirror *m);

/* The failure to be seen first; NULL: nothing fails. */
const struct err *mirror_failure(const struct mirror *m);

/* When mirror_run() has something to do, besides taking answers; CLOCK_NEVER: never. */
int64_t mirror_deadline(const struct mirror *m);

/* True: a try has come to an end. */
bool mirror_run(struct mirror *m, int64_t now);

#endif
