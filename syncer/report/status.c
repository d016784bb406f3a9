#include "report/status.h"

#include <inttypes.h>

#include "base/json.h"

/* ---- members ---- */

static void status_unix(struct buf *out, const char *name, bool known, int64_t unix_ms)
{
	char text[CLOCK_TEXT_LEN];

	if (known)
		clock_text(text, unix_ms - unix_ms % 1000);
	/* "2026-06-16T22:35:02.000Z" without its milliseconds. */
	if (known)
		buf_printf(out, "\"%s\":\"%.19sZ\"", name, text);
	else
		buf_printf(out, "\"%s\":null", name);
}

static void status_time(const struct view *v, struct buf *out, const char *name,
			int64_t at)
{
	status_unix(out, name, at != STATE_NEVER,
		    at != STATE_NEVER ? view_wall_ms(v, at) : 0);
}

static void status_seconds(struct buf *out, const char *name, int64_t ms)
{
	buf_printf(out, "\"%s\":", name);
	view_seconds(out, ms);
}

/* ---- parts ---- */

static void status_syncs(const struct view *v, struct buf *out)
{
	const struct state *s = v->state;

	buf_text(out, ",\"lastSync\":");
	if (s->last_sync_at == STATE_NEVER) {
		buf_text(out, "null,");
	} else {
		buf_text(out, "{");
		status_time(v, out, "at", s->last_sync_at);
		buf_printf(out, ",\"status\":\"%s\",", state_sync_words[s->last_sync]);
		status_seconds(out, "durationSeconds", s->last_sync_took_ms);
		buf_text(out, "},");
	}
	status_time(v, out, "lastSuccessAt", s->last_success);
	buf_printf(out, ",\"consecutiveFailures\":%" PRIu64, s->failures_in_a_row);
}

/* The failure that an incident stands for, without its name. */
static void status_failure(const struct view *v, const struct incident *it,
			   struct buf *out)
{
	buf_printf(out, "\"kind\":\"%s\",\"error\":\"%s\",", incident_word(it->kind),
		   view_error_word(it->err.kind));
	json_member(out, "message", it->err.msg);
	buf_text(out, ",");
	status_time(v, out, "since", it->since);
	buf_printf(out, ",\"count\":%d", it->count);
}

static void status_object(const struct view *v, const struct state_object *o,
			  struct buf *out)
{
	const struct incident *cause =
		o->freshness == OBJECT_UP_TO_DATE ? NULL : view_cause(v, o);

	buf_text(out, "{");
	json_member(out, "object", o->path);
	buf_printf(out, ",\"kind\":\"%s\",", kind_word(o->kind));
	json_member(out, "name", o->name);
	buf_text(out, ",");
	json_member(out, "vault", o->vault->name);
	buf_text(out, ",");
	json_member(out, "version", *o->version ? o->version : NULL);
	buf_printf(out, ",\"files\":%zu,\"state\":\"%s\",", o->files,
		   state_freshness_words[o->freshness]);
	status_unix(out, "changedAt", o->changed_unix_ms > 0, o->changed_unix_ms);
	buf_text(out, ",");
	status_time(v, out, "confirmedAt", o->confirmed_at);
	buf_text(out, ",");
	status_unix(out, "expiresAt", o->expires_unix_s > 0, o->expires_unix_s * 1000);
	buf_text(out, ",\"error\":");
	if (cause == NULL) {
		buf_text(out, "null}");
		return;
	}
	buf_text(out, "{");
	status_failure(v, cause, out);
	buf_text(out, "}}");
}

static void status_objects(const struct view *v, struct buf *out)
{
	const struct state *s = v->state;

	buf_text(out, ",\"objects\":[");
	for (size_t i = 0; i < s->object_count; i++) {
		buf_text(out, i ? "," : "");
		status_object(v, &s->objects[i], out);
	}
	buf_text(out, "]");
}

static void status_vaults(const struct view *v, struct buf *out)
{
	const char *comma = "";

	buf_text(out, ",\"vaults\":[");
	for (const struct state_vault *one = v->state->vaults; one; one = one->next) {
		bool paused = one->open_at > v->now;

		buf_printf(out, "%s{", comma);
		json_member(out, "name", one->name);
		buf_text(out, ",");
		json_member(out, "url", one->url);
		buf_printf(out, ",\"requests\":%" PRIu64 ",\"throttled\":%" PRIu64 ",",
			   one->requests, one->throttled);
		if (one->width > 0)
			buf_printf(out, "\"concurrencyLimit\":%zu,", one->width);
		else
			buf_text(out, "\"concurrencyLimit\":null,");
		status_time(v, out, "pausedUntil", paused ? one->open_at : STATE_NEVER);
		buf_text(out, "}");
		comma = ",";
	}
	buf_text(out, "]");
}

static void status_tokens(const struct view *v, struct buf *out)
{
	const struct state *s = v->state;

	buf_text(out, ",\"tokens\":[");
	for (size_t i = 0; i < s->token_count; i++) {
		buf_text(out, i ? ",{" : "{");
		json_member(out, "resource", s->tokens[i].resource);
		buf_text(out, ",");
		status_time(v, out, "expiresAt", s->tokens[i].expires_at);
		buf_text(out, "}");
	}
	buf_text(out, "]");
}

static void status_targets(const struct view *v, struct buf *out)
{
	const struct state *s = v->state;

	buf_text(out, ",\"notify\":[");
	for (size_t i = 0; i < s->target_count; i++) {
		const struct state_target *t = &s->targets[i];

		buf_text(out, i ? ",{" : "{");
		json_member(out, "target", t->text);
		buf_printf(out, ",\"successes\":%" PRIu64 ",\"failures\":%" PRIu64 ",",
			   t->successes, t->failures);
		status_time(v, out, "lastSuccessAt", t->last_success);
		buf_printf(out, ",\"failing\":%s}", t->failing ? "true" : "false");
	}
	buf_text(out, "]");
}

static void status_incidents(const struct view *v, struct buf *out)
{
	const struct incidents *all = v->incidents;

	buf_text(out, ",\"failing\":[");
	for (size_t i = 0; i < all->count; i++) {
		const struct incident *it = all->items[i];

		buf_text(out, i ? ",{" : "{");
		json_member(out, "name", *it->name ? it->name : NULL);
		buf_text(out, ",");
		status_failure(v, it, out);
		buf_text(out, ",");
		json_member(out, "consequence",
			    *it->consequence ? it->consequence : NULL);
		buf_text(out, ",");
		json_member(out, "request", *it->err.request ? it->err.request : NULL);
		buf_text(out, "}");
	}
	buf_text(out, "]");
}

void status_write(const struct view *v, struct buf *out)
{
	buf_printf(out, "{\"format\":%d,\"version\":\"%s\",", STATUS_FORMAT,
		   AKVSYNC_VERSION);
	status_unix(out, "time", true, v->wall_ms);
	buf_text(out, ",");
	status_time(v, out, "startedAt", v->state->started_at);
	buf_printf(out, ",\"ready\":%s,", v->ready ? "true" : "false");
	json_member(out, "reason", v->reason);
	buf_text(out, ",");
	json_member(out, "directory", v->dir);
	buf_text(out, ",");
	json_member(out, "sandbox", v->sandbox);
	buf_text(out, ",");
	json_member(out, "generation", v->generation);
	buf_text(out, ",");
	status_unix(out, "publishedAt", v->generation != NULL, v->published_unix_ms);
	buf_text(out, ",");
	status_seconds(out, "pollIntervalSeconds", v->poll_interval_ms);
	buf_text(out, ",");
	if (v->max_staleness_ms > 0)
		status_seconds(out, "maxStalenessSeconds", v->max_staleness_ms);
	else
		buf_text(out, "\"maxStalenessSeconds\":null");
	buf_text(out, ",");
	status_time(v, out, "nextPollAt", v->next_poll_at);
	status_syncs(v, out);
	status_objects(v, out);
	status_vaults(v, out);
	status_tokens(v, out);
	status_targets(v, out);
	status_incidents(v, out);
	buf_text(out, "}\n");
}
