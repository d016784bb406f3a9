#include "sync/failures.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "report/log.h"

static bool is_transient(const struct err *err)
{
	return err->kind == ERR_UNAVAILABLE || err->kind == ERR_IDENTITY;
}

bool failure_is_excused(const struct task *t)
{
	return task_is_optional(t) &&
	       (t->err.kind == ERR_NOTFOUND || t->err.kind == ERR_DENIED);
}

const char *failure_consequence(const struct round *r, const struct task *t)
{
	if (t != NULL && failure_is_excused(t) && t->on_disk == NULL)
		return "it is left out until it is there";
	return publish_generation(r->work.publish) ? "the last good files stay"
						   : "no files have been published yet";
}

/* One line for a vault or identity that fails for all, one for each object that fails by
 * itself. */
static void report(struct round *r, const struct source *source, const struct task *t,
		   const char *what, const struct err *err, int64_t now)
{
	enum incident_kind kind = t != NULL ? INCIDENT_OBJECT : INCIDENT_LIST;
	bool excused = t != NULL && failure_is_excused(t);
	enum log_level level =
		excused || publish_generation(r->work.publish) ? LOG_WARN : LOG_ERROR;

	if (err->kind == ERR_IDENTITY)
		kind = INCIDENT_IDENTITY;
	else if (err->kind == ERR_UNAVAILABLE)
		kind = err->tokenless ? INCIDENT_TOKEN_ENDPOINT : INCIDENT_VAULT;
	if (kind == INCIDENT_VAULT)
		what = source->vault.name;
	else if (kind == INCIDENT_IDENTITY || kind == INCIDENT_TOKEN_ENDPOINT)
		what = NULL;
	incidents_report(r->work.incidents, level, kind, what, err,
			 failure_consequence(r, t), now);
}

bool failure_holds_back(const struct round *r, const struct task *t)
{
	return t == NULL || t->on_disk != NULL || !t->object->optional ||
	       publish_generation(r->work.publish) != NULL;
}

struct told {
	bool identity, token_endpoint;
	bool *vaults; /* by the index of their source */
};

static void note_failure(struct round *r, const struct source *source,
			 const struct task *t, const char *what, const struct err *err,
			 struct told *told, int64_t now, struct round_result *out)
{
	bool *said = err->kind == ERR_IDENTITY ? &told->identity
		     : err->tokenless          ? &told->token_endpoint
					       : &told->vaults[source->index];

	if (!is_transient(err) || !*said)
		report(r, source, t, what, err, now);
	if (t != NULL && failure_is_excused(t))
		return;
	if (out->retry_after_ms < err->retry_after_ms)
		out->retry_after_ms = err->retry_after_ms;
	if (err_outranks(err, &out->worst))
		out->worst = *err;
	if (!is_transient(err))
		return;
	*said = true;
	out->transient = true;
	if (failure_holds_back(r, t))
		lane_of(r, source)->held = true;
}

/* A pattern with a slip selects nothing, which is no failure but worth a word. */
static void warn_of_nothing(struct round *r, const struct listing *l, int64_t now)
{
	struct err nothing;

	if (l->selected > 0)
		return;
	err_set(&nothing, ERR_NOTFOUND, "%s: nothing in the vault matches", l->words);
	incidents_report(r->work.incidents, LOG_WARN, INCIDENT_LIST, l->words, &nothing,
			 "it makes no files", now);
}

void failures_note(struct round *r, int64_t now, struct round_result *out)
{
	auto_free bool *vaults = xcalloc(r->work.sources->count, sizeof(*vaults));
	struct told told = { .vaults = vaults };

	for (const struct listing *l = r->listings; l; l = l->next) {
		if (!object_selects(l->object))
			continue;
		if (l->err.kind == ERR_NONE)
			warn_of_nothing(r, l, now);
		else
			note_failure(r, l->source, NULL, l->words, &l->err, &told, now,
				     out);
	}
	for (const struct task *t = r->tasks; t; t = t->next)
		if (t->err.kind != ERR_NONE)
			note_failure(r, t->source, t, t->path, &t->err, &told, now, out);
}

/* Notes whether a question was answered, or its failure may hold as before. */
static void note_answer(struct round *r, const struct source *source,
			const struct fetch_item *item, const struct err *err,
			enum incident_kind kind, const char *what)
{
	struct lane *lane = lane_of(r, source);

	lane->asked |= item->state != FETCH_NONE;
	if (is_transient(err))
		incidents_hold(r->work.incidents, kind, what);
	else if (err->kind == ERR_NONE)
		incidents_confirm(r->work.incidents, kind, what);
	if (!is_transient(err) && item->state != FETCH_NONE)
		lane->answered = true;
}

static bool is_planned(const struct round *r, const char *path)
{
	const struct task *t = r->tasks;

	while (t != NULL && strcmp(t->path, path) != 0)
		t = t->next;
	return t != NULL;
}

/* A list that did not come does not say which of its objects are still there to fail. */
static void hold_unlisted(struct round *r)
{
	for (size_t i = 0; i < r->work.incidents->count; i++) {
		const struct incident *it = &r->work.incidents->items[i];

		if (it->kind == INCIDENT_LEFT_OUT ||
		    (it->kind == INCIDENT_OBJECT && !is_planned(r, it->name)))
			incidents_hold(r->work.incidents, it->kind, it->name);
	}
}

static bool has_token(const struct source *s, int64_t now)
{
	return token_state(s->shared->token, s->resource, now) == TOKEN_READY;
}

/* Something was asked of it: either it has answered, or nobody knows. */
static void note_outage(struct incidents *all, enum incident_kind kind, const char *name,
			bool works)
{
	if (works)
		incidents_confirm(all, kind, name);
	else
		incidents_hold(all, kind, name);
}

void failures_hold_unknown(struct round *r, int64_t now)
{
	struct incidents *all = r->work.incidents;
	bool asked = false, answered = false, have_tokens = true;

	for (const struct listing *l = r->listings; l; l = l->next) {
		note_answer(r, l->source, &l->item, &l->err, INCIDENT_LIST, l->words);
		if (is_transient(&l->err) && object_selects(l->object))
			hold_unlisted(r);
	}
	for (const struct task *t = r->tasks; t; t = t->next) {
		note_answer(r, t->source, &t->value.item, &t->err, INCIDENT_OBJECT,
			    t->path);
		incidents_confirm(all, INCIDENT_LEFT_OUT, t->path);
	}
	for (const struct source *s = r->work.sources->first; s; s = s->next) {
		const struct lane *lane = lane_of(r, s);

		if (!lane->asked)
			continue;
		asked = true;
		answered |= lane->answered;
		have_tokens &= has_token(s, now);
		note_outage(all, INCIDENT_VAULT, s->vault.name, lane->answered);
	}
	if (!asked)
		return;
	note_outage(all, INCIDENT_IDENTITY, NULL, answered && have_tokens);
	note_outage(all, INCIDENT_TOKEN_ENDPOINT, NULL, have_tokens);
}
