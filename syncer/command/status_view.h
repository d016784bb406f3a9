/*
 * status_view.h: what a running sidecar says of itself, read from the JSON of its
 * /status; docs/status.md says what each field means.  Pure.
 *
 * It comes from another process, perhaps of an older or a newer akvsync.  A field that is
 * absent, null or of a wrong type is unknown; fields that are not known here are ignored.
 */
#ifndef COMMAND_STATUS_VIEW_H
#define COMMAND_STATUS_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* An answer of more bytes is refused, and a sidecar gives none; more entries of a list
 * are counted only. */
#define STATUS_BYTES_MAX (4 * 1024 * 1024)
#define STATUS_ENTRIES_MAX 2048

/* An unknown number, or point in time. */
#define STATUS_UNKNOWN INT64_MIN

/* One failure that lasts.  Texts are NULL when unknown, here and below, and are as the
 * sidecar sent them: plain.h makes them safe to show. */
struct status_cause {
	const char *kind, *name, *error, *message, *consequence, *request;
	int64_t since_s; /* points in time are seconds since 1970 */
	int64_t count;
};

struct status_object {
	const char *object, *version, *state;
	int64_t changed_s, confirmed_s, expires_s;
	bool failing;
	struct status_cause error; /* when it is failing */
};

struct status_vault {
	const char *name;
	int64_t requests, throttled, limit;
	int64_t paused_until_s;
};

struct status_token {
	const char *resource;
	int64_t expires_s;
};

struct status_target {
	const char *target;
	int64_t successes, failures, last_success_s;
	bool failing;
};

struct status_view {
	struct json *tree; /* holds the texts */
	const char *version, *reason, *directory, *generation, *sandbox;
	bool ready;
	int64_t time_s; /* the sidecar's own clock, by which all others are meant */
	int64_t started_s, published_s, next_poll_s, last_success_s;
	int64_t poll_interval_s, max_staleness_s, failures_in_row;
	const char *last_status; /* of the last sync */
	int64_t last_at_s;
	double last_took_s; /* negative: unknown */
	struct status_object *objects;
	struct status_vault *vaults;
	struct status_token *tokens;
	struct status_target *targets;
	struct status_cause *failing;
	size_t object_count, vault_count, token_count, target_count, failing_count;
	size_t left_out; /* entries of the lists that were too many */
};

/* text: len bytes, behind which stands a NUL.  status_view_done() the result.
 * ERR_GARBLED: it is no status, or one of a format that is not known here. */
int status_view_read(const char *text, size_t len, struct status_view *out,
		     struct err *err) MUST_CHECK;

void status_view_done(struct status_view *view);

/* "2026-11-29T05:00:00Z", also with a fraction; STATUS_UNKNOWN for any other text. */
int64_t status_view_time(const char *text);

#endif
