#include "report/metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "report/metrics_table.h"

/* What the samples are written to. */
struct metrics_page {
	const struct view *view;
	enum metrics_format format;
	struct buf *out;
};

/* ---- lines ---- */

/* The name of the family, which in OpenMetrics has no "_total". */
static int metrics_family_len(const struct metrics_page *page, const struct metric *m)
{
	size_t len = strlen(m->name), tail = strlen("_total");

	if (page->format == METRICS_OPENMETRICS && m->type == METRIC_COUNTER)
		len -= tail;
	return (int)len;
}

static void metrics_head(const struct metrics_page *page, const struct metric *m)
{
	int len = metrics_family_len(page, m);

	buf_printf(page->out, "# HELP %.*s %s\n# TYPE %.*s %s\n", len, m->name, m->help,
		   len, m->name, metric_type_word(m->type));
	if (page->format == METRICS_OPENMETRICS && m->unit != NULL)
		buf_printf(page->out, "# UNIT %.*s %s\n", len, m->name, m->unit);
}

/* A label's value: with '\', '"' and line breaks escaped, and in UTF-8, or Prometheus
 * would refuse the whole answer. */
static void metrics_label_value(struct buf *out, const char *text)
{
	while (*text != '\0') {
		size_t plain = 0, n;

		while (text[plain] != '\0' && strchr("\n\"\\", text[plain]) == NULL &&
		       (n = text_utf8_length(text + plain)) > 0)
			plain += n;
		buf_printf(out, "%.*s", (int)plain, text);
		text += plain;
		if (*text == '\0')
			return;
		if (*text == '\n')
			buf_text(out, "\\n");
		else if (text_utf8_length(text) > 0)
			buf_printf(out, "\\%c", *text);
		else
			buf_text(out, "\xef\xbf\xbd"); /* U+FFFD */
		text++;
	}
}

/* Appends the labels of the metric with these values, without the brackets. */
static void metrics_labels(const struct metrics_page *page, const struct metric *m,
			   const char *const *values)
{
	const char *name = m->labels;

	for (size_t i = 0; values != NULL && values[i] != NULL; i++) {
		size_t len = strcspn(name, ",");

		buf_printf(page->out, "%s%.*s=\"", i ? "," : "", (int)len, name);
		metrics_label_value(page->out, values[i]);
		buf_text(page->out, "\"");
		name += len + (name[len] == ',');
	}
}

/* The name of a sample, of which a histogram has several, and its labels. */
static void metrics_part(const struct metrics_page *page, const struct metric *m,
			 const char *const *values, const char *part)
{
	buf_printf(page->out, "%s%s", m->name, part);
	if (*m->labels == '\0')
		return;
	buf_text(page->out, "{");
	metrics_labels(page, m, values);
	buf_text(page->out, "}");
}

/* The values of labels, in the order of their names. */
#define LABELS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void metrics_number(const struct metrics_page *page, enum metric_id id,
			   const char *const *values, uint64_t number)
{
	metrics_part(page, &metrics[id], values, "");
	buf_printf(page->out, " %" PRIu64 "\n", number);
}

/* The end of a line: milliseconds, written as seconds. */
static void metrics_seconds_end(const struct metrics_page *page, int64_t ms)
{
	buf_text(page->out, " ");
	view_seconds(page->out, ms);
	buf_text(page->out, "\n");
}

/* Milliseconds, written as seconds. */
static void metrics_seconds(const struct metrics_page *page, enum metric_id id,
			    const char *const *values, int64_t ms)
{
	metrics_part(page, &metrics[id], values, "");
	metrics_seconds_end(page, ms);
}

/* A monotonic time; nothing when it never came. */
static void metrics_time(const struct metrics_page *page, enum metric_id id,
			 const char *const *values, int64_t at)
{
	if (at != STATE_NEVER)
		metrics_seconds(page, id, values, view_wall_ms(page->view, at));
}

static void metrics_bucket(const struct metrics_page *page, const struct metric *m,
			   const char *const *values, const char *bound, uint64_t count)
{
	buf_printf(page->out, "%s_bucket{", m->name);
	metrics_labels(page, m, values);
	buf_printf(page->out, "%sle=\"%s\"} %" PRIu64 "\n", *m->labels ? "," : "", bound,
		   count);
}

static void metrics_histogram(const struct metrics_page *page, enum metric_id id,
			      const char *const *values, const struct histogram *h,
			      const struct histogram_bounds *bounds)
{
	const struct metric *m = &metrics[id];
	uint64_t below = 0;
	char bound[32];

	for (size_t i = 0; i < bounds->count; i++) {
		below += h->up_to[i];
		snprintf(bound, sizeof(bound), "%g", (double)bounds->ms[i] / 1000);
		if (page->format == METRICS_OPENMETRICS && strchr(bound, '.') == NULL)
			snprintf(bound, sizeof(bound), "%" PRId64 ".0",
				 bounds->ms[i] / 1000);
		metrics_bucket(page, m, values, bound, below);
	}
	metrics_bucket(page, m, values, "+Inf", h->count);
	metrics_part(page, m, values, "_sum");
	metrics_seconds_end(page, h->sum_ms);
	metrics_part(page, m, values, "_count");
	buf_printf(page->out, " %" PRIu64 "\n", h->count);
}

/* ---- families ---- */

/* Answers by their code: of a vault, to one kind of requests; or, both NULL, to those for
 * tokens. */
static void metrics_codes(const struct metrics_page *page, enum metric_id id,
			  const char *vault, const char *kind,
			  const struct state_codes *codes)
{
	char code[STATE_CODE_LEN];
	const char *const labels[] = { vault, kind, code, NULL };
	const char *const *values = vault != NULL ? labels : &labels[2];

	for (size_t i = 0; i < STATE_CODES && codes->items[i].count > 0; i++) {
		state_code_word(code, &codes->items[i]);
		metrics_number(page, id, values, codes->items[i].count);
	}
	snprintf(code, sizeof(code), "other");
	if (codes->others > 0)
		metrics_number(page, id, values, codes->others);
}

static void metrics_vault_requests(const struct metrics_page *page,
				   const struct state_vault *v)
{
	for (int kind = 0; kind < STATE_REQUESTS; kind++)
		metrics_codes(page, METRIC_VAULT_REQUESTS, v->name,
			      state_request_words[kind], &v->codes[kind]);
}

static void metrics_vaults(const struct metrics_page *page, enum metric_id id)
{
	for (const struct state_vault *v = page->view->state->vaults; v; v = v->next) {
		const char *const *labels = LABELS(v->name);

		if (id == METRIC_VAULT_REQUESTS)
			metrics_vault_requests(page, v);
		else if (id == METRIC_VAULT_REQUEST_DURATION)
			metrics_histogram(page, id, labels, &v->durations,
					  &state_request_bounds);
		else if (id == METRIC_VAULT_THROTTLED)
			metrics_number(page, id, labels, v->throttled);
		else if (v->width > 0)
			metrics_number(page, id, labels, v->width);
	}
}

static void metrics_tokens(const struct metrics_page *page, enum metric_id id)
{
	const struct state *s = page->view->state;

	if (id == METRIC_TOKEN_REQUEST_DURATION)
		metrics_histogram(page, id, NULL, &s->token_durations,
				  &state_request_bounds);
	if (id == METRIC_TOKEN_EXPIRY)
		for (size_t i = 0; i < s->token_count; i++)
			metrics_time(page, id, LABELS(s->tokens[i].resource),
				     s->tokens[i].expires_at);
	if (id == METRIC_TOKEN_REQUESTS)
		metrics_codes(page, id, NULL, NULL, &s->token_codes);
}

static void metrics_objects(const struct metrics_page *page, enum metric_id id)
{
	const struct state *s = page->view->state;

	for (size_t i = 0; i < s->object_count; i++) {
		const struct state_object *o = &s->objects[i];
		const char *const *labels = LABELS(o->path);

		if (id == METRIC_OBJECT_INFO)
			metrics_number(page, id,
				       LABELS(o->path, kind_word(o->kind), o->name,
					      o->vault->name, o->version),
				       1);
		else if (id == METRIC_OBJECT_UP_TO_DATE)
			metrics_number(page, id, labels,
				       o->freshness == OBJECT_UP_TO_DATE);
		else if (id == METRIC_OBJECT_LAST_SUCCESS)
			metrics_time(page, id, labels, o->confirmed_at);
		else if (id == METRIC_OBJECT_CHANGED && o->changed_unix_ms > 0)
			metrics_seconds(page, id, labels, o->changed_unix_ms);
		else if (id == METRIC_OBJECT_EXPIRY && o->expires_unix_s > 0)
			metrics_seconds(page, id, labels, o->expires_unix_s * 1000);
	}
}

static void metrics_failing(const struct metrics_page *page, enum metric_id id)
{
	const struct incidents *all = page->view->incidents;

	for (size_t i = 0; i < all->count; i++) {
		const struct incident *it = all->items[i];
		const char *word = incident_word(it->kind);

		if (id == METRIC_FAILING)
			metrics_number(
				page, id,
				LABELS(word, it->name, view_error_word(it->err.kind)), 1);
		else
			metrics_time(page, id, LABELS(word, it->name), it->since);
	}
}

static void metrics_targets(const struct metrics_page *page, enum metric_id id)
{
	const struct state *s = page->view->state;

	for (size_t i = 0; i < s->target_count; i++) {
		const struct state_target *t = &s->targets[i];

		if (id == METRIC_NOTIFY_LAST_SUCCESS) {
			metrics_time(page, id, LABELS(t->text), t->last_success);
			continue;
		}
		metrics_number(page, id, LABELS(t->text, "success"), t->successes);
		metrics_number(page, id, LABELS(t->text, "failure"), t->failures);
	}
}

static void metrics_syncs(const struct metrics_page *page)
{
	for (int i = 0; i < STATE_SYNCS; i++)
		metrics_number(page, METRIC_SYNCS, LABELS(state_sync_words[i]),
			       page->view->state->syncs[i]);
}

/* What the system did not say is left out. */
static void metrics_known(const struct metrics_page *page, enum metric_id id,
			  int64_t number)
{
	if (number >= 0)
		metrics_number(page, id, NULL, (uint64_t)number);
}

static void metrics_of_process(const struct metrics_page *page, enum metric_id id)
{
	const struct view_process *p = &page->view->process;

	switch (id) {
	case METRIC_PROCESS_CPU:
		if (p->cpu_ms >= 0)
			metrics_seconds(page, id, NULL, p->cpu_ms);
		break;
	case METRIC_PROCESS_RESIDENT_MEMORY:
		metrics_known(page, id, p->resident_bytes);
		break;
	case METRIC_PROCESS_OPEN_FDS:
		metrics_known(page, id, p->open_fds);
		break;
	case METRIC_PROCESS_MAX_FDS:
		metrics_known(page, id, p->max_fds);
		break;
	default:
		metrics_time(page, METRIC_PROCESS_START_TIME, NULL,
			     page->view->state->started_at);
		break;
	}
}

/* Those without labels that are of the syncs and the set. */
static void metrics_of_set(const struct metrics_page *page, enum metric_id id)
{
	const struct view *v = page->view;
	const struct state *s = v->state;

	switch (id) {
	case METRIC_READY:
		metrics_number(page, id, NULL, v->ready);
		break;
	case METRIC_POLL_INTERVAL:
		metrics_seconds(page, id, NULL, v->poll_interval_ms);
		break;
	case METRIC_MAX_STALENESS:
		if (v->max_staleness_ms > 0)
			metrics_seconds(page, id, NULL, v->max_staleness_ms);
		break;
	case METRIC_LAST_SUCCESS:
		metrics_time(page, id, NULL, s->last_success);
		break;
	case METRIC_CONSECUTIVE_FAILURES:
		metrics_number(page, id, NULL, s->failures_in_a_row);
		break;
	case METRIC_OBJECTS:
		metrics_number(page, id, NULL, s->object_count);
		break;
	case METRIC_FILES:
		metrics_number(page, id, NULL, v->files);
		break;
	case METRIC_ROTATIONS:
		metrics_number(page, id, NULL, s->rotations);
		break;
	case METRIC_GENERATION:
		if (v->generation != NULL)
			metrics_seconds(page, id, NULL, v->published_unix_ms);
		break;
	default:
		metrics_number(page, METRIC_GENERATIONS, NULL, s->generations);
		break;
	}
}

static void metrics_family(const struct metrics_page *page, enum metric_id id)
{
	const struct state *s = page->view->state;

	switch (id) {
	case METRIC_BUILD_INFO:
		metrics_number(page, id, LABELS(AKVSYNC_VERSION), 1);
		break;
	case METRIC_SYNCS:
		metrics_syncs(page);
		break;
	case METRIC_SYNC_DURATION:
		metrics_histogram(page, id, NULL, &s->sync_durations, &state_sync_bounds);
		break;
	case METRIC_VAULT_REQUESTS:
	case METRIC_VAULT_REQUEST_DURATION:
	case METRIC_VAULT_THROTTLED:
	case METRIC_VAULT_CONCURRENCY_LIMIT:
		metrics_vaults(page, id);
		break;
	case METRIC_TOKEN_REQUESTS:
	case METRIC_TOKEN_REQUEST_DURATION:
	case METRIC_TOKEN_EXPIRY:
		metrics_tokens(page, id);
		break;
	case METRIC_OBJECT_INFO:
	case METRIC_OBJECT_UP_TO_DATE:
	case METRIC_OBJECT_LAST_SUCCESS:
	case METRIC_OBJECT_CHANGED:
	case METRIC_OBJECT_EXPIRY:
		metrics_objects(page, id);
		break;
	case METRIC_ROTATION_DELAY:
		metrics_histogram(page, id, NULL, &s->rotation_delays,
				  &state_rotation_bounds);
		break;
	case METRIC_FAILING:
	case METRIC_FAILING_SINCE:
		metrics_failing(page, id);
		break;
	case METRIC_NOTIFY_RUNS:
	case METRIC_NOTIFY_LAST_SUCCESS:
		metrics_targets(page, id);
		break;
	default:
		if (id >= METRIC_PROCESS_CPU)
			metrics_of_process(page, id);
		else
			metrics_of_set(page, id);
		break;
	}
}

void metrics_write(const struct view *v, enum metrics_format format, struct buf *out)
{
	const struct metrics_page page = { v, format, out };

	for (int id = 0; id < METRICS; id++) {
		size_t before = out->len, after;

		metrics_head(&page, &metrics[id]);
		after = out->len;
		metrics_family(&page, (enum metric_id)id);
		/* A family without samples is left out. */
		if (out->len == after)
			buf_truncate(out, before);
	}
	if (format == METRICS_OPENMETRICS)
		buf_text(out, "# EOF\n");
}
