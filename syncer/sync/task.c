#include "sync/task.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define METADATA_MAX (64 * 1024)
#define PAGE_BYTES 4096
#define METADATA_SUFFIX ".json"
#define SELECTION ";like="

/* ---- what is on the volume ---- */

static struct render_how task_how(const struct object *object, const char *name,
				  const char *path)
{
	return (struct render_how){
		.name = name,
		.path = path,
		.mode = object->mode,
		.kind = object->kind,
		.format = object->format,
		.layout = object->layout,
		.encoding = object->encoding,
		.password_object = object->password_object,
		.parts = object->parts,
		.part_count = object->part_count,
		.extract = object->extract,
		.folder = object->folder,
		.without_whole = object->without_whole,
	};
}

/* Files of an entry that selects carry its choice, so that they are known as its own. */
static char *task_selection(const struct object *object)
{
	char *text, *more;

	if (!object_selects(object))
		return xstrdup("");
	text = xasprintf(SELECTION "%s", object->pattern ? object->pattern : "*");
	for (size_t i = 0; i < object->tag_count; i++) {
		more = xasprintf("%s;tag %s=%s", text, object->tags[i].name,
				 object->tags[i].value);
		free(text);
		text = more;
	}
	return text;
}

/* Marks what a file was made with. */
static void task_mark(const struct task *t, struct render_files *files)
{
	for (size_t i = 0; i < files->count; i++) {
		char *options = files->items[i].options;

		files->items[i].options = xasprintf("%s%s", options, t->selection);
		free(options);
	}
}

bool task_was_selected(const struct object *object, const char *options)
{
	auto_free char *own = task_selection(object);
	const char *was = strstr(options, SELECTION);

	return was != NULL && strcmp(was, own) == 0;
}

static void task_add_file(struct task *t, const struct publish *publish, const char *path,
			  const char *options, mode_t mode)
{
	enum publish_state state = PUBLISH_MISSING;
	const struct manifest_entry *e = publish_at(publish, path, &state);
	struct task_file *file;

	t->files = xgrow(t->files, t->file_count, sizeof(*t->files));
	file = &t->files[t->file_count++];
	*file = (struct task_file){ .path = xstrdup(path), .mode = mode };
	if (e == NULL || strcmp(e->object, t->id) != 0)
		return;
	file->entry = e;
	file->as_wanted = strcmp(e->options, options) == 0 && e->mode == mode;
	file->intact = state == PUBLISH_INTACT;
}

/* The version that files [from, to) have, all as wanted; NULL when one is missing or
 * differs. */
static const char *task_version(const struct task *t, size_t from, size_t to)
{
	const char *version = NULL;

	for (size_t i = from; i < to; i++) {
		const struct task_file *f = &t->files[i];

		if (!f->as_wanted || !f->intact ||
		    (version != NULL && strcmp(version, f->entry->version) != 0))
			return NULL;
		version = f->entry->version;
	}
	return version;
}

/* Which keys the value had is known by the files that were made of them.  True when all
 * of these are there. */
static bool task_look_for_keys(struct task *t, const struct publish *publish)
{
	const struct manifest_entry *e;
	size_t found = 0, count = 0, all = 1;

	for (size_t i = 0; (e = publish_of_object(publish, t->id, i)) != NULL; i++) {
		const char *was = render_extracted(e->options, &count);
		auto_free char *options = render_key_options(&t->how, count);

		if (was == NULL || strcmp(was, render_extracted(options, &count)) != 0)
			continue;
		task_add_file(t, publish, e->path, options, t->object->mode);
		t->files[t->file_count - 1].extracted = true;
		found++;
		all = count;
	}
	return found == all;
}

static void task_look(struct task *t, const struct publish *publish)
{
	struct render_files wanted;
	bool has_all_keys = true;

	render_outline(&t->how, &wanted);
	task_mark(t, &wanted);
	for (size_t i = 0; i < wanted.count; i++)
		task_add_file(t, publish, wanted.items[i].path, wanted.items[i].options,
			      wanted.items[i].mode);
	render_files_done(&wanted);
	if (t->how.extract != OBJECT_EXTRACT_NONE)
		has_all_keys = task_look_for_keys(t, publish);
	t->rendered_count = t->file_count;
	if (t->object->metadata) {
		auto_free char *path = xasprintf("%s" METADATA_SUFFIX, t->base);

		task_add_file(t, publish, path, TASK_METADATA_OPTIONS, t->object->mode);
	}
	if (has_all_keys)
		t->current = task_version(t, 0, t->rendered_count);
	t->metadata = task_version(t, t->rendered_count, t->file_count);
}

/* Two tasks never have the same. */
static char *task_label(const struct object *object, const char *base)
{
	if (!object->without_whole)
		return xstrdup(base);
	if (object->part_count > 0)
		return xstrdup(object->parts[0].path);
	return xasprintf("%s%s%s/*", object->folder ? object->folder : "",
			 object->folder ? "/" : "", object->name);
}

static enum fate_need task_need(const struct object *object)
{
	if (object->optional)
		return FATE_OPTIONAL;
	return object_selects(object) ? FATE_SELECTED : FATE_REQUIRED;
}

struct task *task_new(const struct object *object, struct source *source,
		      struct publish *publish, const char *name, const char *path,
		      const char *version)
{
	struct task *t = xcalloc(1, sizeof(*t));

	t->object = object;
	t->source = source;
	t->name = xstrdup(name);
	t->base = xstrdup(path);
	t->path = task_label(object, path);
	t->version = version ? xstrdup(version) : NULL;
	t->id = vault_object_id(source->vault.url, object->kind, name);
	t->how = task_how(object, t->name, t->base);
	t->selection = task_selection(object);
	t->words = xasprintf("%s '%s'", kind_word(object->kind), name);
	t->need = task_need(object);
	t->new_metadata = BUF_INIT(METADATA_MAX);
	t->publish = publish;
	task_look(t, publish);
	return t;
}

void task_free(struct task *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->file_count; i++)
		free(t->files[i].path);
	free(t->files);
	question_done(&t->value);
	question_done(&t->password);
	task_unrender(t);
	publish_unstage(t->publish, &t->staged_metadata);
	buf_done(&t->new_metadata);
	free(t->name);
	free(t->base);
	free(t->path);
	free(t->version);
	free(t->id);
	free(t->selection);
	free(t->words);
	free(t->new_version);
	free(t->new_metadata_version);
	free(t);
}

const char *task_path(const struct task *t, size_t i, mode_t *mode)
{
	size_t made = t->has_new_files ? t->new_files.count : 0;

	if (i < made) {
		*mode = t->new_files.items[i].mode;
		return t->new_files.items[i].path;
	}
	i += t->has_new_files ? t->rendered_count - made : 0;
	if (i >= t->file_count)
		return NULL;
	*mode = t->files[i].mode;
	return t->files[i].path;
}

void task_unrender(struct task *t)
{
	for (size_t i = 0; t->staged != NULL && i < t->new_files.count; i++)
		publish_unstage(t->publish, &t->staged[i]);
	free(t->staged);
	t->staged = NULL;
	render_files_done(&t->new_files);
	t->has_new_files = false;
}

void task_forget_file(struct task *t, size_t i)
{
	free(t->files[i].path);
	t->file_count--;
	t->rendered_count--;
	memmove(&t->files[i], &t->files[i + 1], (t->file_count - i) * sizeof(*t->files));
	/* What is left is not all that the version had. */
	t->current = NULL;
}

bool task_is_final(const struct object *object, const char *version)
{
	/* Tags may change with a version, so path.json has to be asked for. */
	return version != NULL && object->password_object == NULL && !object->metadata;
}

bool task_needs_no_answer(const struct task *t)
{
	return task_is_final(t->object, t->version) && t->current != NULL &&
	       text_same(t->current, t->version);
}

enum fate_files task_files_on_volume(const struct task *t)
{
	bool any = false, all = true, intact = true;

	if (t->current != NULL)
		return FATE_GOOD_FILES;
	for (size_t i = 0; i < t->rendered_count; i++) {
		any |= t->files[i].entry != NULL;
		all &= t->files[i].as_wanted;
		intact &= t->files[i].intact;
	}
	if (!any)
		return FATE_NO_FILES;
	return all && !intact ? FATE_ALTERED_FILES : FATE_OTHER_FILES;
}

/* ---- what came ---- */

void task_ask(struct task *t, struct fetch *fetch)
{
	question_ask(&t->value, fetch, t->source, t->object->kind, t->name, t->version);
	if (t->object->password_object != NULL)
		question_ask(&t->password, fetch, t->source, OBJECT_SECRET,
			     t->object->password_object, NULL);
}

void task_take(struct task *t, struct vault_object *got)
{
	t->value.got = *got;
	t->value.item.state = FETCH_GOT;
	*got = (struct vault_object){ 0 };
}

/* A file of a tmpfs takes whole pages. */
static uint64_t task_pages(const struct buf *bytes)
{
	return (bytes->len + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
}

static void task_render_files(struct task *t)
{
	const struct vault_object *got = &t->value.got;
	const struct render_source source = {
		.value = &got->value,
		.of_certificate = got->of_certificate,
		.content_type = got->content_type,
		.jwk = got->jwk,
		.cer = got->cer,
		.password = &t->password.got.value,
	};

	if (t->is_late) {
		err_set(&t->err, ERR_UNAVAILABLE,
			"%s: it has been read, but no time was left to make its files",
			t->words);
		return;
	}
	if (render_object(&t->how, &source, &t->new_files, &t->err) < 0) {
		if (object_is_json(t->object))
			err_wrap(&t->err, "%s of vault '%s'", t->words,
				 t->source->vault.name);
		else
			err_wrap(&t->err, "%s", t->words);
		return;
	}
	task_mark(t, &t->new_files);
	t->has_new_files = true;
	t->staged = xcalloc(t->new_files.count, sizeof(*t->staged));
	for (size_t i = 0; i < t->new_files.count; i++) {
		struct render_file *f = &t->new_files.items[i];

		t->made_bytes += task_pages(&f->bytes);
		publish_stage(t->publish, f->path, f->mode, &f->bytes, &t->staged[i]);
	}
}

static void task_render_metadata(struct task *t)
{
	const struct vault_object *got = &t->value.got;
	static const char *const types[] = { "secret", "key", "cert" };

	render_metadata(&(struct render_facts){ .name = t->name,
						.kind = types[t->object->kind],
						.version = got->version,
						.content_type = got->content_type,
						.created = got->created,
						.updated = got->updated,
						.not_before = got->not_before,
						.expires = got->expires,
						.tags = got->tags },
			&t->new_metadata);
	/* A PATCH changes the tags of a version, not the version. */
	t->new_metadata_version = xasprintf(
		"%s@%016llx", got->version,
		(unsigned long long)text_hash(TEXT_HASH, buf_str(&t->new_metadata)));
	t->has_new_metadata =
		t->metadata == NULL || strcmp(t->metadata, t->new_metadata_version) != 0;
	t->made_bytes += task_pages(&t->new_metadata);
	if (t->has_new_metadata)
		publish_stage(t->publish, t->files[t->rendered_count].path,
			      t->object->mode, &t->new_metadata, &t->staged_metadata);
	else
		buf_done(&t->new_metadata);
}

static bool task_is_current(const struct task *t)
{
	return t->current != NULL && text_same(t->current, t->new_version);
}

static void task_render_got(struct task *t, bool also_current)
{
	const struct vault_object *got = &t->value.got;

	t->is_rendered = true;
	t->new_version =
		t->object->password_object == NULL
			? xstrdup(got->version)
			: xasprintf("%s+%s", got->version, t->password.got.version);
	if (also_current || !task_is_current(t))
		task_render_files(t);
	if (t->err.kind == ERR_NONE && t->object->metadata)
		task_render_metadata(t);
	vault_object_forget(&t->value.got);
	vault_object_forget(&t->password.got);
}

bool task_render_early(struct task *t)
{
	if (t->is_rendered || t->is_choosing || t->err.kind != ERR_NONE ||
	    t->value.item.state != FETCH_GOT || !question_is_answered(&t->password))
		return false;
	/* Whether files of extracted keys are current is known at the end: extract.h. */
	task_render_got(t, t->how.extract != OBJECT_EXTRACT_NONE);
	return true;
}

void task_render(struct task *t)
{
	if (t->is_rendered && task_is_current(t))
		task_unrender(t);
	if (t->is_rendered || t->err.kind != ERR_NONE ||
	    t->value.item.state == FETCH_NONE)
		return;
	if (question_failed(&t->value) || question_failed(&t->password)) {
		t->err = question_failed(&t->value) ? t->value.item.err
						    : t->password.item.err;
		return;
	}
	task_render_got(t, false);
}

void task_repeat(struct task *t)
{
	task_unrender(t);
	publish_unstage(t->publish, &t->staged_metadata);
	buf_done(&t->new_metadata);
	free(t->new_version);
	free(t->new_metadata_version);
	t->new_version = t->new_metadata_version = NULL;
	t->has_new_metadata = t->is_rendered = false;
	t->made_bytes = 0;
	t->err = (struct err){ 0 };
	question_repeat(&t->value);
	if (t->password.item.state != FETCH_NONE)
		question_repeat(&t->password);
}
