#include "run/round.h"

#include <stdlib.h>
#include <string.h>

#include "azure/vault.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "render/render.h"
#include "run/fetch.h"
#include "run/log.h"

/* A secret is at most 25 KiB of text; decoding only makes it shorter. */
#define FILE_MAX (256 * 1024)

/* One object's way through a round. */
struct task {
	const struct object *object;
	struct source *source;
	char *id, *url, *words;
	const char *options;
	const char *on_disk;     /* the version of its file on the volume; NULL: none */
	struct fetch_item item;  /* FETCH_NONE: pinned and on disk, nothing to fetch */
	struct vault_object got; /* when item is FETCH_GOT */
	struct buf content;      /* its new bytes, when it changed */
	struct err err;          /* why it has neither */
};

/* What a round has to do with one vault. */
struct lane {
	struct fetch *fetch;
	bool held; /* by a transient error */
};

struct round {
	struct round_work work;
	struct task *tasks;
	struct lane *lanes; /* one a source */
	int64_t started;
};

static void plan(const struct round_work *work, const struct object *o, struct task *task)
{
	struct err checked; /* the loop has resolved it before */

	task->object = o;
	if (sources_get(work->sources, o->vault, &task->source, &checked) < 0)
		task->source = work->sources->first;
	task->id = vault_object_id(task->source->vault.url, VAULT_SECRET, o->name);
	task->options = render_options(o->encoding);
	task->content = BUF_INIT(FILE_MAX);
	if (!publish_has(work->publish, o->path, task->id, task->options, o->mode,
			 &task->on_disk))
		task->on_disk = NULL;
}

static void unplan(struct task *task)
{
	vault_object_done(&task->got);
	buf_done(&task->content);
	free(task->id);
	free(task->url);
	free(task->words);
}

static bool is_current(const struct task *task)
{
	return task->on_disk != NULL && task->object->version != NULL &&
	       text_same(task->on_disk, task->object->version);
}

static int parse_object(void *arg, struct http_reply *reply, struct err *err)
{
	struct task *task = arg;
	const struct vault_question question = {
		.kind = VAULT_SECRET,
		.client_id = identity_id(&task->source->shared->identity),
	};

	return vault_object_parse(reply, &question, &task->got, err);
}

static struct lane *lane_of(const struct round *r, const struct task *task)
{
	return &r->lanes[task->source->index];
}

static void ask(struct round *r, struct task *task)
{
	const struct object *o = task->object;

	task->url = vault_object_url(task->source->vault.url, VAULT_SECRET, o->name,
				     o->version);
	task->words = xasprintf("%s '%s'", vault_word(VAULT_SECRET), o->name);
	task->item = (struct fetch_item){
		.url = task->url, .words = task->words, .parse = parse_object, .arg = task
	};
	fetch_add(lane_of(r, task)->fetch, &task->item);
}

struct round *round_start(const struct round_work *work, int64_t now)
{
	struct round *r = xcalloc(1, sizeof(*r));
	const struct objects *objects = work->objects;

	r->work = *work;
	r->started = now;
	r->tasks = xcalloc(objects->count, sizeof(*r->tasks));
	r->lanes = xcalloc(work->sources->count, sizeof(*r->lanes));
	for (struct source *source = work->sources->first; source; source = source->next)
		r->lanes[source->index].fetch = fetch_start(source, now);
	for (size_t i = 0; i < objects->count; i++) {
		plan(work, &objects->items[i], &r->tasks[i]);
		if (!is_current(&r->tasks[i]))
			ask(r, &r->tasks[i]);
	}
	return r;
}

int64_t round_deadline(const struct round *r)
{
	int64_t soonest = CLOCK_NEVER;

	for (size_t i = 0; i < r->work.sources->count; i++)
		soonest = clock_sooner(soonest, fetch_deadline(r->lanes[i].fetch));
	return soonest;
}

bool round_run(struct round *r, int64_t now)
{
	bool done = true;

	for (size_t i = 0; i < r->work.sources->count; i++)
		done &= fetch_run(r->lanes[i].fetch, now);
	return done;
}

static bool is_transient(const struct err *err)
{
	return err->kind == ERR_UNAVAILABLE || err->kind == ERR_IDENTITY;
}

/* Renders what came and keeps the reasons of what did not. */
static void settle(struct task *task)
{
	switch (task->item.state) {
	case FETCH_NONE:
		return;
	case FETCH_GOT:
		break;
	default:
		task->err = task->item.err;
		return;
	}
	if (task->on_disk != NULL && text_same(task->on_disk, task->got.version))
		return;
	if (task->got.of_certificate)
		err_set(&task->err, ERR_CONFIG,
			"it belongs to a certificate: secrets of certificates are not "
			"supported yet");
	else if (render_secret(&task->got.value, task->object->encoding, &task->content,
			       &task->err) == 0)
		return;
	err_wrap(&task->err, "%s", task->words);
}

static const char *consequence(const struct round *r)
{
	return publish_generation(r->work.publish) ? "the last good files stay"
						   : "no files have been published yet";
}

/* One line for a vault or identity that fails for all, one for each object that fails by
 * itself. */
static void report(struct round *r, const struct task *task, int64_t now)
{
	enum log_level level = publish_generation(r->work.publish) ? LOG_WARN : LOG_ERROR;
	auto_free char *vault = xasprintf("vault '%s'", task->source->vault.name);
	const char *key = task->object->path;

	if (task->err.kind == ERR_IDENTITY)
		key = "identity";
	else if (task->err.kind == ERR_UNAVAILABLE)
		key = r->work.sources->count > 1 ? vault : "vault";
	incidents_report(r->work.incidents, level, key, &task->err, consequence(r), now);
}

static void report_failures(struct round *r, int64_t now, struct round_result *out)
{
	bool identity_said = false;

	for (size_t i = 0; i < r->work.objects->count; i++) {
		const struct task *task = &r->tasks[i];
		bool *said = task->err.kind == ERR_IDENTITY ? &identity_said
							    : &lane_of(r, task)->held;

		if (task->err.kind == ERR_NONE)
			continue;
		if (out->retry_after_ms < task->err.retry_after_ms)
			out->retry_after_ms = task->err.retry_after_ms;
		if (err_outranks(&task->err, &out->worst))
			out->worst = task->err;
		if (!is_transient(&task->err) || !*said)
			report(r, task, now);
		if (!is_transient(&task->err))
			continue;
		*said = true;
		out->transient = true;
		lane_of(r, task)->held = true;
	}
}

static bool has_new_bytes(const struct round *r, const struct task *task)
{
	return task->content.data != NULL && task->err.kind == ERR_NONE &&
	       !lane_of(r, task)->held;
}

/* Every object has bytes, or a file to carry forward. */
static bool is_publishable(const struct round *r)
{
	for (size_t i = 0; i < r->work.objects->count; i++)
		if (!has_new_bytes(r, &r->tasks[i]) && r->tasks[i].on_disk == NULL)
			return false;
	return true;
}

static size_t count_new(const struct round *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->work.objects->count; i++)
		n += has_new_bytes(r, &r->tasks[i]);
	return n;
}

static void log_published(const struct round *r, size_t changed, int64_t now)
{
	auto_buf struct buf names = BUF_INIT(2048);
	const struct publish *p = r->work.publish;
	size_t count = r->work.objects->count;

	for (size_t i = 0; i < count; i++) {
		const struct task *task = &r->tasks[i];

		if (has_new_bytes(r, task))
			buf_printf(&names, "%s%s@%s", names.len ? "," : "",
				   task->object->path, task->got.version);
	}
	log_event(LOG_INFO, "published",
		  LOG_FIELDS(log_str("generation", publish_generation(p)),
			     log_int("files", (int64_t)count),
			     log_int("changed", (int64_t)changed),
			     log_str("versions", buf_str(&names)),
			     log_int("ms", now - r->started)),
		  "published %zu file%s, %zu changed", count, count == 1 ? "" : "s",
		  changed);
}

static int publish_all(struct round *r, size_t changed, int64_t now, struct err *err)
{
	size_t count = r->work.objects->count;
	auto_free struct publish_file *files = xcalloc(count, sizeof(*files));

	for (size_t i = 0; i < count; i++) {
		const struct task *task = &r->tasks[i];
		bool is_new = has_new_bytes(r, task);

		files[i] = (struct publish_file){
			.path = task->object->path,
			.mode = task->object->mode,
			.object = task->id,
			.version = is_new ? task->got.version : task->on_disk,
			.options = task->options,
			.data = is_new ? buf_str(&task->content) : NULL,
			.len = task->content.len,
		};
	}
	if (publish_set(r->work.publish, files, count, now, err) < 0)
		return -1;
	log_published(r, changed, clock_now_ms());
	return 0;
}

static void publish_changes(struct round *r, int64_t now, struct round_result *out)
{
	bool first = publish_generation(r->work.publish) == NULL;
	size_t changed = count_new(r);
	struct err err = { 0 };

	if (changed == 0 && publish_count(r->work.publish) == r->work.objects->count) {
		log_event(LOG_DEBUG, "unchanged",
			  LOG_FIELDS(log_int("ms", now - r->started)), "nothing changed");
		return;
	}
	if (publish_all(r, changed, now, &err) == 0) {
		out->published = true;
		out->first = first;
		return;
	}
	incidents_report(r->work.incidents, LOG_ERROR, "publish", &err, consequence(r),
			 now);
	out->transient = true;
	out->complete = false;
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

	for (size_t i = 0; i < r->work.objects->count; i++) {
		const struct task *task = &r->tasks[i];
		int64_t left = task->got.expires * 1000 - now;

		if (task->item.state == FETCH_GOT && task->got.expires > 0 && left > 0 &&
		    (soonest == 0 || left < soonest))
			soonest = left;
	}
	return soonest;
}

void round_end(struct round *r, int64_t now, struct round_result *out)
{
	*out = (struct round_result){ 0 };
	stop_fetches(r);
	incidents_begin(r->work.incidents);
	for (size_t i = 0; i < r->work.objects->count; i++)
		settle(&r->tasks[i]);
	report_failures(r, now, out);
	out->complete = out->worst.kind == ERR_NONE;
	out->expires_in_ms = next_expiry(r);
	if (is_publishable(r))
		publish_changes(r, now, out);
	incidents_end(r->work.incidents, now);
	round_free(r);
}

void round_free(struct round *r)
{
	if (r == NULL)
		return;
	stop_fetches(r);
	for (size_t i = 0; i < r->work.objects->count; i++)
		unplan(&r->tasks[i]);
	free(r->tasks);
	free(r->lanes);
	free(r);
}

bool round_is_on_disk(const struct round_work *work)
{
	const struct objects *objects = work->objects;
	bool all = publish_count(work->publish) == objects->count;

	for (size_t i = 0; i < objects->count && all; i++) {
		struct task task = { 0 };

		plan(work, &objects->items[i], &task);
		all = task.on_disk != NULL &&
		      (objects->items[i].version == NULL || is_current(&task));
		unplan(&task);
	}
	return all;
}
