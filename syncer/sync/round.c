#include "sync/failures.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/path.h"
#include "report/log.h"
#include "sync/listing.h"
#include "sync/set.h"
#include "sync/task.h"

/* ---- asking ---- */

static bool takes(const struct task *t, const char *path)
{
	bool found = false;

	for (size_t i = 0; !found; i++) {
		auto_free char *own = task_path(t, i);

		if (own == NULL)
			return false;
		found = path_collides(own, path);
	}
	return found;
}

/* The task that is in the way of a new one; NULL: none. */
static const struct task *in_the_way(const struct round *r, const struct task *t)
{
	for (size_t i = 0;; i++) {
		auto_free char *path = task_path(t, i);

		if (path == NULL)
			return NULL;
		for (const struct task *other = r->tasks; other; other = other->next)
			if (takes(other, path))
				return other;
	}
}

static void append(struct round *r, struct task *t)
{
	*r->tail = t;
	r->tail = &t->next;
	r->task_count++;
	if (t->err.kind == ERR_NONE && t->value.item.state == FETCH_NONE &&
	    !task_is_settled(t))
		task_ask(t, lane_of(r, t->source)->fetch);
}

/* Paths of objects that an entry selects are known only now; named ones come first. */
static void add_listed(void *arg, struct task *t)
{
	struct round *r = arg;
	const struct task *other = in_the_way(r, t);

	if (other != NULL && strcmp(other->id, t->id) == 0 &&
	    strcmp(other->path, t->path) == 0) {
		task_free(t); /* the same object in the same place */
		return;
	}
	if (other != NULL)
		err_set(&t->err, ERR_CONFIG,
			"%s: its path '%.100s' is in the way of '%.100s' of %s; give one "
			"entry an objectAlias",
			t->words, t->path, other->path, other->words);
	else if (r->task_count >= OBJECTS_MAX)
		err_set(&t->err, ERR_CONFIG,
			"%s: there are more than %d objects; narrow the pattern",
			t->words, OBJECTS_MAX);
	else {
		append(r, t);
		return;
	}
	/* It is told of, but has no part in the set. */
	if (r->work.publish == NULL) {
		append(r, t);
		return;
	}
	incidents_report(r->work.incidents, LOG_WARN, INCIDENT_LEFT_OUT, t->path, &t->err,
			 "it is left out", clock_now_ms());
	task_free(t);
}

/* Histories first, whose paths are known, then choices in the order of the list: who has
 * a path must not depend on which vault answers first. */
static void add_listing(struct round *r, struct listing *l)
{
	struct listing **at = &r->listings;

	while (*at != NULL &&
	       (object_selects(l->object) || !object_selects((*at)->object)))
		at = &(*at)->next;
	l->next = *at;
	*at = l;
}

static void plan(struct round *r, const struct object *o)
{
	struct source *source;
	struct err checked; /* the loop has resolved it before */

	if (sources_get(r->work.sources, o->vault, &source, &checked) < 0)
		return;
	if (listing_is_needed(o)) {
		add_listing(r, listing_new(o, source, lane_of(r, source)->fetch));
		return;
	}
	append(r, task_new(o, source, r->work.publish, o->name, o->path, o->version));
}

struct round *round_start(const struct round_work *work, int64_t now)
{
	struct round *r = xcalloc(1, sizeof(*r));

	r->work = *work;
	r->started = now;
	r->tail = &r->tasks;
	if (work->publish != NULL) {
		publish_configure(work->publish, round_configuration(work->objects));
		r->fits = publish_fits(work->publish);
	}
	r->lanes = xcalloc(work->sources->count, sizeof(*r->lanes));
	for (struct source *s = work->sources->first; s; s = s->next)
		r->lanes[s->index].fetch = fetch_start(s, now);
	for (size_t i = 0; i < work->objects->count; i++)
		plan(r, &work->objects->items[i]);
	return r;
}

int64_t round_deadline(const struct round *r)
{
	int64_t soonest = CLOCK_NEVER;

	for (size_t i = 0; i < r->work.sources->count; i++)
		soonest = clock_sooner(soonest, fetch_deadline(r->lanes[i].fetch));
	return soonest;
}

static bool run_fetches(struct round *r, int64_t now)
{
	bool done = true;

	for (size_t i = 0; i < r->work.sources->count; i++)
		done &= fetch_run(r->lanes[i].fetch, now);
	return done;
}

/* True when a list moved on, so that there is more to fetch. */
static bool run_listings(struct round *r)
{
	bool moved = false, in_turn = true;

	for (struct listing *l = r->listings; l; l = l->next) {
		if (l->expanded)
			continue;
		if (!listing_is_done(l)) {
			moved |= l->item.state == FETCH_WAITING;
			in_turn = false;
		} else if (in_turn) {
			listing_expand(l, r->work.publish, add_listed, r);
			moved = true;
		}
	}
	return moved;
}

bool round_run(struct round *r, int64_t now)
{
	bool done = run_fetches(r, now);

	if (run_listings(r))
		done = run_fetches(r, now);
	for (struct listing *l = r->listings; l; l = l->next)
		done &= l->expanded;
	return done;
}

/* ---- the set ---- */

static bool uses_new(const struct round *r, const struct task *t)
{
	return t->err.kind == ERR_NONE && !lane_of(r, t->source)->held;
}

/* What a whole set of this configuration does without may come later: it does not hold
 * back the other vaults. */
static bool may_wait(const struct round *r, const struct task *t)
{
	if (failure_is_excused(t) || (t->object->optional && !failure_holds_back(r, t)))
		return true;
	return r->fits && (task_is_optional(t) || t->object->history > 0);
}

static void add_files(struct set *set, const struct round *r, const struct task *t)
{
	if (set_add(set, t, uses_new(r, t)))
		return;
	/* Made in another way than is wanted now, and it cannot be made anew. */
	if (t->kept && t->object->optional && set_keep(set, t, r->work.publish))
		return;
	set->complete &= may_wait(r, t);
}

/* The object has been gone for long enough, and its files may go. */
static bool is_gone(struct round *r, const struct task *t, bool counts)
{
	return counts && t->err.kind == ERR_NOTFOUND && task_is_optional(t) && t->kept &&
	       absences_count(r->work.absences, t->path);
}

static void collect(struct round *r, bool counts, int64_t now, struct set *set)
{
	const struct task *last = NULL;

	*set = SET_EMPTY;
	if (counts)
		absences_begin(r->work.absences, now, r->work.poll_interval_ms);
	/* Without the list, only a set of the same choice can be carried forward. */
	for (struct listing *l = r->listings; l; l = l->next)
		set->complete &= l->err.kind == ERR_NONE || !object_selects(l->object) ||
				 l->object->optional || r->fits;
	for (const struct task *t = r->tasks; t; t = t->next) {
		if (is_gone(r, t, counts)) {
			last = t;
			continue;
		}
		add_files(set, r, t);
	}
	/* Never the last file of a set: an empty list is more likely a mistake. */
	if (set->count == 0 && last != NULL)
		add_files(set, r, last);
	if (counts)
		absences_end(r->work.absences);
}

static void say_without_key(const struct round *r)
{
	for (const struct task *t = r->tasks; t; t = t->next)
		if (t->rendered && t->files.without_key)
			log_event(LOG_WARN, "no-private-key",
				  LOG_FIELDS(log_str("what", t->path)),
				  "%s has no private key, only certificates: is it not "
				  "exportable (key_props.exportable of its policy)?",
				  t->words);
}

static void log_published(const struct round *r, const struct set *set, int64_t now)
{
	const struct publish *p = r->work.publish;

	log_event(LOG_INFO, "published",
		  LOG_FIELDS(log_str("generation", publish_generation(p)),
			     log_int("files", (int64_t)set->count),
			     log_int("changed", (int64_t)set->changed),
			     log_str("versions", buf_str(&set->versions)),
			     log_int("ms", now - r->started)),
		  "published %zu file%s, %zu changed", set->count,
		  set->count == 1 ? "" : "s", set->changed);
	say_without_key(r);
}

static void publish_changes(struct round *r, const struct set *set, int64_t now,
			    struct round_result *out)
{
	struct publish *p = r->work.publish;
	bool first = publish_generation(p) == NULL;
	struct err err = { 0 };

	/* Also when only the configuration changed: the set then says that it fits. */
	if ((set->changed == 0 && publish_count(p) == set->count && r->fits) ||
	    set->count == 0) {
		log_event(LOG_DEBUG, "unchanged",
			  LOG_FIELDS(log_int("ms", now - r->started)), "nothing changed");
		return;
	}
	if (publish_set(p, set->files, set->count, now, &err) == 0) {
		log_published(r, set, clock_now_ms());
		incidents_confirm(r->work.incidents, INCIDENT_VOLUME, NULL);
		out->published = true;
		out->first = first;
		return;
	}
	incidents_report(r->work.incidents, LOG_ERROR, INCIDENT_VOLUME, NULL, &err,
			 failure_consequence(r, NULL), now);
	out->transient = true;
	out->complete = false;
	out->held = true;
	if (err_outranks(&err, &out->worst))
		out->worst = err;
}

static void stop_fetches(struct round *r)
{
	for (size_t i = 0; i < r->work.sources->count; i++) {
		fetch_free(r->lanes[i].fetch);
		r->lanes[i].fetch = NULL;
	}
}

/* How long until the first of the objects that still hold ends; 0: none will. */
static int64_t next_expiry(const struct round *r)
{
	int64_t now = clock_wall_ms(), soonest = 0;

	for (const struct task *t = r->tasks; t; t = t->next) {
		int64_t left = t->value.got.expires * 1000 - now;

		if (t->value.item.state == FETCH_GOT && t->value.got.expires > 0 &&
		    left > 0 && (soonest == 0 || left < soonest))
			soonest = left;
	}
	return soonest;
}

/* Lists that were not finished in time: their items have failed by now. */
static void settle(struct round *r)
{
	for (struct listing *l = r->listings; l; l = l->next) {
		if (l->expanded)
			continue;
		if (l->item.state == FETCH_FAILED)
			l->err = l->item.err;
		else if (l->err.kind == ERR_NONE)
			err_set(&l->err, ERR_UNAVAILABLE, "%s: no answer in time",
				l->words);
		listing_expand(l, r->work.publish, add_listed, r);
	}
	for (struct task *t = r->tasks; t; t = t->next)
		task_settle(t);
}

void round_end(struct round *r, int64_t now, struct round_result *out)
{
	struct set set;

	*out = (struct round_result){ 0 };
	stop_fetches(r);
	settle(r);
	failures_note(r, now, out);
	failures_hold_unknown(r, now);
	out->complete = out->worst.kind == ERR_NONE;
	out->expires_in_ms = next_expiry(r);
	collect(r, !out->transient, now, &set);
	out->held = !set.complete;
	if (set.complete)
		publish_changes(r, &set, now, out);
	else
		incidents_hold(r->work.incidents, INCIDENT_VOLUME, NULL);
	set_done(&set);
	round_free(r);
}

void round_tell(struct round *r, round_told *tell, void *arg)
{
	stop_fetches(r);
	settle(r);
	for (const struct listing *l = r->listings; l; l = l->next)
		if (l->err.kind != ERR_NONE && object_selects(l->object))
			tell(arg, NULL, l->object, &l->err);
	for (const struct task *t = r->tasks; t; t = t->next)
		tell(arg, t, t->object, &t->err);
	round_free(r);
}

void round_free(struct round *r)
{
	struct listing *l, *next_l;
	struct task *t, *next_t;

	if (r == NULL)
		return;
	stop_fetches(r);
	for (l = r->listings; l; l = next_l) {
		next_l = l->next;
		listing_free(l);
	}
	for (t = r->tasks; t; t = next_t) {
		next_t = t->next;
		task_free(t);
	}
	free(r->lanes);
	free(r);
}

uint64_t round_configuration(const struct objects *objects)
{
	uint64_t sum = 0;

	/* A sum: the order of the list is of no account. */
	for (size_t i = 0; i < objects->count; i++)
		sum += object_fingerprint(&objects->items[i]);
	return sum >> 1 ? sum >> 1 : 1;
}
