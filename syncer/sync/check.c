#include "sync/check.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "deliver/notify.h"
#include "sync/round.h"
#include "sync/session.h"

static struct check_entry *add(struct check *c, const struct object *o, char *words,
			       const struct source *source)
{
	struct check_entry *e;

	c->items = xgrow(c->items, c->count, sizeof(*c->items));
	e = &c->items[c->count++];
	*e = (struct check_entry){
		.object = words,
		.vault = xstrdup(source->vault.url),
		.version = o->version ? xstrdup(o->version) : NULL,
		.mode = o->mode,
		.optional = o->optional || object_selects(o),
	};
	return e;
}

static void add_files(struct check_entry *e, const struct task *t)
{
	char *path;

	for (size_t i = 0; (path = task_path(t, i)) != NULL; i++) {
		e->files = xgrow(e->files, e->file_count, sizeof(char *));
		e->files[e->file_count++] = path;
	}
}

/* ---- without the network ---- */

static void plan(struct check *c, const struct object *o, struct source *source)
{
	struct check_entry *e = add(c, o, object_words(o), source);

	if (object_selects(o))
		return;
	for (int i = 0; i < (o->history ? o->history : 1); i++) {
		auto_free char *path =
			o->history ? xasprintf("%s/%d", o->path, i) : xstrdup(o->path);
		struct task *t = task_new(o, source, NULL, o->name, path, NULL);

		add_files(e, t);
		task_free(t);
	}
}

/* What init and sidecar look at before they start. */
static int check_notify(const struct configuration *c, struct err *err)
{
	struct jitter none = { 0 };
	struct notify *parsed = NULL;

	if (notify_new(&parsed, c->settings.notify, -1, 0, &none, err) < 0)
		return -1;
	notify_free(parsed);
	return 0;
}

int check_plan(struct check *out, const struct configuration *c, struct err *err)
{
	struct sources sources = { .cloud = cloud_at(c->settings.cloud) };
	struct source *source;
	int result;

	*out = (struct check){ 0 };
	result = check_notify(c, err);
	if (result == 0)
		result = sources_add(&sources, &c->objects, err);
	for (size_t i = 0; i < c->objects.count && result == 0; i++) {
		result = sources_get(&sources, c->objects.items[i].vault, &source, err);
		if (result == 0)
			plan(out, &c->objects.items[i], source);
	}
	sources_done(&sources);
	if (result < 0)
		check_done(out);
	return result;
}

/* ---- with it ---- */

struct telling {
	struct check *check;
	struct sources *sources;
};

static bool is_excused(const struct check_entry *e)
{
	return e->optional && (e->err.kind == ERR_NOTFOUND || e->err.kind == ERR_DENIED);
}

static void tell(void *arg, const struct task *task, const struct object *object,
		 const struct err *err)
{
	struct telling *telling = arg;
	struct source *source;
	struct check_entry *e;
	struct err checked;

	if (sources_get(telling->sources, object->vault, &source, &checked) < 0)
		return;
	e = add(telling->check, object,
		task ? xstrdup(task->words) : object_words(object), source);
	if (task != NULL) {
		add_files(e, task);
		if (task->fresh != NULL) {
			free(e->version);
			e->version = xstrdup(task->fresh);
		}
	}
	e->err = *err;
	e->failed = err->kind != ERR_NONE;
	e->excused = task != NULL && is_excused(e);
	if (e->failed && !e->excused && err_outranks(err, &telling->check->worst))
		telling->check->worst = *err;
}

static int run_round(struct round *r, struct http *http, int64_t until, struct err *err)
{
	for (;;) {
		int64_t now = clock_now_ms();
		int64_t wake = clock_sooner(round_deadline(r), until);

		if (now >= until)
			return 0;
		if (http_wait(http, NULL, 0, clock_ms_until(wake, now), err) < 0)
			return -1;
		http_run(http);
		if (round_run(r, clock_now_ms()))
			return 0;
	}
}

int check_online(struct check *out, const struct configuration *c, struct err *err)
{
	int64_t now = clock_now_ms();
	int64_t own[] = { clock_wall_ms(), now };
	struct sources sources;
	struct jitter jitter;
	int result;

	*out = (struct check){ 0 };
	if (check_notify(c, err) < 0)
		return -1;
	jitter_seed(&jitter, own, sizeof(own));
	result = session_open(&sources, &c->settings, &c->objects, &jitter, err);
	if (result == 0) {
		struct round_work work = { .sources = &sources, .objects = &c->objects };
		struct round *r = round_start(&work, now);

		result = run_round(r, sources.http, now + c->settings.init_timeout_ms,
				   err);
		round_tell(r, tell,
			   &(struct telling){ .check = out, .sources = &sources });
	}
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
			free(e->files[f]);
		free(e->files);
		free(e->object);
		free(e->vault);
		free(e->version);
	}
	free(c->items);
	*c = (struct check){ 0 };
}
