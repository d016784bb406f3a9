#include "sync/demand.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sync/access.h"

/* One vault for each source, by its index, until those that are not asked go. */
static void demand_begin(struct demand *d, const struct sources *sources)
{
	*d = (struct demand){ .count = sources->count };
	d->vaults = xcalloc(sources->count, sizeof(*d->vaults));
	for (const struct source *s = sources->first; s; s = s->next) {
		d->vaults[s->index].url = xstrdup(s->vault.url);
		d->vaults[s->index].load.is_hsm = s->vault.hsm;
	}
}

static bool demand_is_any(const uint64_t counts[COST_CLASSES])
{
	for (size_t i = 0; i < COST_CLASSES; i++)
		if (counts[i] > 0)
			return true;
	return false;
}

/* The questions that are asked as soon as a token is there. */
static size_t demand_first_questions(const struct object *o)
{
	if (listing_is_needed(o))
		return o->history > 0 && o->version == NULL ? 2 : 1;
	return o->password_object != NULL ? 2 : 1;
}

/* The vaults' sources in their order of making: of each resource the first one counts. */
static bool demand_is_first(const struct sources *sources, const struct source *s,
			    const struct demand *d, bool polled)
{
	const struct source *other = sources->first;

	while (other != s) {
		const struct cost_load *load = &d->vaults[other->index].load;

		if (strcmp(other->resource, s->resource) == 0 &&
		    demand_is_any(polled ? load->poll : load->start))
			return false;
		other = other->next;
	}
	return true;
}

static void demand_end(struct demand *d, struct sources *sources,
		       const struct objects *objects)
{
	auto_free size_t *first = xcalloc(sources->count, sizeof(*first));
	size_t kept = 0;

	for (size_t i = 0; i < objects->count; i++) {
		const struct object *o = &objects->items[i];
		struct source *source;
		struct err checked; /* when the sources were made */

		if (sources_get(sources, o->vault, &source, &checked) == 0)
			first[source->index] += demand_first_questions(o);
	}
	for (const struct source *s = sources->first; s; s = s->next) {
		struct cost_load *load = &d->vaults[s->index].load;

		if (!demand_is_any(load->start))
			continue;
		load->anonymous = 1 + (first[s->index] > HTTP_POOL ? ACCESS_WARM : 0);
		d->tokens += demand_is_first(sources, s, d, false);
		d->renewed +=
			demand_is_any(load->poll) && demand_is_first(sources, s, d, true);
	}
	for (size_t i = 0; i < d->count; i++) {
		if (demand_is_any(d->vaults[i].load.start))
			d->vaults[kept++] = d->vaults[i];
		else
			free(d->vaults[i].url);
	}
	d->count = kept;
}

static void demand_add(struct cost_load *load, enum cost_class class, size_t start,
		       size_t poll)
{
	load->start[class] += start;
	load->poll[class] += poll;
}

/* ---- by the list ---- */

static enum cost_class demand_class(const struct object *o)
{
	return o->kind == OBJECT_KEY ? COST_RSA_2048 : COST_OTHER;
}

/* Versions of one object, each with the secret that encrypts it.  taken: the answer for
 * the value of one of them is there already. */
static void demand_add_versions(struct cost_load *load, const struct object *o,
				const char *version, size_t count, bool taken)
{
	bool polled = !task_is_final(o, version);
	size_t asked = taken && o->password_object == NULL ? count - 1 : count;

	demand_add(load, demand_class(o), asked, polled ? asked : 0);
	if (o->password_object != NULL)
		demand_add(load, COST_OTHER, count, count);
}

static void demand_add_entry(struct demand_vault *v, const struct object *o)
{
	bool has_current = o->history > 0 && o->version == NULL;

	v->keys += o->kind == OBJECT_KEY && !v->load.is_hsm;
	if (!listing_is_needed(o)) {
		demand_add_versions(&v->load, o, o->version, 1, false);
		return;
	}
	demand_add(&v->load, COST_OTHER, 1, 1);
	if (object_selects(o)) {
		v->patterns++;
		return;
	}
	v->histories++;
	if (has_current)
		demand_add(&v->load, demand_class(o), 1, 1);
	/* Each version of a history is asked for by its id. */
	demand_add_versions(&v->load, o, "", (size_t)o->history, has_current);
}

void demand_of_objects(struct demand *out, struct sources *sources,
		       const struct objects *objects)
{
	demand_begin(out, sources);
	for (size_t i = 0; i < objects->count; i++) {
		struct source *source;
		struct err checked;

		if (sources_get(sources, objects->items[i].vault, &source, &checked) == 0)
			demand_add_entry(&out->vaults[source->index], &objects->items[i]);
	}
	demand_end(out, sources, objects);
}

/* ---- by what the vaults answered ---- */

/* The class of a key that came; of others that of their entry. */
static enum cost_class demand_class_of(const struct task *t, bool *is_known)
{
	const struct json *jwk = t->value.got.jwk;
	const char *n;

	*is_known = t->object->kind != OBJECT_KEY || jwk != NULL;
	if (jwk == NULL)
		return demand_class(t->object);
	n = json_string(jwk, "n");
	return cost_of_key(json_string(jwk, "kty"), n ? strlen(n) : 0);
}

static size_t demand_pages(const struct listing *l)
{
	return (size_t)l->pages + 1;
}

static const struct listing *demand_listing(const struct plan *plan, const struct task *t)
{
	for (const struct choice *c = plan->choices; c; c = c->next)
		if (c->task == t)
			return c->versions;
	return NULL;
}

static void demand_add_task(struct demand_vault *v, const struct plan *plan,
			    const struct task *t)
{
	const struct listing *choice = demand_listing(plan, t);
	bool is_known, is_current = t->version == NULL || choice != NULL;
	enum cost_class class = demand_class_of(t, &is_known);
	size_t asked = choice != NULL && t->version != NULL ? 2 : 1;

	if (t->value.url == NULL)
		return; /* it represents a failure, or its answer was there already */
	v->keys += !is_known && !v->load.is_hsm;
	if (choice != NULL)
		demand_add(&v->load, COST_OTHER, demand_pages(choice),
			   demand_pages(choice));
	/* One that failed is asked for again. */
	if (is_current || t->err.kind != ERR_NONE ||
	    !task_is_final(t->object, t->version))
		demand_add(&v->load, class, asked, asked);
	else
		demand_add(&v->load, class, asked, 0);
	if (t->password.url != NULL)
		demand_add(&v->load, COST_OTHER, 1, 1);
}

/* The current version of a history, whose answer a task took over. */
static enum cost_class demand_class_of_history(const struct plan *plan,
					       const struct listing *l, bool *is_known)
{
	enum cost_class class = demand_class(l->object);

	*is_known = l->object->kind != OBJECT_KEY;
	for (const struct task *t = plan->tasks; t && !*is_known; t = t->next)
		if (t->object == l->object)
			class = demand_class_of(t, is_known);
	return class;
}

static void demand_add_listing(struct demand_vault *v, const struct plan *plan,
			       const struct listing *l)
{
	enum cost_class class;
	bool is_known;

	demand_add(&v->load, COST_OTHER, demand_pages(l), demand_pages(l));
	if (l->err.kind != ERR_NONE) {
		v->patterns += object_selects(l->object);
		v->histories += l->object->history > 0;
	}
	if (l->current.url == NULL)
		return;
	class = demand_class_of_history(plan, l, &is_known);
	v->keys += !is_known && !v->load.is_hsm;
	demand_add(&v->load, class, 1, 1);
}

void demand_of_plan(struct demand *out, const struct plan *plan,
		    const struct objects *objects)
{
	demand_begin(out, plan->sources);
	for (const struct listing *l = plan->listings; l; l = l->next)
		demand_add_listing(&out->vaults[l->source->index], plan, l);
	for (const struct task *t = plan->tasks; t; t = t->next)
		demand_add_task(&out->vaults[t->source->index], plan, t);
	demand_end(out, plan->sources, objects);
}

void demand_done(struct demand *d)
{
	for (size_t i = 0; i < d->count; i++)
		free(d->vaults[i].url);
	free(d->vaults);
	*d = (struct demand){ 0 };
}
