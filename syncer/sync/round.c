#include "sync/round.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "report/log.h"
#include "sync/compose.h"
#include "sync/plan.h"

/* Bytes of the versions that a line names, at most one path more. */
#define VERSIONS_MAX 2048
#define VERSIONS_ROOM 8192

struct round {
	struct round_work work;
	struct plan plan;
	int64_t started;
	struct err look; /* why the files on the volume could not be read; ERR_NONE: they
			    could */
};

/* The set that a round makes. */
struct round_set {
	struct publish_file *files; /* their strings and bytes are the tasks' */
	size_t count;
	bool has_news;       /* some of them have new bytes */
	struct err held_by;  /* why there may be no set; ERR_NONE: there may */
	struct buf versions; /* "path@version,…" of what is new, for the log */
	struct buf gone;     /* "path,…" of what goes */
	struct composition composition; /* the files of templates */
};

struct round *round_start(const struct round_work *work, int64_t now)
{
	struct round *r = xcalloc(1, sizeof(*r));

	r->work = *work;
	r->started = now;
	if (publish_look(work->publish, &r->look) == 0)
		r->look.kind = ERR_NONE;
	plan_start(&r->plan, work->sources, work->objects, work->publish, now);
	return r;
}

int64_t round_deadline(const struct round *r)
{
	return plan_deadline(&r->plan);
}

bool round_run(struct round *r, int64_t now)
{
	return plan_run(&r->plan, now);
}

void round_progress(const struct round *r, int64_t now, struct progress *out)
{
	progress_look(out, &r->plan, now);
}

void round_free(struct round *r)
{
	if (r == NULL)
		return;
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

/* The current set has files of the object, wherever they are. */
static bool round_is_elsewhere(const struct round *r, const struct task *t)
{
	const struct manifest_entry *e;

	for (size_t i = 0; (e = publish_entry(r->work.publish, i, NULL)) != NULL; i++)
		if (strcmp(e->object, t->id) == 0)
			return true;
	return false;
}

static struct fate_facts round_task_facts(const struct round *r, const struct task *t)
{
	struct fate_facts facts = round_facts(r);

	facts.error = fate_error(&t->err);
	facts.need = t->need;
	facts.files = task_files_on_volume(t);
	facts.elsewhere = facts.files == FATE_NO_FILES && facts.need == FATE_OPTIONAL &&
			  round_is_elsewhere(r, t);
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

/* "path@version,…", or "path,…" where the version is NULL, as far as a line can hold. */
static void round_name(struct buf *names, const char *path, const char *version)
{
	if (names->len <= VERSIONS_MAX)
		buf_printf(names, "%s%s%s%s", names->len ? "," : "", path,
			   version ? "@" : "", version ? version : "");
	else if (names->data[names->len - 1] != '\xa6') /* the end of … */
		buf_text(names, ",…");
}

static void round_hold(struct round_set *set, const struct task *t)
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

static void round_collect(const struct round *r, struct round_set *set)
{
	for (const struct listing *l = r->plan.listings; l; l = l->next) {
		struct fate_facts facts = round_listing_facts(r, l);

		if (l->err.kind != ERR_NONE && object_selects(l->object) &&
		    set->held_by.kind == ERR_NONE &&
		    fate_of(&facts)->fate == FATE_HOLD_SET)
			set->held_by = l->err;
	}
	for (const struct task *t = r->plan.tasks; t; t = t->next) {
		bool is_new = t->verdict->fate == FATE_NEW &&
			      (t->has_new_files || t->has_new_metadata);

		if (t->verdict->fate == FATE_HOLD_SET)
			round_hold(set, t);
		set->has_news |= is_new;
		if (is_new)
			round_name(&set->versions, t->path, t->new_version);
		if (t->verdict->fate == FATE_GO)
			round_name(&set->gone, t->path, NULL);
		task_add_files(t, &set->files, &set->count);
	}
}

/* The files that are made of other files of the set, when there is going to be one. */
static void round_compose(const struct round *r, struct round_set *set,
			  struct failures *failures, int64_t now)
{
	const struct templates *all = &r->work.objects->templates;
	struct fate_facts facts = round_facts(r);

	if (set->held_by.kind != ERR_NONE) {
		compose_hold(all, r->work.incidents);
		return;
	}
	compose_templates(&set->composition, all, r->work.publish, &facts, &set->files,
			  &set->count);
	set->held_by = set->composition.held_by;
	for (size_t i = 0; i < set->composition.count; i++) {
		const struct composed *c = &set->composition.items[i];

		set->has_news |= c->is_new;
		if (c->is_new)
			round_name(&set->versions, c->file->path, c->version);
	}
	compose_report(&set->composition, publish_generation(r->work.publish) != NULL,
		       r->work.incidents, failures, now);
}

static void round_set_done(struct round_set *set)
{
	composition_done(&set->composition);
	free(set->files);
	buf_done(&set->versions);
	buf_done(&set->gone);
}

/* ---- publishing ---- */

static void round_warn_unread(const struct round *r)
{
	for (const struct task *t = r->plan.tasks; t; t = t->next)
		if (t->has_new_files && t->new_files.unread.kind != ERR_NONE)
			log_event(LOG_WARN, "unread-pem",
				  LOG_FIELDS(log_str("what", t->path)),
				  "%s is written as the vault holds it, with its "
				  "certificates in whatever order they are: %s",
				  t->words, t->new_files.unread.msg);
}

static void round_warn_without_key(const struct round *r)
{
	for (const struct task *t = r->plan.tasks; t; t = t->next)
		if (t->has_new_files && t->new_files.without_key)
			log_event(LOG_WARN, "no-private-key",
				  LOG_FIELDS(log_str("what", t->path)),
				  "%s has no private key, only certificates: is it not "
				  "exportable (key_props.exportable of its policy)?",
				  t->words);
}

/* An edit by hand, or an app that writes into its secrets. */
static void round_warn_altered(const struct round *r)
{
	for (const struct task *t = r->plan.tasks; t; t = t->next)
		if (t->has_new_files && t->verdict->fate == FATE_NEW &&
		    task_files_on_volume(t) == FATE_ALTERED_FILES)
			log_event(LOG_WARN, "altered",
				  LOG_FIELDS(log_str("what", t->path)),
				  "another program had changed or removed the files of "
				  "%s; they were made anew",
				  t->words);
}

static void round_log_published(const struct round *r, const struct round_set *set,
				size_t changed)
{
	log_event(LOG_INFO, "published",
		  LOG_FIELDS(log_str("generation", publish_generation(r->work.publish)),
			     log_int("files", (int64_t)set->count),
			     log_int("changed", (int64_t)changed),
			     log_str("versions", buf_str(&set->versions)),
			     log_str("gone", buf_str(&set->gone)),
			     log_int("ms", clock_now_ms() - r->started)),
		  "published %zu file%s, %zu changed", set->count,
		  set->count == 1 ? "" : "s", changed);
	round_warn_without_key(r);
	round_warn_unread(r);
}

static enum round_outcome round_commit(const struct round *r, const struct round_set *set,
				       bool all_answered, int64_t now, struct err *err)
{
	struct publish *p = r->work.publish;
	const struct publish_set wanted = { .files = set->files,
					    .count = set->count,
					    .configuration = r->work.number,
					    .list = r->work.text };
	enum publish_result result = PUBLISH_UNCHANGED;
	size_t changed = 0;

	if (r->look.kind != ERR_NONE) {
		*err = r->look;
		err->kind = ERR_UNAVAILABLE; /* a lack of memory or descriptors passes */
		return ROUND_REFUSED;
	}
	if (set->has_news || !publish_fits(p, r->work.number) ||
	    publish_count(p) != set->count) {
		if (publish_commit(p, &wanted, now, &result, &changed, err) < 0)
			return ROUND_REFUSED;
		incidents_confirm(r->work.incidents, INCIDENT_VOLUME, NULL);
	} else if (all_answered) {
		/* Nothing is left to publish. */
		incidents_confirm(r->work.incidents, INCIDENT_VOLUME, NULL);
	} else {
		incidents_hold(r->work.incidents, INCIDENT_VOLUME, NULL);
	}
	if (result == PUBLISH_UNCHANGED) {
		log_event(LOG_DEBUG, "unchanged",
			  LOG_FIELDS(log_int("ms", now - r->started)), "nothing changed");
		return ROUND_UNCHANGED;
	}
	round_warn_altered(r);
	round_log_published(r, set, changed);
	return result == PUBLISH_FIRST ? ROUND_FIRST : ROUND_REPLACED;
}

static void round_report_held(const struct round *r, const struct round_set *set,
			      bool has_files, int64_t now)
{
	const char *consequence = "no files have been published yet";
	struct err held = set->held_by;

	if (r->work.is_next)
		consequence = "the list of objects of before stays active";
	else if (has_files)
		consequence = "the last good files stay";
	err_wrap(&held, r->work.is_next ? "the new configuration waits"
					: "no new set is published");
	incidents_report(r->work.incidents, has_files ? LOG_WARN : LOG_ERROR,
			 INCIDENT_SET, NULL, &held, consequence, now);
	incidents_hold(r->work.incidents, INCIDENT_VOLUME, NULL);
}

/* The outcome; a failure of the volume is added to those of the vaults. */
static enum round_outcome round_publish(const struct round *r,
					const struct round_set *set, int64_t now,
					struct failures *failures)
{
	bool has_files = publish_generation(r->work.publish) != NULL;
	struct templates before;
	enum round_outcome outcome;
	struct err err = { 0 };

	if (set->held_by.kind != ERR_NONE) {
		round_report_held(r, set, has_files, now);
		if (failures->worst.kind == ERR_NONE)
			failures->worst = set->held_by;
		return ROUND_HELD;
	}
	incidents_confirm(r->work.incidents, INCIDENT_SET, NULL);
	before = compose_earlier(r->work.publish, r->work.number);
	outcome = round_commit(r, set, failures->worst.kind == ERR_NONE, now, &err);
	if (round_succeeded(outcome))
		compose_remove_env_files(&before, &r->work.objects->templates);
	templates_done(&before);
	if (outcome != ROUND_REFUSED)
		return outcome;
	incidents_report(r->work.incidents, LOG_ERROR, INCIDENT_VOLUME, NULL, &err,
			 has_files ? "the last good files stay"
				   : "no files have been published yet",
			 now);
	failures->try_soon = true;
	if (err_outranks(&err, &failures->worst))
		failures->worst = err;
	return outcome;
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

void round_end(struct round *r, int64_t now, struct round_result *out)
{
	struct round_set set = { .versions = BUF_INIT(VERSIONS_MAX + VERSIONS_ROOM),
				 .gone = BUF_INIT(VERSIONS_MAX + VERSIONS_ROOM) };

	*out = (struct round_result){ 0 };
	plan_end(&r->plan);
	round_decide(r, now);
	failures_report(&out->failures, &r->plan,
			publish_generation(r->work.publish) != NULL, r->work.incidents,
			now);
	out->expires_in_ms = round_next_expiry(r);
	round_collect(r, &set);
	round_compose(r, &set, &out->failures, now);
	out->outcome = round_publish(r, &set, now, &out->failures);
	out->env_behind = !compose_write_env_files(
		&r->work.objects->templates, r->work.publish, r->work.number,
		r->work.incidents, &out->failures, now);
	round_set_done(&set);
	round_free(r);
}
