/*
 * source.h: the vaults that objects come from, the identity that reads them, and what is
 * known of each vault.
 *
 * All vaults of a process share one HTTP stack, one token cache and one identity.  A
 * vault has one source for the life of the process, whatever round or list of objects
 * uses it: when a vault is used again, it is still known whether it throttles.  One that
 * no list uses costs a few kilobytes and no request.
 */
#ifndef SYNC_SOURCE_H
#define SYNC_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "azure/token.h"
#include "base/backoff.h"
#include "config/cloud.h"
#include "config/objects.h"
#include "sync/pace.h"

struct source {
	const struct sources *shared;
	struct source *next;
	size_t index; /* in the order of making; 0: the default vault */
	struct cloud_vault vault;
	char *resource; /* what tokens are asked for: the vault's, or its challenge's */
	struct pace pace;
	struct err throttled; /* the vault's last answer that we ask too often */
	bool multiplexed;     /* its last answer came over HTTP/2 */
	bool verified;        /* the vault's challenge has been seen and agrees */
};

struct sources {
	struct http *http;
	struct token *token;
	struct jitter *jitter;
	struct identity identity;
	bool hurried;              /* the first set is waited for: use all connections */
	bool verify;               /* refuse a challenge of another domain or tenant */
	const struct cloud *cloud; /* completes the names of vaults */

	struct source *first;
	size_t count;
};

/* The source of a vault, by name or URL; NULL: the first one.  Made when it is new.
 * ERR_CONFIG.  Owned by all. */
int sources_get(struct sources *all, const char *vault, struct source **out,
		struct err *err) MUST_CHECK;

/* The id of what a URL of the vault names, for refusal_context: its host counts unless
 * challenges are not verified either, as of a test vault or a gateway before a vault. */
const char *source_id(const struct source *s, const char *url);

/* True when the vault throttles, or named a delay. */
bool source_is_throttled(const struct http_reply *reply);

/* After such an answer: nothing is sent to the vault before the delay is over. */
void source_slow_down(struct source *s, const struct err *err, int64_t now);

/* Makes the sources of all objects.  ERR_CONFIG names the object. */
int sources_add(struct sources *all, const struct objects *objects,
		struct err *err) MUST_CHECK;
void sources_done(struct sources *all);

#endif
