#include "report/page.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "report/events.h"
#include "report/html.h"

/* Above so many bytes the rest of a list is only counted: /status has it. */
#define PAGE_LIST_MAX_BYTES (1024 * 1024)

/* On a narrow screen a row of objects becomes a block, so that nothing has to be scrolled
 * sideways; its times get the words of their columns there. */
static const char style[] =
	"<style>:root{color-scheme:light dark;--t:#1f2328;--m:#59636e;--l:#d1d9e0;"
	"--b:#fff;--g:#116329;--r:#b42318;--y:#7d4e00}"
	"@media(prefers-color-scheme:dark){:root{--t:#e6edf3;--m:#9198a1;--l:#3d444d;"
	"--b:#0d1117;--g:#4ac26b;--r:#ff7b72;--y:#e3b341}}"
	"body{font:15px/1.45 system-ui,sans-serif;margin:1.5em auto;padding:0 1em;"
	"max-width:70em;color:var(--t);background:var(--b);overflow-wrap:anywhere}"
	"h1{font-size:1.5em;margin:0}h2{font-size:1.1em;margin:1.8em 0 .3em}"
	"p,dl{margin:.3em 0}small,th,dt{color:var(--m);font-size:13px;font-weight:400}"
	"code{font-size:13px}a{color:inherit}time{border-bottom:1px dotted var(--m)}"
	"table{border-collapse:collapse;width:100%}th,td{text-align:left;"
	"padding:.35em .8em .35em 0;border-bottom:1px solid var(--l);vertical-align:top}"
	"td+td,th+th{width:15%}dl{display:grid;grid-template-columns:auto 1fr;gap:0 1em;"
	"align-items:baseline}dd{margin:0}"
	".f{border-left:4px solid;padding-left:.8em;margin:.8em 0}.f p{color:var(--t)}"
	".yes{color:var(--g)}.no{color:var(--r)}.old{color:var(--y)}"
	"@media(max-width:40em){thead{display:none}tr,td,dl{display:block}"
	"tr{padding:.5em 0;border-bottom:1px solid var(--l)}td{border:0;padding:0}"
	"td+td{width:auto}td+td::before{color:var(--m)}"
	"td:nth-child(3)::before{content:\"changed \"}"
	"td:nth-child(4)::before{content:\"confirmed \"}"
	"td:nth-child(5)::before{content:\"expires \"}dd{margin:0 0 .5em}}</style>";

/* Whether somebody has to do something, the worst last. */
enum verdict { VERDICT_WELL, VERDICT_SOON, VERDICT_WAIT, VERDICT_ACT };

/* Colour is never the only sign: a mark and words go with each class. */
static const struct {
	const char *class, *mark, *title, *says;
} verdicts[] = {
	[VERDICT_WELL] = { "yes", "\u2713", "well", "All is well: nobody is needed" },
	[VERDICT_SOON] = { "old", "!", "soon", "A person is needed soon" },
	[VERDICT_WAIT] = { "old", "!", "waits", "Nobody is needed yet" },
	[VERDICT_ACT] = { "no", "\u00d7", "fails", "This needs a person" },
};

/* ---- times ---- */

/* How far a time is from now, in words; the time itself is shown on hover. */
static void page_time(const struct view *v, struct buf *out, int64_t unix_ms)
{
	int64_t left_ms = unix_ms - v->wall_ms;

	buf_text(out, "<time title=\"");
	html_clock(out, unix_ms);
	buf_text(out, left_ms > 0 ? "\">in " : "\">");
	html_duration(out, left_ms > 0 ? left_ms : -left_ms);
	buf_text(out, left_ms > 0 ? "</time>" : " ago</time>");
}

/* A time of the past; one of a clock that has been set back since is now. */
static void page_past(const struct view *v, struct buf *out, bool known, int64_t unix_ms)
{
	if (known)
		page_time(v, out, unix_ms > v->wall_ms ? v->wall_ms : unix_ms);
	else
		buf_text(out, "never");
}

/* A monotonic time of the past. */
static void page_since(const struct view *v, struct buf *out, int64_t at)
{
	page_past(v, out, at != STATE_NEVER, at != STATE_NEVER ? view_wall_ms(v, at) : 0);
}

static bool page_is_full(const struct buf *out)
{
	return out->len >= PAGE_LIST_MAX_BYTES;
}

static void page_left_out(struct buf *out, size_t left)
{
	if (left > 0)
		buf_printf(out, "<p>and %zu more: <a href=\"/status\">/status</a></p>\n",
			   left);
}

/* ---- whether anything needs a person ---- */

/* What only time mends does not, for as long as a few polls may still mend it. */
static bool page_needs_person(const struct view *v, const struct incident *it)
{
	return it->err.kind != ERR_UNAVAILABLE ||
	       v->now - it->since >= 3 * v->poll_interval_ms;
}

static bool page_expires_soon(const struct view *v, const struct state_object *o)
{
	return o->expires_unix_s > 0 &&
	       o->expires_unix_s - v->wall_ms / 1000 < VIEW_EXPIRES_SOON_S;
}

static size_t page_count_expiring(const struct view *v)
{
	size_t count = 0;

	for (size_t i = 0; i < v->state->object_count; i++)
		count += page_expires_soon(v, &v->state->objects[i]);
	return count;
}

static enum verdict page_verdict(const struct view *v)
{
	const struct incidents *all = v->incidents;

	for (size_t i = 0; i < all->count; i++)
		if (page_needs_person(v, all->items[i]))
			return VERDICT_ACT;
	/* It starts, or fails in a way that may pass. */
	if (!v->ready)
		return state_staleness_ms(v->state, v->now) < 3 * v->poll_interval_ms
			       ? VERDICT_WAIT
			       : VERDICT_ACT;
	if (all->count > 0)
		return VERDICT_WAIT;
	return page_count_expiring(v) > 0 ? VERDICT_SOON : VERDICT_WELL;
}

static void page_head(const struct view *v, struct buf *out)
{
	enum verdict verdict = page_verdict(v);
	size_t failing = v->incidents->count, expiring = page_count_expiring(v);

	buf_printf(out,
		   "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
		   "<meta name=\"viewport\" content=\"width=device-width\"><title>%s ",
		   verdicts[verdict].mark);
	html_text(out, v->host);
	buf_printf(out, " %s: akvsync</title>%s</head><body>\n<h1 class=\"%s\">%s %s",
		   verdicts[verdict].title, style, verdicts[verdict].class,
		   verdicts[verdict].mark, verdicts[verdict].says);
	if (failing > 0)
		buf_printf(out, ": %zu thing%s", failing,
			   failing == 1 ? " fails" : "s fail");
	else if (!v->ready)
		buf_text(out, ": not ready");
	else if (expiring > 0)
		buf_printf(out, ": %zu object%s", expiring,
			   expiring == 1 ? " expires" : "s expire");
	buf_printf(out, "</h1>\n<p><b>%s</b>", v->ready ? "Ready" : "Not ready");
	if (!v->ready || strcmp(v->reason, "ok") != 0) {
		buf_text(out, ": ");
		html_text(out, v->reason);
	}
	buf_text(out, ". <small>");
	html_text(out, v->host);
	buf_text(out, ", as of ");
	html_clock(out, v->wall_ms);
	buf_text(out, "</small></p>\n");
}

/* ---- what fails ---- */

/* What the manual advises for a kind of failure. */
static const char *page_advice(enum incident_kind kind)
{
	for (const struct event *e = events; e->name != NULL; e++)
		if (e->kind != NULL && strcmp(e->kind, incident_word(kind)) == 0)
			return e->action;
	return NULL;
}

static void page_incident(const struct view *v, const struct incident *it,
			  struct buf *out)
{
	const char *advice = page_advice(it->kind);

	buf_printf(out, "<div class=\"f %s\"><p><b>%s ",
		   page_needs_person(v, it) ? "no" : "old", incident_word(it->kind));
	html_text(out, it->name);
	buf_printf(out, "</b> <small>(%s)</small></p><p>", view_error_word(it->err.kind));
	html_text(out, it->err.msg);
	if (*it->consequence) {
		buf_text(out, "; ");
		html_text(out, it->consequence);
	}
	if (advice != NULL) {
		buf_text(out, "</p><p>What to do: ");
		html_text(out, advice);
	}
	buf_text(out, "</p><p><small>for ");
	html_duration(out, v->now - it->since);
	buf_text(out, ", since ");
	html_clock(out, view_wall_ms(v, it->since));
	buf_text(out, "; ");
	html_count(out, it->count, "time");
	if (*it->err.request) {
		buf_text(out, "; request ");
		html_text(out, it->err.request);
	}
	buf_text(out, "</small></p></div>\n");
}

static void page_failing(const struct view *v, struct buf *out)
{
	const struct incidents *all = v->incidents;
	size_t i = 0;

	buf_text(out, all->count > 0 ? "<h2>What fails now</h2>\n" : "");
	while (i < all->count && !page_is_full(out))
		page_incident(v, all->items[i++], out);
	page_left_out(out, all->count - i);
}

/* ---- objects ---- */

static void page_expiry(const struct view *v, const struct state_object *o,
			struct buf *out)
{
	bool soon = page_expires_soon(v, o);

	if (o->expires_unix_s == 0) {
		buf_text(out, "never");
		return;
	}
	buf_text(out, soon ? "<b class=\"old\">! " : "");
	page_time(v, out, o->expires_unix_s * 1000);
	buf_text(out, soon ? "</b>" : "");
}

static void page_object(const struct view *v, const struct state_object *o,
			struct buf *out)
{
	static const struct {
		const char *class, *mark;
	} looks[] = {
		[OBJECT_UP_TO_DATE] = { "yes", "\u2713" },
		[OBJECT_STALE] = { "old", "!" },
		[OBJECT_MISSING] = { "no", "\u00d7" },
	};
	const struct incident *cause =
		o->freshness == OBJECT_UP_TO_DATE ? NULL : view_cause(v, o);

	buf_text(out, "<tr><td>");
	html_element(out, "b", o->path);
	buf_printf(out, "<br><small>%s ", kind_word(o->kind));
	if (strcmp(o->name, o->path) != 0)
		html_element(out, "code", o->name);
	buf_text(out, " of ");
	html_text(out, o->vault->name);
	if (*o->version) {
		buf_text(out, ", version ");
		html_element(out, "code", o->version);
		buf_text(out, ", ");
		html_count(out, (int64_t)o->files, "file");
	}
	buf_printf(out, "</small></td><td><b class=\"%s\">%s %s</b>",
		   looks[o->freshness].class, looks[o->freshness].mark,
		   state_freshness_words[o->freshness]);
	if (cause != NULL)
		buf_printf(out, "<br><small>%s (%s)</small>", incident_word(cause->kind),
			   view_error_word(cause->err.kind));
	buf_text(out, "</td><td>");
	page_past(v, out, o->changed_unix_ms > 0, o->changed_unix_ms);
	buf_text(out, "</td><td>");
	page_since(v, out, o->confirmed_at);
	buf_text(out, "</td><td>");
	page_expiry(v, o, out);
	buf_text(out, "</td></tr>\n");
}

/* Those that a person looks for come first. */
static void page_objects(const struct view *v, struct buf *out)
{
	const struct state *s = v->state;
	size_t counts[OBJECT_MISSING + 1] = { 0 }, left = s->object_count;

	for (size_t i = 0; i < s->object_count; i++)
		counts[s->objects[i].freshness]++;
	buf_printf(out, "<h2>Objects: %zu</h2>\n<p>", s->object_count);
	for (int i = OBJECT_MISSING; i >= OBJECT_UP_TO_DATE; i--)
		buf_printf(out, "%zu %s%s", counts[i], state_freshness_words[i],
			   i > OBJECT_UP_TO_DATE ? ", " : "");
	buf_printf(out,
		   "; %zu expired or expiring within %d days</p>\n"
		   "<table><thead><tr><th>Object</th><th>State</th>"
		   "<th>Changed</th><th>Confirmed</th><th>Expires</th></tr></thead>"
		   "<tbody>\n",
		   page_count_expiring(v), VIEW_EXPIRES_SOON_S / 86400);
	for (int rest = 0; rest <= 1; rest++)
		for (size_t i = 0; i < s->object_count; i++) {
			const struct state_object *o = &s->objects[i];
			bool well = o->freshness == OBJECT_UP_TO_DATE &&
				    !page_expires_soon(v, o);

			if (well != (rest == 1) || page_is_full(out))
				continue;
			page_object(v, o, out);
			left--;
		}
	buf_text(out, "</tbody></table>\n");
	page_left_out(out, left);
}

/* ---- the rest ---- */

static void page_sync(const struct view *v, struct buf *out)
{
	const struct state *s = v->state;
	auto_free char *every = text_from_duration(v->poll_interval_ms);

	buf_text(out, "<h2>Syncs</h2>\n<dl><dt>Last sync</dt><dd>");
	page_since(v, out, s->last_sync_at);
	if (s->last_sync_at != STATE_NEVER)
		buf_printf(out, ": %s", state_sync_words[s->last_sync]);
	buf_text(out, "</dd><dt>Last without a failure</dt><dd>");
	page_since(v, out, s->last_success);
	if (s->failures_in_a_row > 0)
		buf_printf(out, "; %" PRIu64 " with one since", s->failures_in_a_row);
	buf_text(out, "</dd><dt>Next</dt><dd>");
	if (v->next_poll_at == STATE_NEVER)
		buf_text(out, "under way");
	else
		page_time(v, out, view_wall_ms(v, v->next_poll_at));
	buf_printf(out, "; every %s</dd><dt>Set</dt><dd>", every);
	if (v->generation == NULL) {
		buf_text(out, "none yet");
	} else {
		html_element(out, "code", v->generation);
		buf_text(out, ": ");
		html_count(out, (int64_t)v->files, "file");
		buf_text(out, ", published ");
		page_past(v, out, true, v->published_unix_ms);
	}
	buf_text(out, "</dd><dt>Directory</dt><dd>");
	html_element(out, "code", v->dir);
	buf_text(out, "</dd><dt>akvsync</dt><dd>" AKVSYNC_VERSION ", started ");
	page_since(v, out, s->started_at);
	buf_text(out, "; ");
	html_count(out, (int64_t)s->rotations, "rotation");
	buf_text(out, " since</dd></dl>\n");
}

static void page_vault(const struct view *v, const struct state_vault *one,
		       struct buf *out)
{
	html_element(out, "dt", one->url);
	buf_printf(out, "<dd>%" PRIu64 " requests, %" PRIu64 " throttled (429)",
		   one->requests, one->throttled);
	if (one->width > 0)
		buf_printf(out, "; <b class=\"old\">! %zu at a time</b>", one->width);
	if (one->open_at > v->now && one->open_at != STATE_NEVER) {
		buf_text(out, "; paused for ");
		html_duration(out, one->open_at - v->now);
	}
	buf_text(out, "</dd>\n");
}

static void page_vaults(const struct view *v, struct buf *out)
{
	const struct state *s = v->state;

	buf_text(out, "<h2>Vaults and access tokens</h2>\n<dl>");
	for (const struct state_vault *one = s->vaults; one; one = one->next)
		page_vault(v, one, out);
	for (size_t i = 0; i < s->token_count; i++) {
		html_element(out, "dt", s->tokens[i].resource);
		buf_text(out, "<dd>token until ");
		page_time(v, out, view_wall_ms(v, s->tokens[i].expires_at));
		buf_text(out, "</dd>\n");
	}
	buf_text(out, "</dl>\n");
}

static void page_targets(const struct view *v, struct buf *out)
{
	const struct state *s = v->state;

	if (s->target_count == 0)
		return;
	buf_text(out, "<h2>Notified</h2>\n<dl>");
	for (size_t i = 0; i < s->target_count; i++) {
		const struct state_target *t = &s->targets[i];

		html_element(out, "dt", t->text);
		buf_printf(out, "<dd><b class=\"%s</b>; last told ",
			   t->failing ? "no\">\u00d7 failing" : "yes\">\u2713 ok");
		page_since(v, out, t->last_success);
		buf_printf(out, "; %" PRIu64 " worked, %" PRIu64 " failed</dd>\n",
			   t->successes, t->failures);
	}
	buf_text(out, "</dl>\n");
}

void page_write(const struct view *v, struct buf *out)
{
	page_head(v, out);
	page_failing(v, out);
	page_objects(v, out);
	page_sync(v, out);
	page_vaults(v, out);
	page_targets(v, out);
	buf_text(out, "<p><small><a href=\"/status\">status as JSON</a>, "
		      "<a href=\"/metrics\">metrics</a></small></p>\n</body></html>\n");
}
