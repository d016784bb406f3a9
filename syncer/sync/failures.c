#include "sync/failures.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "sync/validity.h"

/* What failures_report() works with. */
struct failures_view {
	struct failures *sum;
	const struct plan *plan;
	bool has_files;
	struct incidents *incidents;
	int64_t now;
};

/* One request to a vault, with its result. */
struct failures_subject {
	const struct source *source;
	enum incident_kind kind; /* of a failure that is the subject's own */
	const char *name;
	const struct err *err;
	enum fate_need need;
	const char *consequence;
};

static struct failures_subject failures_of_task(const struct task *t)
{
	return (struct failures_subject){ .source = t->source,
					  .kind = INCIDENT_OBJECT,
					  .name = t->path,
					  .err = &t->err,
					  .need = t->need,
					  .consequence = t->verdict->reason };
}

static struct failures_subject failures_of_listing(const struct failures_view *v,
						   const struct listing *l)
{
	return (struct failures_subject){
		.source = l->source,
		.kind = INCIDENT_LIST,
		.name = l->words,
		.err = &l->err,
		/* A list that is refused is nothing that was selected. */
		.need = l->object->optional ? FATE_OPTIONAL : FATE_REQUIRED,
		.consequence = v->has_files          ? "the last good files stay"
			       : l->object->optional ? "what it selects is left out "
						       "until it can be read"
						     : "no files have been published yet",
	};
}

/* The incident that a failure belongs to. */
static void failures_key(const struct failures_subject *s, enum incident_kind *kind,
			 const char **name)
{
	*kind = s->kind;
	*name = s->name;
	if (s->err->kind == ERR_IDENTITY)
		*kind = INCIDENT_IDENTITY;
	else if (s->err->kind == ERR_UNAVAILABLE && s->err->tokenless)
		*kind = INCIDENT_TOKEN_ENDPOINT;
	else if (s->err->kind == ERR_UNAVAILABLE)
		*kind = INCIDENT_VAULT;
	if (*kind == INCIDENT_VAULT)
		*name = s->source->vault.name;
	else if (*kind != s->kind)
		*name = NULL;
}

static void failures_note_delay(struct failures *sum, const struct err *err)
{
	bool of_vault = err->kind != ERR_IDENTITY && !err->tokenless;
	int *delay = of_vault ? &sum->vault_retry_after_ms : &sum->retry_after_ms;

	if (*delay < err->retry_after_ms)
		*delay = err->retry_after_ms;
}

static void failures_add(const struct failures_view *v, const struct failures_subject *s)
{
	bool excused = fate_is_excused(fate_error(s->err), s->need);
	enum incident_kind kind;
	const char *name;

	failures_key(s, &kind, &name);
	incidents_report(v->incidents, excused || v->has_files ? LOG_WARN : LOG_ERROR,
			 kind, name, s->err, s->consequence, v->now);
	v->sum->try_soon |= fate_is_transient(s->err->kind);
	if (!excused)
		failures_note_delay(v->sum, s->err);
	if (!excused && err_outranks(s->err, &v->sum->worst))
		v->sum->worst = *s->err;
}

/* A failure of the vault or the identity says nothing of the subject itself. */
static void failures_take(const struct failures_view *v, const struct failures_subject *s)
{
	if (s->err->kind == ERR_NONE) {
		incidents_confirm(v->incidents, s->kind, s->name);
		return;
	}
	failures_add(v, s);
	if (fate_is_transient(s->err->kind))
		incidents_hold(v->incidents, s->kind, s->name);
}

/* An object that expired, is not valid yet, or is disabled, but is given. */
static void failures_tell_validity(const struct failures_view *v, const struct task *t)
{
	struct err why;

	switch (validity_of(t, clock_wall_ms(), &why)) {
	case VALIDITY_UNKNOWN:
		incidents_hold(v->incidents, INCIDENT_VALIDITY, t->path);
		break;
	case VALIDITY_FINE:
		incidents_confirm(v->incidents, INCIDENT_VALIDITY, t->path);
		break;
	case VALIDITY_WARNS:
		incidents_report(v->incidents, LOG_WARN, INCIDENT_VALIDITY, t->path, &why,
				 "its files are made all the same", v->now);
		break;
	}
}

/* ---- lists ---- */

/* A pattern with a typo selects nothing, which is no failure but is logged. */
static void failures_warn_of_nothing(const struct failures_view *v,
				     const struct listing *l)
{
	struct err nothing;

	err_set(&nothing, ERR_NOTFOUND, "%s: nothing in the vault matches", l->words);
	incidents_report(v->incidents, LOG_WARN, INCIDENT_LIST, l->words, &nothing,
			 "it makes no files", v->now);
}

/* One warning for all that has no place, with the reason of the first. */
static void failures_warn_of_left_out(const struct failures_view *v,
				      const struct listing *l)
{
	struct err why = l->left_out_why;

	if (l->left_out == 0) {
		incidents_confirm(v->incidents, INCIDENT_LEFT_OUT, l->words);
		return;
	}
	if (l->left_out > 1)
		err_hint(&why, "%zu of the %zu objects that match are left out",
			 l->left_out, l->selected);
	incidents_report(v->incidents, LOG_WARN, INCIDENT_LEFT_OUT, l->words, &why,
			 l->left_out > 1 ? "they are left out" : "it is left out",
			 v->now);
}

/* One warning for all that a list no longer selects though it has files, named by the
 * first of them. */
static void failures_warn_of_gone(const struct failures_view *v, const struct listing *l)
{
	const struct task *first = NULL;
	auto_free char *others = NULL;
	size_t count = 0;
	struct err why;

	for (const struct task *t = v->plan->tasks; t; t = t->next) {
		if (!t->is_gone || t->object != l->object)
			continue;
		first = first ? first : t;
		count++;
	}
	if (first == NULL) {
		incidents_confirm(v->incidents, INCIDENT_GONE, l->words);
		return;
	}
	others = xasprintf(" and %zu more", count - 1);
	err_set(&why, ERR_NOTFOUND,
		"%s: it no longer has %s%s; deleted, or have the tags changed?", l->words,
		first->words, count > 1 ? others : "");
	incidents_report(v->incidents, LOG_WARN, INCIDENT_GONE, l->words, &why,
			 first->verdict->reason, v->now);
}

static bool failures_is_planned(const struct plan *plan, const char *path)
{
	const struct task *t = plan->tasks;

	while (t != NULL && strcmp(t->path, path) != 0)
		t = t->next;
	return t != NULL;
}

/* Without the list of the vault it is not known which of its objects still exist. */
static void failures_hold_unlisted(const struct failures_view *v)
{
	for (size_t i = 0; i < v->incidents->count; i++) {
		const struct incident *it = v->incidents->items[i];

		if ((it->kind == INCIDENT_OBJECT || it->kind == INCIDENT_VALIDITY) &&
		    !failures_is_planned(v->plan, it->name))
			incidents_hold(v->incidents, it->kind, it->name);
	}
}

static void failures_take_listing(const struct failures_view *v, const struct listing *l)
{
	struct failures_subject subject = failures_of_listing(v, l);

	if (!object_selects(l->object))
		return; /* the tasks of a history stand for it */
	if (l->err.kind == ERR_NONE && l->selected == 0)
		failures_warn_of_nothing(v, l);
	else
		failures_take(v, &subject);
	if (l->err.kind == ERR_NONE) {
		failures_warn_of_left_out(v, l);
		failures_warn_of_gone(v, l);
		return;
	}
	incidents_hold(v->incidents, INCIDENT_LEFT_OUT, l->words);
	incidents_hold(v->incidents, INCIDENT_GONE, l->words);
	failures_hold_unlisted(v);
}

/* ---- vaults and the identity ---- */

/* What a vault was asked in this sync. */
enum failures_answer {
	ANSWER_UNUSED,    /* the list has nothing of it */
	ANSWER_NOT_ASKED, /* what it has of it is on the volume and cannot change */
	ANSWER_NONE,      /* it was asked, and did not answer */
	ANSWER_CAME,      /* it answered, with an accepted token */
};

static void failures_note(enum failures_answer *answer, const struct fetch_item *item,
			  const struct err *err)
{
	enum failures_answer now = ANSWER_NOT_ASKED;

	if (item->state != FETCH_NONE)
		now = fate_is_transient(err->kind) ? ANSWER_NONE : ANSWER_CAME;
	if (*answer < now)
		*answer = now;
}

static bool failures_has_token(const struct source *s, int64_t now)
{
	return token_state(s->shared->token, s->resource, now) == TOKEN_READY;
}

static void failures_mark(const struct failures_view *v, bool works,
			  enum incident_kind kind, const char *name)
{
	if (works)
		incidents_confirm(v->incidents, kind, name);
	else
		incidents_hold(v->incidents, kind, name);
}

static void failures_judge_vaults(const struct failures_view *v)
{
	const struct plan *plan = v->plan;
	auto_free enum failures_answer *answers =
		xcalloc(plan->sources->count, sizeof(*answers));
	bool asked = false, answered = false, have_tokens = true;

	for (const struct listing *l = plan->listings; l; l = l->next)
		failures_note(&answers[l->source->index], &l->item, &l->err);
	for (const struct task *t = plan->tasks; t; t = t->next)
		failures_note(&answers[t->source->index], &t->value.item, &t->err);
	for (const struct source *s = plan->sources->first; s; s = s->next) {
		enum failures_answer answer = answers[s->index];

		if (answer != ANSWER_UNUSED)
			failures_mark(v, answer == ANSWER_CAME, INCIDENT_VAULT,
				      s->vault.name);
		if (answer < ANSWER_NONE)
			continue;
		asked = true;
		answered |= answer == ANSWER_CAME;
		have_tokens &= failures_has_token(s, v->now);
	}
	failures_mark(v, asked && answered && have_tokens, INCIDENT_IDENTITY, NULL);
	failures_mark(v, asked && have_tokens, INCIDENT_TOKEN_ENDPOINT, NULL);
}

void failures_report(struct failures *sum, const struct plan *plan, bool has_files,
		     struct incidents *incidents, int64_t now)
{
	const struct failures_view v = { sum, plan, has_files, incidents, now };

	*sum = (struct failures){ 0 };
	for (const struct listing *l = plan->listings; l; l = l->next)
		failures_take_listing(&v, l);
	for (const struct task *t = plan->tasks; t; t = t->next) {
		struct failures_subject subject = failures_of_task(t);

		if (!t->is_gone) /* its listing tells of it */
			failures_take(&v, &subject);
		failures_tell_validity(&v, t);
	}
	failures_judge_vaults(&v);
}
