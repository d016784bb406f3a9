#include "run/round.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "render/render.h"
#include "run/fetch.h"
#include "run/log.h"

/* A secret is at most 25 KiB of text; decoding only makes it shorter. */
#define FILE_MAX (256 * 1024)

/* One object's way through a round. */
struct task {
	const struct object *object;
	char *id; /* vault_secret_id() */
	const char *options;
	const char *on_disk;     /* the version of its file on the volume; NULL: none */
	struct fetch_item *item; /* NULL: pinned and on disk, nothing to fetch */
	struct buf content;      /* its new bytes, when it changed */
	struct err err;          /* why it has neither */
};

struct round {
	struct round_work work;
	struct task *tasks;
	struct fetch_item *items;
	size_t item_count;
	struct fetch *fetch;
	int64_t started;
};

static void plan(const struct round_work *work, const struct object *o, struct task *task)
{
	task->object = o;
	task->id = vault_secret_id(work->source->vault.url, o->name);
	task->options = render_options(o->encoding);
	task->content = BUF_INIT(FILE_MAX);
	if (!publish_has(work->publish, o->path, task->id, task->options, o->mode,
			 &task->on_disk))
		task->on_disk = NULL;
}

static bool is_current(const struct task *task)
{
	return task->on_disk != NULL && task->object->version != NULL &&
	       strcasecmp(task->on_disk, task->object->version) == 0;
}

struct round *round_start(const struct round_work *work, int64_t now)
{
	struct round *r = xcalloc(1, sizeof(*r));
	const struct objects *objects = work->objects;

	r->work = *work;
	r->started = now;
	r->tasks = xcalloc(objects->count, sizeof(*r->tasks));
	r->items = xcalloc(objects->count, sizeof(*r->items));
	for (size_t i = 0; i < objects->count; i++) {
		struct task *task = &r->tasks[i];

		plan(work, &objects->items[i], task);
		if (is_current(task))
			continue;
		task->item = &r->items[r->item_count++];
		*task->item = (struct fetch_item){ .name = task->object->name,
						   .version = task->object->version,
						   .known = task->on_disk };
	}
	r->fetch = fetch_start(work->source, r->items, r->item_count, now);
	return r;
}

int64_t round_deadline(const struct round *r)
{
	return fetch_deadline(r->fetch);
}

bool round_run(struct round *r, int64_t now)
{
	return fetch_run(r->fetch, now);
}

static bool is_transient(const struct err *err)
{
	return err->kind == ERR_UNAVAILABLE || err->kind == ERR_IDENTITY;
}

/* Renders what came and keeps the reasons of what did not. */
static void settle(struct task *task)
{
	struct fetch_item *item = task->item;

	if (item == NULL || item->state == FETCH_SAME)
		return;
	if (item->state != FETCH_GOT) {
		task->err = item->err;
		return;
	}
	if (render_secret(item->secret.value, task->object->encoding, &task->content,
			  &task->err) < 0)
		err_wrap(&task->err, "secret '%s'", item->name);
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
	const char *key = task->err.kind == ERR_IDENTITY      ? "identity"
			  : task->err.kind == ERR_UNAVAILABLE ? "vault"
							      : task->object->name;
	enum log_level level = publish_generation(r->work.publish) ? LOG_WARN : LOG_ERROR;

	incidents_report(r->work.incidents, level, key, &task->err, consequence(r), now);
}

static void report_failures(struct round *r, int64_t now, struct round_result *out)
{
	bool said[ERR_IO + 1] = { false };

	for (size_t i = 0; i < r->work.objects->count; i++) {
		const struct task *task = &r->tasks[i];
		enum err_kind kind = task->err.kind;

		if (kind == ERR_NONE)
			continue;
		out->transient |= is_transient(&task->err);
		if (out->retry_after_ms < task->err.retry_after_ms)
			out->retry_after_ms = task->err.retry_after_ms;
		if (err_outranks(&task->err, &out->worst))
			out->worst = task->err;
		if (!is_transient(&task->err) || !said[kind])
			report(r, task, now);
		said[kind] = true;
	}
}

/* Every object has bytes, or a file to carry forward. */
static bool is_publishable(const struct round *r)
{
	for (size_t i = 0; i < r->work.objects->count; i++)
		if (r->tasks[i].err.kind != ERR_NONE && r->tasks[i].on_disk == NULL)
			return false;
	return true;
}

static bool has_new_bytes(const struct task *task)
{
	return task->item != NULL && task->item->state == FETCH_GOT &&
	       task->err.kind == ERR_NONE;
}

static size_t count_new(const struct round *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->work.objects->count; i++)
		n += has_new_bytes(&r->tasks[i]);
	return n;
}

static void log_published(const struct round *r, size_t changed, int64_t now)
{
	auto_buf struct buf names = BUF_INIT(2048);
	const struct publish *p = r->work.publish;
	size_t count = r->work.objects->count;

	for (size_t i = 0; i < count; i++) {
		const struct task *task = &r->tasks[i];

		if (has_new_bytes(task))
			buf_printf(&names, "%s%s@%s", names.len ? "," : "",
				   task->object->path, task->item->secret.version);
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
		bool is_new = has_new_bytes(task);

		files[i] = (struct publish_file){
			.path = task->object->path,
			.mode = task->object->mode,
			.object = task->id,
			.version = is_new ? task->item->secret.version : task->on_disk,
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

void round_end(struct round *r, int64_t now, struct round_result *out)
{
	*out = (struct round_result){ 0 };
	fetch_free(r->fetch);
	r->fetch = NULL;
	incidents_begin(r->work.incidents);
	for (size_t i = 0; i < r->work.objects->count; i++)
		settle(&r->tasks[i]);
	report_failures(r, now, out);
	out->complete = out->worst.kind == ERR_NONE;
	if (!out->transient && is_publishable(r))
		publish_changes(r, now, out);
	incidents_end(r->work.incidents, now);
	round_free(r);
}

void round_free(struct round *r)
{
	if (r == NULL)
		return;
	if (r->fetch != NULL)
		fetch_free(r->fetch);
	for (size_t i = 0; i < r->item_count; i++)
		vault_secret_done(&r->items[i].secret);
	for (size_t i = 0; i < r->work.objects->count; i++) {
		buf_done(&r->tasks[i].content);
		free(r->tasks[i].id);
	}
	free(r->tasks);
	free(r->items);
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
		free(task.id);
	}
	return all;
}
