#include "sync/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/path.h"

/* Versions of one name that still disagree after so many further requests are published
 * as they are; the next poll asks again. */
#define REPEATS_MAX 2
/* So long one call renders, and then as long as one object takes. */
#define RENDER_MS 20
/* So long the rest is rendered when the sync is cut, and nothing has its turn meanwhile.
 */
#define RENDER_LAST_MS 200

/* ---- paths ---- */

/* The task that is in the way of a new one; NULL: none. */
static const struct task *plan_in_the_way(const struct plan *p, const struct task *t)
{
	const struct task *holder = NULL;

	for (size_t i = 0; i < t->file_count && holder == NULL; i++)
		if (!t->files[i].extracted)
			holder = holders_find(&p->paths, t->files[i].path);
	return holder;
}

static void plan_take_paths(struct plan *p, const struct task *t)
{
	for (size_t i = 0; i < t->file_count; i++)
		if (!t->files[i].extracted)
			holders_take(&p->paths, t->files[i].path, t);
}

/* ---- tasks ---- */

static struct fetch *plan_fetch(const struct plan *p, const struct source *source)
{
	return p->fetches[source->index];
}

static void plan_append(struct plan *p, struct task *t)
{
	*p->tail = t;
	p->tail = &t->next;
	p->task_count++;
	plan_take_paths(p, t);
	if (t->err.kind == ERR_NONE && t->value.item.state == FETCH_NONE &&
	    !task_needs_no_answer(t))
		task_ask(t, plan_fetch(p, t->source));
}

/* It is not part of the set; without a volume, for `akvsync check`, it is shown all the
 * same. */
static void plan_leave_out(struct plan *p, struct listing *l, struct task *t)
{
	if (p->publish == NULL && p->task_count < OBJECTS_MAX) {
		plan_append(p, t);
		return;
	}
	if (l->left_out++ == 0)
		l->left_out_why = t->err;
	task_free(t);
}

/* The template that is in the way of a task; NULL: none. */
static const struct template_file *plan_template_in_the_way(const struct plan *p,
							    const struct task *t)
{
	const struct template_file *found = NULL;

	for (size_t i = 0; i < t->file_count && found == NULL; i++)
		found = templates_in_the_way(p->templates, t->files[i].path);
	return found;
}

/* Paths of objects that an entry selects are known only now; named ones come first. */
static bool plan_add_listed(void *arg, struct listing *l, struct task *t)
{
	struct plan *p = arg;
	const struct task *other = plan_in_the_way(p, t);
	const struct template_file *template = plan_template_in_the_way(p, t);

	if (template != NULL) {
		err_set(&t->err, ERR_CONFIG,
			"%s: its path '%.100s' is in the way of template '%.100s'; give "
			"one of them another path",
			t->words, t->path, template->path);
		plan_leave_out(p, l, t);
		return true;
	}
	if (other != NULL && strcmp(other->id, t->id) == 0 &&
	    strcmp(other->path, t->path) == 0) {
		task_free(t); /* the same object in the same place */
		return true;
	}
	if (other != NULL) {
		err_set(&t->err, ERR_CONFIG,
			"%s: its path '%.100s' is in the way of '%.100s' of %s; give one "
			"entry an objectAlias",
			t->words, t->path, other->path, other->words);
		plan_leave_out(p, l, t);
		return true;
	}
	if (p->task_count >= OBJECTS_MAX) {
		err_set(&t->err, ERR_CONFIG,
			"%s: there are more than %d objects; narrow the pattern",
			l->words, OBJECTS_MAX);
		plan_leave_out(p, l, t);
		return false;
	}
	plan_append(p, t);
	return true;
}

/* Histories first, whose paths are known, then selections in the order of the list. */
static void plan_add_listing(struct plan *p, struct listing *l)
{
	struct listing **at = &p->listings;

	while (*at != NULL &&
	       (object_selects(l->object) || !object_selects((*at)->object)))
		at = &(*at)->next;
	l->next = *at;
	*at = l;
}

static void plan_add(struct plan *p, const struct object *o)
{
	struct source *source;
	struct err checked; /* the sources were checked when they were made */

	if (sources_get(p->sources, o->vault, &source, &checked) < 0)
		return;
	if (listing_is_needed(o))
		plan_add_listing(p, listing_new(o, source, plan_fetch(p, source)));
	else
		plan_append(
			p, task_new(o, source, p->publish, o->name, o->path, o->version));
}

void plan_start(struct plan *p, struct sources *sources, const struct objects *objects,
		struct publish *publish, int64_t now)
{
	*p = (struct plan){ .sources = sources, .publish = publish };
	p->templates = &objects->templates;
	p->tail = &p->tasks;
	p->fetches = xcalloc(sources->count, sizeof(struct fetch *));
	for (struct source *s = sources->first; s; s = s->next)
		p->fetches[s->index] = fetch_start(s, now);
	for (size_t i = 0; i < objects->count; i++)
		plan_add(p, &objects->items[i]);
}

/* ---- versions of one name ---- */

/* The task asked for the current version of a certificate, its key or its secret, and got
 * it. */
static bool plan_is_of_certificate(const struct task *t)
{
	return t->version == NULL && t->value.item.state == FETCH_GOT &&
	       t->value.got.of_certificate && (t->err.kind == ERR_NONE || t->is_rendered);
}

static bool plan_disagree(const struct task *a, const struct task *b)
{
	return a->source == b->source && text_same(a->name, b->name) &&
	       !text_same(a->value.got.version, b->value.got.version);
}

static bool plan_is_stale(const struct plan *p, const struct task *t)
{
	if (!plan_is_of_certificate(t))
		return false;
	for (const struct task *other = p->tasks; other; other = other->next)
		if (plan_is_of_certificate(other) && plan_disagree(t, other) &&
		    t->value.got.created <= other->value.got.created)
			return true;
	return false;
}

/* Asks again for the older ones of versions that disagree.  False: there are none. */
static bool plan_repeat(struct plan *p)
{
	auto_free struct task **stale = NULL;
	size_t count = 0;

	for (struct task *t = p->tasks; t; t = t->next) {
		if (!plan_is_stale(p, t))
			continue;
		stale = xgrow(stale, count, sizeof(struct task *));
		stale[count++] = t;
	}
	for (size_t i = 0; i < count; i++)
		task_repeat(stale[i]);
	return count > 0;
}

/* ---- running ---- */

int64_t plan_deadline(const struct plan *p)
{
	bool is_busy = p->is_rendering || p->has_more;
	int64_t soonest = is_busy ? clock_now_ms() : CLOCK_NEVER;

	for (size_t i = 0; i < p->sources->count && !is_busy; i++)
		soonest = clock_sooner(soonest, fetch_deadline(p->fetches[i]));
	return soonest;
}

static bool plan_run_fetches(const struct plan *p, int64_t now)
{
	bool done = true;

	for (size_t i = 0; i < p->sources->count; i++)
		done &= fetch_run(p->fetches[i], now);
	return done;
}

/* True when a list moved on, so that there is more to fetch. */
static bool plan_run_listings(struct plan *p)
{
	bool moved = false, in_turn = true;

	for (struct listing *l = p->listings; l; l = l->next) {
		if (l->expanded)
			continue;
		if (!listing_is_done(l)) {
			moved |= l->item.state == FETCH_WAITING;
			in_turn = false;
		} else if (in_turn) {
			listing_expand(l, p->publish, plan_add_listed, p);
			moved = true;
		}
	}
	return moved;
}

/* True when a choice moved on, so that there is more to fetch. */
static bool plan_run_choices(struct plan *p)
{
	int64_t now_s = clock_wall_ms() / 1000;
	bool moved = false;

	for (struct task *t = p->tasks; t; t = t->next) {
		struct choice *c;

		if (!choice_is_needed(t, now_s))
			continue;
		c = choice_new(t, plan_fetch(p, t->source));
		c->next = p->choices;
		p->choices = c;
		moved = true;
	}
	for (struct choice *c = p->choices; c; c = c->next)
		if (!c->made)
			moved |= choice_run(c, now_s) ||
				 c->versions->item.state == FETCH_WAITING;
	return moved;
}

/* Some of what has come.  True: there is more. */
static bool plan_render_early(struct plan *p)
{
	int64_t start = clock_now_ms();

	for (struct task *t = p->tasks; t; t = t->next)
		if (task_render_early(t) && clock_now_ms() - start >= RENDER_MS)
			return true;
	return false;
}

static void plan_begin_rendering(struct plan *p)
{
	if (!p->is_rendering)
		extract_begin(&p->rendering, p->tasks, &p->paths);
	p->is_rendering = true;
}

static bool plan_render(struct plan *p)
{
	int64_t start = clock_now_ms();

	plan_begin_rendering(p);
	while (p->rendering.next != NULL) {
		extract_step(&p->rendering, &p->paths, p->templates);
		if (clock_now_ms() - start >= RENDER_MS)
			break;
	}
	return p->rendering.next == NULL;
}

/* True when all objects have answered or failed for good. */
static bool plan_ask(struct plan *p, int64_t now)
{
	bool done = plan_run_fetches(p, now);

	if (plan_run_listings(p) | plan_run_choices(p))
		done = plan_run_fetches(p, now);
	for (struct listing *l = p->listings; l; l = l->next)
		done &= l->expanded;
	if (!done || p->repeats >= REPEATS_MAX || !plan_repeat(p))
		return done;
	p->repeats++;
	return plan_run_fetches(p, now);
}

bool plan_run(struct plan *p, int64_t now)
{
	bool is_over = p->is_rendering || plan_ask(p, now);

	p->has_more = !p->is_rendering && plan_render_early(p);
	return is_over && plan_render(p);
}

static void plan_stop_fetches(struct plan *p)
{
	for (size_t i = 0; i < p->sources->count; i++) {
		fetch_free(p->fetches[i]);
		p->fetches[i] = NULL;
	}
}

void plan_end(struct plan *p)
{
	int64_t until = clock_now_ms() + RENDER_LAST_MS;

	plan_stop_fetches(p);
	for (struct choice *c = p->choices; c; c = c->next)
		choice_cut(c);
	for (struct listing *l = p->listings; l; l = l->next) {
		if (l->expanded)
			continue;
		listing_cut(l);
		listing_expand(l, p->publish, plan_add_listed, p);
	}
	plan_begin_rendering(p);
	while (p->rendering.next != NULL) {
		p->rendering.is_late = clock_now_ms() >= until;
		extract_step(&p->rendering, &p->paths, p->templates);
	}
}

void plan_free(struct plan *p)
{
	struct listing *l, *next_l;
	struct task *t, *next_t;
	struct choice *c, *next_c;

	plan_stop_fetches(p);
	for (c = p->choices; c; c = next_c) {
		next_c = c->next;
		choice_free(c);
	}
	free(p->fetches);
	free(p->paths.items);
	for (l = p->listings; l; l = next_l) {
		next_l = l->next;
		listing_free(l);
	}
	for (t = p->tasks; t; t = next_t) {
		next_t = t->next;
		task_free(t);
	}
	*p = (struct plan){ 0 };
}
