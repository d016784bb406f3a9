#include "report/page.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"

static const char head[] =
	"<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
	"<meta name=\"viewport\" content=\"width=device-width\"><title>akvsync</title>"
	"<style>"
	"body{font:15px/1.5 system-ui,sans-serif;margin:2em;max-width:75em;color:#222}"
	"table{border-collapse:collapse;margin:.5em 0 1.5em}"
	"th,td{text-align:left;padding:.3em 1.2em .3em 0;border-bottom:1px solid #ddd;"
	"vertical-align:top}th{font-weight:600;color:#555}"
	".yes{color:#17692b}.no{color:#b3261e}.old{color:#8a5a00}code{font-size:13px}"
	"</style></head><body>\n";

/* Text of others, such as a server's words. */
static void page_text(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		switch (*text) {
		case '<':
			buf_text(out, "&lt;");
			break;
		case '>':
			buf_text(out, "&gt;");
			break;
		case '&':
			buf_text(out, "&amp;");
			break;
		case '"':
			buf_text(out, "&quot;");
			break;
		default:
			buf_printf(out, "%c", *text);
			break;
		}
	}
}

static void page_cell(struct buf *out, const char *text)
{
	buf_text(out, "<td>");
	page_text(out, text);
}

static void page_code(struct buf *out, const char *text)
{
	buf_text(out, "<td><code>");
	page_text(out, text);
	buf_text(out, "</code>");
}

/* "3 min": one unit is enough for a person. */
static void page_duration(struct buf *out, int64_t ms)
{
	static const struct {
		int64_t ms;
		const char *word;
	} units[] = {
		{ 86400000, "d" },
		{ 3600000, "h" },
		{ 60000, "min" },
		{ 1000, "s" },
	};

	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		if (ms >= units[i].ms) {
			buf_printf(out, "%" PRId64 " %s", ms / units[i].ms,
				   units[i].word);
			return;
		}
	}
	buf_text(out, "0 s");
}

static void page_ago(struct buf *out, bool known, int64_t ms)
{
	if (!known) {
		buf_text(out, "-");
		return;
	}
	page_duration(out, ms);
	buf_text(out, " ago");
}

static void page_summary(const struct view *v, struct buf *out)
{
	const struct state *s = v->state;
	bool synced = s->last_sync_at != STATE_NEVER;

	buf_printf(out, "<h1 class=\"%s\">%s</h1>\n<p>", v->ready ? "yes" : "no",
		   v->ready ? "Ready" : "Not ready");
	page_text(out, v->reason);
	buf_text(out, "</p>\n<table><tr><th>Directory");
	page_code(out, v->dir);
	buf_text(out, "<tr><th>Set");
	page_code(out, v->generation ? v->generation : "none yet");
	buf_printf(out, "<tr><th>Files<td>%zu<tr><th>Last sync<td>", v->files);
	page_ago(out, synced, v->now - s->last_sync_at);
	buf_printf(out, "%s%s<tr><th>Last sync without a failure<td>", synced ? ": " : "",
		   synced ? state_sync_words[s->last_sync] : "");
	page_ago(out, s->last_success != STATE_NEVER, v->now - s->last_success);
	buf_printf(out, "<tr><th>Rotations since the start<td>%" PRIu64, s->rotations);
	buf_text(out, "<tr><th>akvsync<td>" AKVSYNC_VERSION ", for ");
	page_duration(out, v->now - s->started_at);
	buf_text(out, "</table>\n");
}

static void page_failing(const struct view *v, struct buf *out)
{
	const struct incidents *all = v->incidents;

	buf_text(out, "<h2>What fails now</h2>\n");
	if (all->count == 0) {
		buf_text(out, "<p class=\"yes\">Nothing.</p>\n");
		return;
	}
	buf_text(out, "<table><tr><th>What<th>Name<th>For<th>Times<th>Cause\n");
	for (size_t i = 0; i < all->count; i++) {
		const struct incident *it = all->items[i];

		buf_printf(out, "<tr><td class=\"no\">%s", incident_word(it->kind));
		page_cell(out, it->name);
		buf_text(out, "<td>");
		page_duration(out, v->now - it->since);
		buf_printf(out, "<td>%d", it->count);
		page_cell(out, it->err.msg);
		if (*it->consequence) {
			buf_text(out, "; ");
			page_text(out, it->consequence);
		}
		buf_text(out, "\n");
	}
	buf_text(out, "</table>\n");
}

static void page_expiry(const struct view *v, const struct state_object *o,
			struct buf *out)
{
	int64_t left_ms = o->expires_unix_s * 1000 - v->wall_ms;

	buf_text(out, "<td>");
	if (o->expires_unix_s == 0) {
		buf_text(out, "-");
	} else if (left_ms > 0) {
		buf_text(out, "in ");
		page_duration(out, left_ms);
	} else {
		buf_text(out, "<span class=\"no\">");
		page_ago(out, true, -left_ms);
		buf_text(out, "</span>");
	}
}

static void page_objects(const struct view *v, struct buf *out)
{
	static const char *const classes[] = {
		[OBJECT_UP_TO_DATE] = "yes",
		[OBJECT_STALE] = "old",
		[OBJECT_MISSING] = "no",
	};
	const struct state *s = v->state;

	buf_printf(out,
		   "<h2>Objects (%zu)</h2>\n<table><tr><th>Object<th>Kind<th>Vault"
		   "<th>Version<th>State<th>Changed<th>Confirmed<th>Expires\n",
		   s->object_count);
	for (size_t i = 0; i < s->object_count; i++) {
		const struct state_object *o = &s->objects[i];

		buf_text(out, "<tr>");
		page_cell(out, o->path);
		page_cell(out, kind_word(o->kind));
		page_cell(out, o->vault->name);
		page_code(out, o->version);
		buf_printf(out, "<td class=\"%s\">%s<td>", classes[o->freshness],
			   state_freshness_words[o->freshness]);
		page_ago(out, o->changed_unix_ms > 0, v->wall_ms - o->changed_unix_ms);
		buf_text(out, "<td>");
		page_ago(out, o->confirmed_at != STATE_NEVER, v->now - o->confirmed_at);
		page_expiry(v, o, out);
		buf_text(out, "\n");
	}
	buf_text(out, "</table>\n");
}

static void page_vaults(const struct view *v, struct buf *out)
{
	buf_text(out, "<h2>Vaults</h2>\n<table><tr><th>Vault<th>Requests<th>Throttled"
		      "<th>Limit\n");
	for (const struct state_vault *one = v->state->vaults; one; one = one->next) {
		buf_text(out, "<tr>");
		page_cell(out, one->url);
		buf_printf(out, "<td>%" PRIu64 "<td>%" PRIu64 "<td>", one->requests,
			   one->throttled);
		if (one->width > 0)
			buf_printf(out, "%zu at a time\n", one->width);
		else
			buf_text(out, "-\n");
	}
	buf_text(out, "</table>\n");
}

static void page_targets(const struct view *v, struct buf *out)
{
	const struct state *s = v->state;

	if (s->target_count == 0)
		return;
	buf_text(out, "<h2>Notified</h2>\n<table><tr><th>Target<th>Last success"
		      "<th>Successes<th>Failures\n");
	for (size_t i = 0; i < s->target_count; i++) {
		const struct state_target *t = &s->targets[i];

		buf_text(out, "<tr>");
		page_code(out, t->text);
		buf_text(out, t->failing ? "<td class=\"no\">" : "<td>");
		page_ago(out, t->last_success != STATE_NEVER, v->now - t->last_success);
		buf_printf(out, "<td>%" PRIu64 "<td>%" PRIu64 "\n", t->successes,
			   t->failures);
	}
	buf_text(out, "</table>\n");
}

void page_write(const struct view *v, struct buf *out)
{
	buf_text(out, head);
	page_summary(v, out);
	page_failing(v, out);
	page_objects(v, out);
	page_vaults(v, out);
	page_targets(v, out);
	buf_text(out, "<p><a href=\"/status\">status as JSON</a> · "
		      "<a href=\"/metrics\">metrics</a></p>\n</body></html>\n");
}
