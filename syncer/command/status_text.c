#include "command/status_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "command/plain.h"
#include "report/view.h"

/* Of one line: a cause with its message. */
#define STATUS_LINE_MAX 4352

#define STATUS_SPAN_LEN 40

struct status_span {
	char text[STATUS_SPAN_LEN];
};

static const char *status_or(const char *text, const char *fallback)
{
	return text != NULL && *text != '\0' ? text : fallback;
}

static bool status_is(const char *text, const char *word)
{
	return text != NULL && word != NULL && strcmp(text, word) == 0;
}

/* ---- times ---- */

/* Rounded down to its largest unit: "59s", "3m", "47h", "12d". */
static struct status_span status_span(int64_t seconds)
{
	static const struct {
		int64_t seconds, below;
		char name;
	} units[] = {
		{ 1, 60, 's' },
		{ 60, 3600, 'm' },
		{ 3600, INT64_C(48) * 3600, 'h' },
		{ INT64_C(24) * 3600, INT64_MAX, 'd' },
	};
	struct status_span span;
	size_t i = 0;

	while (seconds >= units[i].below)
		i++;
	snprintf(span.text, sizeof(span.text), "%lld%c",
		 (long long)(seconds / units[i].seconds), units[i].name);
	return span;
}

/* How long before the sidecar's time that was; "-": it is not known. */
static struct status_span status_age(const struct status_view *view, int64_t then_s)
{
	if (then_s == STATUS_UNKNOWN || view->time_s == STATUS_UNKNOWN)
		return (struct status_span){ "-" };
	/* A clock that was set back makes no negative age. */
	return status_span(then_s > view->time_s ? 0 : view->time_s - then_s);
}

static struct status_span status_ago(const struct status_view *view, int64_t then_s)
{
	struct status_span span = status_age(view, then_s);

	if (span.text[0] == '-')
		return (struct status_span){ "at an unknown time" };
	snprintf(span.text + strlen(span.text), sizeof(" ago"), " ago");
	return span;
}

/* "in 12d", "expired 3d ago", "-"; *left_s: the time until then. */
static struct status_span status_expiry(const struct status_view *view, int64_t then_s,
					int64_t *left_s)
{
	struct status_span text, span;

	*left_s = INT64_MAX;
	if (then_s == STATUS_UNKNOWN || view->time_s == STATUS_UNKNOWN)
		return (struct status_span){ "-" };
	*left_s = then_s - view->time_s;
	span = status_span(llabs(*left_s));
	snprintf(text.text, sizeof(text.text), *left_s > 0 ? "in %s" : "expired %s ago",
		 span.text);
	return text;
}

/* A number of a table. */
static struct status_span status_count(int64_t number)
{
	struct status_span text = { "-" };

	if (number != STATUS_UNKNOWN)
		snprintf(text.text, sizeof(text.text), "%lld", (long long)number);
	return text;
}

/* What the report is made from. */
struct status_page {
	const struct status_view *view;
	const struct table_look *look;
	struct buf *out;
	bool *told; /* of each entry of "failing": it stands below its row */
};

/* ---- causes ---- */

/* The rows that a failure may stand below. */
enum status_place { PLACE_OBJECT, PLACE_VAULT, PLACE_TARGET };

static enum status_place status_place_of(const struct status_cause *cause)
{
	return status_is(cause->kind, "vault")    ? PLACE_VAULT
	       : status_is(cause->kind, "notify") ? PLACE_TARGET
						  : PLACE_OBJECT;
}

/* False: it stands in no row and gets a line of its own. */
static bool status_has_row(const struct status_view *view,
			   const struct status_cause *cause)
{
	enum status_place place = status_place_of(cause);

	for (size_t i = 0; place == PLACE_VAULT && i < view->vault_count; i++)
		if (status_is(view->vaults[i].name, cause->name))
			return true;
	for (size_t i = 0; place == PLACE_TARGET && i < view->target_count; i++)
		if (status_is(view->targets[i].target, cause->name))
			return true;
	for (size_t i = 0; place == PLACE_OBJECT && i < view->object_count; i++)
		if (status_is(view->objects[i].object, cause->name))
			return true;
	return false;
}

/* "vault 'shop-kv' (unavailable) for 5m, 3 times: MESSAGE; CONSEQUENCE; request ID" */
static void status_write_cause(const struct status_view *view,
			       const struct status_cause *cause, bool with_name,
			       struct buf *out)
{
	struct status_span age = status_age(view, cause->since_s);

	buf_text(out, status_or(cause->kind, "something"));
	if (with_name && *status_or(cause->name, "") != '\0')
		buf_printf(out, " '%s'", cause->name);
	if (*status_or(cause->error, "") != '\0')
		buf_printf(out, " (%s)", cause->error);
	if (age.text[0] != '-')
		buf_printf(out, " for %s", age.text);
	if (cause->count == 1)
		buf_text(out, ", once");
	else if (cause->count != STATUS_UNKNOWN)
		buf_printf(out, ", %lld times", (long long)cause->count);
	buf_printf(out, ": %s", status_or(cause->message, "no cause is known"));
	if (*status_or(cause->consequence, "") != '\0')
		buf_printf(out, "; %s", cause->consequence);
	if (*status_or(cause->request, "") != '\0')
		buf_printf(out, "; request %s", cause->request);
}

static void status_note(const struct status_view *view, const struct status_cause *cause,
			struct table *table)
{
	auto_buf struct buf text = BUF_INIT(STATUS_LINE_MAX);

	buf_text(&text, "    ");
	status_write_cause(view, cause, false, &text);
	table_note(table, PAINT_RED, buf_str(&text));
}

/* Notes what fails of a row, once, should two rows have one name.  True: error, or NULL,
 * is among that by its message. */
static bool status_notes(const struct status_page *p, enum status_place place,
			 const char *name, const struct status_cause *error,
			 struct table *table)
{
	bool is_told = false;

	for (size_t i = 0; i < p->view->failing_count; i++) {
		const struct status_cause *cause = &p->view->failing[i];

		if (p->told[i] || status_place_of(cause) != place ||
		    !status_is(cause->name, name))
			continue;
		p->told[i] = true;
		status_note(p->view, cause, table);
		is_told |= error != NULL && status_is(cause->message, error->message);
	}
	return is_told;
}

/* ---- the head ---- */

static void status_line(const struct status_page *p, enum paint paint, const char *label,
			const char *fmt, ...) PRINTF_LIKE(4, 5);

static void status_line(const struct status_page *p, enum paint paint, const char *label,
			const char *fmt, ...)
{
	auto_buf struct buf line = BUF_INIT(STATUS_LINE_MAX);
	char text[STATUS_LINE_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	buf_printf(&line, "%-14s", label);
	plain_add(&line, text, strlen(text), false);
	table_line(p->look, paint, buf_str(&line), p->out);
}

static void status_write_sync(const struct status_page *p)
{
	const struct status_view *view = p->view;
	char took[48] = "";

	/* Others would be wrong, or fill the line. */
	if (view->last_took_s >= 0 && view->last_took_s < 1e6)
		snprintf(took, sizeof(took), ", took %.2f s", view->last_took_s);
	if (view->last_status == NULL && view->last_at_s == STATUS_UNKNOWN)
		status_line(p, PAINT_NONE, "last sync", "none yet");
	else
		status_line(p, PAINT_NONE, "last sync", "%s %s%s",
			    status_or(view->last_status, "ended"),
			    status_ago(view, view->last_at_s).text, took);
	if (view->last_success_s == STATUS_UNKNOWN)
		status_line(p, PAINT_NONE, "last success", "none since the start");
	else
		status_line(p, PAINT_NONE, "last success", "%s",
			    status_ago(view, view->last_success_s).text);
}

static void status_write_poll(const struct status_page *p)
{
	const int64_t year_s = INT64_C(366) * 24 * 3600;
	const struct status_view *view = p->view;
	auto_free char *every = NULL;
	const char *when = "under way";
	struct status_span span = { "" };
	int64_t left_s = 0;

	if (view->next_poll_s != STATUS_UNKNOWN && view->time_s == STATUS_UNKNOWN) {
		when = "at an unknown time";
	} else if (view->next_poll_s != STATUS_UNKNOWN) {
		left_s = view->next_poll_s - view->time_s;
		span = status_span(left_s > 0 ? left_s : 0);
		when = left_s > 0 ? "in " : "now";
	}
	if (view->poll_interval_s > 0 && view->poll_interval_s < year_s)
		every = text_from_duration(view->poll_interval_s * 1000);
	status_line(p, PAINT_NONE, "next poll", "%s%s%s%s", when,
		    left_s > 0 ? span.text : "", every ? "; every " : "",
		    every ? every : "");
}

static void status_write_head(const struct status_page *p)
{
	const struct status_view *view = p->view;
	bool fails = view->failing_count > 0 || view->failures_in_row > 0;

	status_line(p, PAINT_NONE, "akvsync", "%s in %s, started %s",
		    status_or(view->version, "?"), status_or(view->directory, "?"),
		    status_ago(view, view->started_s).text);
	if (view->ready && status_is(status_or(view->reason, "ok"), "ok"))
		status_line(p, PAINT_NONE, "ready", "yes");
	else
		status_line(p, view->ready ? PAINT_NONE : PAINT_RED, "ready", "%s: %s",
			    view->ready ? "yes" : "no",
			    status_or(view->reason, "no reason is known"));
	if (view->generation == NULL)
		status_line(p, PAINT_NONE, "generation", "none yet");
	else
		status_line(p, PAINT_NONE, "generation", "%s, published %s",
			    view->generation, status_ago(view, view->published_s).text);
	status_write_sync(p);
	if (view->max_staleness_s != STATUS_UNKNOWN)
		status_line(p, PAINT_NONE, "max staleness", "%s; then it is not ready",
			    status_span(view->max_staleness_s).text);
	status_write_poll(p);
	if (fails)
		status_line(p, PAINT_RED, "failing",
			    "%zu; syncs in a row that failed: %s", view->failing_count,
			    status_count(view->failures_in_row).text);
	else
		status_line(p, PAINT_NONE, "failing", "nothing");
	if (view->sandbox != NULL)
		status_line(p, PAINT_NONE, "sandbox", "%s", view->sandbox);
}

static void status_write_failing(const struct status_page *p)
{
	const struct status_view *view = p->view;
	bool first = true;

	for (size_t i = 0; i < view->failing_count; i++) {
		auto_buf struct buf text = BUF_INIT(STATUS_LINE_MAX);
		auto_buf struct buf line = BUF_INIT(STATUS_LINE_MAX);

		if (status_has_row(view, &view->failing[i]))
			continue;
		buf_text(p->out, first ? "\nFAILING\n" : "");
		first = false;
		status_write_cause(view, &view->failing[i], true, &text);
		plain_add(&line, buf_str(&text), text.len, false);
		table_line(p->look, PAINT_RED, buf_str(&line), p->out);
	}
}

/* ---- the tables ---- */

static enum paint status_state_paint(const struct status_object *o)
{
	if (status_is(o->state, "missing"))
		return PAINT_RED;
	return status_is(o->state, "stale") || o->failing ? PAINT_YELLOW : PAINT_NONE;
}

static enum paint status_expiry_paint(int64_t left_s)
{
	if (left_s < VIEW_EXPIRES_URGENT_S)
		return PAINT_RED;
	return left_s < VIEW_EXPIRES_SOON_S ? PAINT_YELLOW : PAINT_NONE;
}

static void status_write_objects(const struct status_page *p)
{
	static const char *const headings[] = { "OBJECT",  "VERSION",   "STATE",
						"CHANGED", "CONFIRMED", "EXPIRES" };
	const struct status_view *view = p->view;
	struct table table;

	buf_text(p->out, "\n");
	table_begin(&table, headings, ARRAY_LEN(headings));
	for (size_t i = 0; i < view->object_count; i++) {
		const struct status_object *o = &view->objects[i];
		int64_t left_s;
		struct status_span expiry = status_expiry(view, o->expires_s, &left_s);

		table_cell(&table, PAINT_NONE, "%s", status_or(o->object, "?"));
		table_cell(&table, PAINT_NONE, "%.8s", status_or(o->version, "-"));
		table_cell(&table, status_state_paint(o), "%s", status_or(o->state, "-"));
		table_cell(&table, PAINT_NONE, "%s", status_age(view, o->changed_s).text);
		table_cell(&table, PAINT_NONE, "%s",
			   status_age(view, o->confirmed_s).text);
		table_cell(&table, status_expiry_paint(left_s), "%s", expiry.text);
		if (!status_notes(p, PLACE_OBJECT, o->object, &o->error, &table) &&
		    o->failing)
			status_note(view, &o->error, &table);
	}
	table_write(&table, p->look, p->out);
}

static void status_write_vaults(const struct status_page *p)
{
	static const char *const headings[] = { "VAULT", "REQUESTS", "THROTTLED", "LIMIT",
						"PAUSED" };
	const struct status_view *view = p->view;
	struct table table;

	if (view->vault_count == 0)
		return;
	buf_text(p->out, "\n");
	table_begin(&table, headings, ARRAY_LEN(headings));
	for (size_t i = 0; i < view->vault_count; i++) {
		const struct status_vault *v = &view->vaults[i];
		int64_t left_s;
		bool paused;

		(void)status_expiry(view, v->paused_until_s, &left_s);
		paused = left_s > 0 && left_s != INT64_MAX;
		table_cell(&table, PAINT_NONE, "%s", status_or(v->name, "?"));
		table_cell(&table, PAINT_NONE, "%s", status_count(v->requests).text);
		table_cell(&table, PAINT_NONE, "%s", status_count(v->throttled).text);
		table_cell(&table, PAINT_NONE, "%s", status_count(v->limit).text);
		table_cell(&table, paused ? PAINT_YELLOW : PAINT_NONE, "%s%s",
			   paused ? "for " : "-", paused ? status_span(left_s).text : "");
		status_notes(p, PLACE_VAULT, v->name, NULL, &table);
	}
	table_write(&table, p->look, p->out);
}

static void status_write_tokens(const struct status_page *p)
{
	static const char *const headings[] = { "TOKEN", "EXPIRES" };
	const struct status_view *view = p->view;
	struct table table;

	if (view->token_count == 0)
		return;
	buf_text(p->out, "\n");
	table_begin(&table, headings, ARRAY_LEN(headings));
	for (size_t i = 0; i < view->token_count; i++) {
		const struct status_token *t = &view->tokens[i];
		int64_t left_s;
		struct status_span expiry = status_expiry(view, t->expires_s, &left_s);

		table_cell(&table, PAINT_NONE, "%s", status_or(t->resource, "?"));
		/* One that has expired is no fault: the next sync gets another. */
		table_cell(&table, PAINT_NONE, "%s", expiry.text);
	}
	table_write(&table, p->look, p->out);
}

static void status_write_targets(const struct status_page *p)
{
	static const char *const headings[] = { "NOTIFY", "STATE", "SUCCESSES",
						"FAILURES", "LAST SUCCESS" };
	const struct status_view *view = p->view;
	struct table table;

	if (view->target_count == 0)
		return;
	buf_text(p->out, "\n");
	table_begin(&table, headings, ARRAY_LEN(headings));
	for (size_t i = 0; i < view->target_count; i++) {
		const struct status_target *t = &view->targets[i];

		table_cell(&table, PAINT_NONE, "%s", status_or(t->target, "?"));
		table_cell(&table, t->failing ? PAINT_RED : PAINT_NONE, "%s",
			   t->failing ? "failing" : "ok");
		table_cell(&table, PAINT_NONE, "%s", status_count(t->successes).text);
		table_cell(&table, PAINT_NONE, "%s", status_count(t->failures).text);
		table_cell(&table, PAINT_NONE, "%s",
			   status_age(view, t->last_success_s).text);
		status_notes(p, PLACE_TARGET, t->target, NULL, &table);
	}
	table_write(&table, p->look, p->out);
}

void status_text_write(const struct status_view *view, const struct table_look *look,
		       struct buf *out)
{
	auto_free bool *told = xcalloc(view->failing_count + 1, sizeof(*told));
	const struct status_page page = {
		.view = view, .look = look, .out = out, .told = told
	};

	status_write_head(&page);
	status_write_failing(&page);
	status_write_objects(&page);
	status_write_vaults(&page);
	status_write_tokens(&page);
	status_write_targets(&page);
	if (view->left_out > 0)
		buf_printf(out, "\nand %zu more entries, which are not shown\n",
			   view->left_out);
}
