#include "sync/check.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "sync/compose.h"
#include "sync/plan.h"
#include "sync/session.h"
#include "sync/task_set.h"
#include "sync/validity.h"

static struct check_entry *check_add(struct check *c, const struct object *o, char *words,
				     const struct source *source)
{
	struct check_entry *e;

	c->items = xgrow(c->items, c->count, sizeof(*c->items));
	e = &c->items[c->count++];
	*e = (struct check_entry){
		.object = words,
		.vault = xstrdup(source->vault.url),
		.version = o->version  ? xstrdup(o->version)
			   : o->choice ? xstrdup(object_choice_word(o->choice))
				       : NULL,
		.mode = o->mode,
		.optional = o->optional || object_selects(o),
	};
	return e;
}

static void check_add_files(struct check_entry *e, const struct task *t)
{
	const char *path;
	mode_t mode;

	for (size_t i = 0; (path = task_path(t, i, &mode)) != NULL; i++) {
		e->files = xgrow(e->files, e->file_count, sizeof(*e->files));
		e->files[e->file_count++] =
			(struct check_file){ .path = xstrdup(path), .mode = mode };
	}
}

/* ---- without the network ---- */

static void check_plan_entry(struct check *c, const struct object *o,
			     struct source *source)
{
	struct check_entry *e = check_add(c, o, object_words(o), source);

	if (object_selects(o)) {
		e->more = "a file for each that the vault's list names";
		return;
	}
	if (o->extract != OBJECT_EXTRACT_NONE)
		e->more = "a file for each key that its JSON value has";
	for (int i = 0; i < (o->history ? o->history : 1); i++) {
		auto_free char *path =
			o->history ? xasprintf("%s/%d", o->path, i) : xstrdup(o->path);
		struct task *t = task_new(o, source, NULL, o->name, path, NULL);

		check_add_files(e, t);
		task_free(t);
	}
}

int check_plan(struct check *out, const struct configuration *c, struct err *err)
{
	struct sources sources = { .cloud = cloud_at(c->settings.cloud),
				   .verify = c->settings.verify_challenge };
	struct source *source;
	int result;

	*out = (struct check){ 0 };
	result = targets_parse(&out->targets, c->settings.notify, err);
	if (result == 0)
		result = sources_add(&sources, &c->objects, err);
	for (size_t i = 0; i < c->objects.count && result == 0; i++) {
		result = sources_get(&sources, c->objects.items[i].vault, &source, err);
		if (result == 0)
			check_plan_entry(out, &c->objects.items[i], source);
	}
	if (result == 0)
		demand_of_objects(&out->demand, &sources, &c->objects);
	sources_done(&sources);
	if (result < 0)
		check_done(out);
	return result;
}

/* ---- with it ---- */

static void check_fail(struct check *c, struct check_entry *e, const struct err *err,
		       bool excused)
{
	e->err = *err;
	e->failed = err->kind != ERR_NONE;
	e->excused = e->failed && excused;
	if (e->failed && !excused && err_outranks(err, &c->worst))
		c->worst = *err;
}

static void check_take_listing(struct check *c, const struct listing *l)
{
	const struct err *err = &l->err;

	/* A history is shown by its tasks, and so is a list that could be read. */
	if (!object_selects(l->object) || (err->kind == ERR_NONE && l->left_out == 0))
		return;
	if (err->kind == ERR_NONE)
		err = &l->left_out_why;
	check_fail(c, check_add(c, l->object, object_words(l->object), l->source), err,
		   l->object->optional);
}

static void check_take_task(struct check *c, const struct task *t)
{
	struct check_entry *e = check_add(c, t->object, xstrdup(t->words), t->source);
	struct err why;

	check_add_files(e, t);
	e->bytes = t->made_bytes;
	if (t->new_version != NULL) {
		free(e->version);
		e->version = xstrdup(t->new_version);
	}
	check_fail(c, e, &t->err, fate_is_excused(fate_error(&t->err), t->need));
	if (validity_of(t, clock_wall_ms(), &why) == VALIDITY_WARNS)
		e->warning = xstrdup(why.msg);
}

/* Templates and env files, once all that the set needs was read. */
static void check_compose(struct check *c, const struct objects *objects,
			  const struct plan *plan)
{
	struct fate_facts facts = { .first_set = true };
	struct composition made;
	struct publish_file *files = NULL;
	size_t count = 0;

	for (struct task *t = plan->tasks; t; t = t->next) {
		facts.error = fate_error(&t->err);
		facts.need = t->need;
		t->verdict = fate_of(&facts);
		if (t->verdict->fate == FATE_NEW)
			task_add_files(t, &files, &count);
	}
	facts = (struct fate_facts){ .first_set = true };
	compose_templates(&made, &objects->templates, NULL, &facts, &files, &count);
	c->unmade = made.held_by;
	c->worst = made.held_by;
	composition_done(&made);
	free(files);
}

/* No template takes them, and there is no volume: only their paths count. */
static void check_drop_bytes(const struct plan *p)
{
	for (const struct task *t = p->tasks; t; t = t->next)
		for (size_t i = 0; t->has_new_files && i < t->new_files.count; i++)
			buf_done(&t->new_files.items[i].bytes);
}

static int check_run(struct plan *p, struct http *http, int64_t until, struct err *err)
{
	bool keeps_bytes = p->templates->count > 0;

	for (;;) {
		int64_t now = clock_now_ms();
		int64_t wake = clock_sooner(plan_deadline(p), until);

		if (now >= until)
			return 0;
		if (http_wait(http, NULL, 0, clock_ms_until(wake, now), err) < 0)
			return -1;
		http_run(http);
		if (plan_run(p, clock_now_ms()))
			return 0;
		if (!keeps_bytes)
			check_drop_bytes(p);
	}
}

static int check_ask(struct check *out, const struct configuration *c,
		     struct sources *sources, struct err *err)
{
	int64_t now = clock_now_ms();
	struct plan plan;
	int result;

	plan_start(&plan, sources, &c->objects, NULL, now);
	result = check_run(&plan, sources->http, now + c->settings.init_timeout_ms, err);
	plan_end(&plan);
	for (const struct listing *l = plan.listings; l; l = l->next)
		check_take_listing(out, l);
	for (const struct task *t = plan.tasks; t; t = t->next)
		check_take_task(out, t);
	demand_of_plan(&out->demand, &plan, &c->objects);
	if (result == 0 && out->worst.kind == ERR_NONE)
		check_compose(out, &c->objects, &plan);
	plan_free(&plan);
	return result;
}

int check_online(struct check *out, const struct configuration *c, struct err *err)
{
	int64_t own[] = { clock_wall_ms(), clock_now_ms() };
	struct sources sources;
	struct jitter jitter;
	int result;

	*out = (struct check){ 0 };
	if (targets_parse(&out->targets, c->settings.notify, err) < 0)
		return -1;
	jitter_seed(&jitter, own, sizeof(own));
	result = session_open(&sources, &c->settings, &c->objects, &jitter, err);
	if (result == 0)
		result = check_ask(out, c, &sources, err);
	session_close(&sources);
	if (result < 0)
		check_done(out);
	return result;
}

void check_done(struct check *c)
{
	for (size_t i = 0; i < c->count; i++) {
		struct check_entry *e = &c->items[i];

		for (size_t f = 0; f < e->file_count; f++)
			free(e->files[f].path);
		free(e->files);
		free(e->object);
		free(e->vault);
		free(e->version);
		free(e->warning);
	}
	free(c->items);
	targets_done(&c->targets);
	demand_done(&c->demand);
	*c = (struct check){ 0 };
}
