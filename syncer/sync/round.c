#include "sync/round.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "report/log.h"
#include "sync/account.h"
#include "sync/compose.h"
#include "sync/plan.h"
#include "sync/proposal.h"
#include "sync/task_set.h"

/*
 * A round asks, then proposes a set:
 *
 *   ROUND_ASKING --------------> ROUND_PROPOSING --------------> its end
 *            all have answered           the prechecks have, too
 */
enum round_state { ROUND_ASKING, ROUND_PROPOSING };

struct round {
	enum round_state state;
	struct round_work work;
	struct plan plan;
	struct proposal proposal;
	struct failures failures; /* at the vaults; of ROUND_PROPOSING */
	int64_t started;
};

/* One line for all of them. */
static void round_tell_healed(struct publish *publish)
{
	const struct paths *healed = publish_healed(publish);
	struct proposal names = proposal_empty();

	for (size_t i = 0; i < healed->count; i++)
		proposal_name(&names.versions, healed->items[i], NULL);
	if (healed->count > 0)
		log_event(
			LOG_WARN, "relinked",
			LOG_FIELDS(log_str("what", buf_str(&names.versions))),
			"another program had removed or replaced %zu link%s to the set; "
			"%s made anew",
			healed->count, healed->count == 1 ? "" : "s",
			healed->count == 1 ? "it was" : "they were");
	proposal_done(&names);
	publish_forget_healed(publish);
}

struct round *round_start(const struct round_work *work, int64_t now)
{
	struct round *r = xcalloc(1, sizeof(*r));
	struct err err;

	r->work = *work;
	r->started = now;
	r->proposal = proposal_empty();
	if (publish_look(work->publish, &err) < 0)
		r->proposal.failed = err;
	round_tell_healed(work->publish);
	plan_start(&r->plan, work->sources, work->objects, work->publish, now);
	return r;
}

void round_progress(const struct round *r, int64_t now, struct progress *out)
{
	progress_look(out, &r->plan, now);
}

void round_free(struct round *r)
{
	if (r == NULL)
		return;
	publish_abandon(r->work.publish);
	proposal_done(&r->proposal);
	plan_free(&r->plan);
	free(r);
}

/* ---- fates ---- */

static struct fate_facts round_facts(const struct round *r)
{
	return (struct fate_facts){
		.same_configuration = publish_fits(r->work.publish, r->work.number),
		.first_set = publish_generation(r->work.publish) == NULL,
	};
}

static struct fate_facts round_task_facts(const struct round *r, const struct task *t)
{
	struct fate_facts facts = round_facts(r);

	facts.error = fate_error(&t->err);
	facts.need = t->need;
	facts.files = task_files_on_volume(t);
	facts.elsewhere = facts.files == FATE_NO_FILES && facts.need == FATE_OPTIONAL &&
			  publish_of_object(r->work.publish, t->id, 0) != NULL;
	return facts;
}

/* A list of the vault that could not be read: what it selected before is on the volume
 * only when the set was published for the same list of objects. */
static struct fate_facts round_listing_facts(const struct round *r,
					     const struct listing *l)
{
	struct fate_facts facts = round_facts(r);

	facts.error = fate_error(&l->err);
	facts.need = l->object->optional ? FATE_OPTIONAL : FATE_REQUIRED;
	facts.files = facts.same_configuration ? FATE_GOOD_FILES : FATE_NO_FILES;
	facts.elsewhere = !facts.first_set;
	return facts;
}

/* Which vaults a transient failure holds, by the index of their source. */
static void round_find_held(const struct round *r, bool *held)
{
	for (const struct listing *l = r->plan.listings; l; l = l->next) {
		struct fate_facts facts = round_listing_facts(r, l);

		held[l->source->index] |=
			object_selects(l->object) && fate_holds_vault(&facts);
	}
	for (const struct task *t = r->plan.tasks; t; t = t->next) {
		struct fate_facts facts = round_task_facts(r, t);

		held[t->source->index] |= fate_holds_vault(&facts);
	}
}

/* No absence is counted in a round in which a vault did not answer. */
static void round_judge(struct round *r, const bool *held, bool counts, int64_t now)
{
	if (counts)
		absences_begin(r->work.absences, now, r->work.poll_interval_ms);
	for (struct task *t = r->plan.tasks; t; t = t->next) {
		struct fate_facts facts = round_task_facts(r, t);

		facts.vault_held = held[t->source->index];
		facts.gone = counts && facts.error == ERR_NOTFOUND &&
			     facts.need != FATE_REQUIRED &&
			     facts.files != FATE_NO_FILES &&
			     absences_count(r->work.absences, t->path);
		t->verdict = fate_of(&facts);
	}
	if (counts)
		absences_end(r->work.absences);
}

/* Never the last file of a set: an empty list is more likely a mistake. */
static void round_keep_last(const struct round *r)
{
	struct fate_facts facts;
	struct task *last = NULL;

	for (struct task *t = r->plan.tasks; t; t = t->next) {
		if (t->verdict->fate == FATE_GO)
			last = t;
		else if (t->verdict->fate != FATE_ABSENT)
			return;
	}
	if (last == NULL)
		return;
	facts = round_task_facts(r, last);
	last->verdict = fate_of(&facts);
}

static void round_decide(struct round *r, int64_t now)
{
	auto_free bool *held = xcalloc(r->work.sources->count, sizeof(*held));
	bool any_transient = false;

	round_find_held(r, held);
	for (const struct task *t = r->plan.tasks; t; t = t->next)
		any_transient |= fate_is_transient(t->err.kind);
	for (const struct listing *l = r->plan.listings; l; l = l->next)
		any_transient |= fate_is_transient(l->err.kind);
	round_judge(r, held, !any_transient, now);
	round_keep_last(r);
}

/* ---- the set ---- */

static void round_hold(struct proposal *set, const struct task *t)
{
	if (set->held_by.kind != ERR_NONE)
		return;
	if (t->err.kind != ERR_NONE) {
		set->held_by = t->err;
		return;
	}
	err_set(&set->held_by, ERR_UNAVAILABLE,
		"%s waits until all objects of its vault '%s' have answered", t->words,
		t->source->vault.name);
}

static bool round_rotates(const struct task *t)
{
	for (size_t i = 0; i < t->file_count; i++) {
		const struct manifest_entry *entry = t->files[i].entry;

		if (entry != NULL && !text_same(entry->version, t->new_version))
			return true;
	}
	return false;
}

static void round_collect(const struct round *r, struct proposal *set)
{
	for (const struct listing *l = r->plan.listings; l; l = l->next) {
		struct fate_facts facts = round_listing_facts(r, l);

		if (l->err.kind != ERR_NONE && object_selects(l->object) &&
		    set->held_by.kind == ERR_NONE &&
		    fate_of(&facts)->fate == FATE_HOLD_SET)
			set->held_by = l->err;
	}
	for (struct task *t = r->plan.tasks; t; t = t->next) {
		bool is_new = t->verdict->fate == FATE_NEW &&
			      (t->has_new_files || t->has_new_metadata);

		if (t->verdict->fate == FATE_HOLD_SET)
			round_hold(set, t);
		set->has_news |= is_new;
		t->rotates = is_new && t->has_new_files && round_rotates(t);
		if (is_new)
			proposal_name(&set->versions, t->path, t->new_version);
		if (t->verdict->fate == FATE_GO)
			proposal_name(&set->gone, t->path, NULL);
		task_add_files(t, &set->files, &set->count);
	}
}

/* The files that are made of other files of the set, when there is going to be one. */
static void round_compose(struct round *r, int64_t now)
{
	const struct templates *all = &r->work.objects->templates;
	struct fate_facts facts = round_facts(r);
	struct proposal *p = &r->proposal;

	if (p->held_by.kind != ERR_NONE) {
		compose_hold(all, r->work.incidents);
		return;
	}
	compose_templates(&p->composition, all, r->work.publish, &facts, &p->files,
			  &p->count);
	p->held_by = p->composition.held_by;
	for (size_t i = 0; i < p->composition.count; i++) {
		const struct composed *c = &p->composition.items[i];

		p->has_news |= c->is_new;
		if (c->is_new)
			proposal_name(&p->versions, c->file->path, c->version);
	}
	compose_report(&p->composition, publish_generation(r->work.publish) != NULL,
		       r->work.incidents, &r->failures, now);
}

/* How long until the first of the objects that are still valid expires; 0: none does. */
static int64_t round_next_expiry(const struct round *r)
{
	int64_t now = clock_wall_ms(), soonest = 0;

	for (const struct task *t = r->plan.tasks; t; t = t->next) {
		int64_t left = t->value.got.expires * 1000 - now;

		if (t->value.item.state == FETCH_GOT && t->value.got.expires > 0 &&
		    left > 0 && (soonest == 0 || left < soonest))
			soonest = left;
	}
	return soonest;
}

/* No more answers come: what becomes of each object, and the set that this makes. */
static void round_propose(struct round *r, int64_t now)
{
	r->state = ROUND_PROPOSING;
	plan_end(&r->plan);
	round_decide(r, now);
	failures_report(&r->failures, &r->plan,
			publish_generation(r->work.publish) != NULL, r->work.incidents,
			now);
	round_collect(r, &r->proposal);
	round_compose(r, now);
	proposal_prepare(&r->proposal, &r->work, now);
}

int64_t round_deadline(const struct round *r)
{
	return r->state == ROUND_ASKING ? plan_deadline(&r->plan)
					: proposal_deadline(&r->proposal);
}

bool round_run(struct round *r, int64_t now)
{
	if (r->state == ROUND_ASKING) {
		if (!plan_run(&r->plan, now))
			return false;
		round_propose(r, now);
	}
	return proposal_run(&r->proposal, now);
}

void round_end(struct round *r, int64_t now, struct round_result *out)
{
	if (r->state == ROUND_ASKING)
		round_propose(r, now);
	*out = (struct round_result){ .failures = r->failures,
				      .took_ms = now - r->started,
				      .expires_in_ms = round_next_expiry(r) };
	out->outcome = proposal_publish(&r->proposal, &r->work, &r->plan, r->started, now,
					&out->failures);
	out->env_behind = !compose_write_env_files(
		&r->work.objects->templates, r->work.publish, r->work.number,
		r->work.incidents, &out->failures, now);
	/* A list that is still to become the active one says nothing of the files. */
	if (r->work.state != NULL && (!r->work.is_next || round_succeeded(out->outcome)))
		account_objects(r->work.state, &r->plan, r->work.publish, out->outcome,
				now);
	round_free(r);
}
