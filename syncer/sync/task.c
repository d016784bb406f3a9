#include "sync/task.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define METADATA_MAX (64 * 1024)
#define METADATA_SUFFIX ".json"
#define METADATA_OPTIONS "metadata"
#define SELECTION ";like="

/* ---- what is on the volume ---- */

static struct render_how task_how(const struct object *object)
{
	return (struct render_how){
		.kind = object->kind,
		.format = object->format,
		.layout = object->layout,
		.encoding = object->encoding,
		.password_object = object->password_object,
	};
}

/* Files of an entry that selects carry its choice, so that they are known as its own. */
static char *task_options(const struct object *object)
{
	struct render_how how = task_how(object);
	char *options = render_options(&how), *more;

	if (!object_selects(object))
		return options;
	more = xasprintf("%s" SELECTION "%s", options,
			 object->pattern ? object->pattern : "*");
	free(options);
	for (size_t i = 0; i < object->tag_count; i++) {
		options = more;
		more = xasprintf("%s;tag %s=%s", options, object->tags[i].name,
				 object->tags[i].value);
		free(options);
	}
	return more;
}

bool task_was_selected(const struct object *object, const char *options)
{
	auto_free char *own = task_options(object);
	const char *was = strstr(options, SELECTION), *is = strstr(own, SELECTION);

	return was != NULL && is != NULL && strcmp(was, is) == 0;
}

static void task_add_path(struct task *t, const struct publish *publish,
			  const char *suffix, const char *options)
{
	struct task_file *file = &t->files[t->file_count++];
	enum publish_state state = PUBLISH_MISSING;
	const struct manifest_entry *e;

	file->path = xasprintf("%s%s", t->path, suffix);
	e = publish_at(publish, file->path, &state);
	if (e == NULL || strcmp(e->object, t->id) != 0)
		return;
	file->entry = e;
	file->as_wanted = strcmp(e->options, options) == 0 && e->mode == t->object->mode;
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

static void task_look(struct task *t, const struct publish *publish)
{
	const char *suffix;

	for (size_t i = 0; (suffix = render_suffix(&t->how, i)) != NULL; i++)
		task_add_path(t, publish, suffix, t->options);
	t->rendered_count = t->file_count;
	if (t->object->metadata)
		task_add_path(t, publish, METADATA_SUFFIX, METADATA_OPTIONS);
	t->current = task_version(t, 0, t->rendered_count);
	t->metadata = task_version(t, t->rendered_count, t->file_count);
}

static enum fate_need task_need(const struct object *object)
{
	if (object->optional)
		return FATE_OPTIONAL;
	return object_selects(object) ? FATE_SELECTED : FATE_REQUIRED;
}

struct task *task_new(const struct object *object, struct source *source,
		      const struct publish *publish, const char *name, const char *path,
		      const char *version)
{
	struct task *t = xcalloc(1, sizeof(*t));

	t->object = object;
	t->source = source;
	t->name = xstrdup(name);
	t->path = xstrdup(path);
	t->version = version ? xstrdup(version) : NULL;
	t->id = vault_object_id(source->vault.url, object->kind, name);
	t->how = task_how(object);
	t->options = task_options(object);
	t->words = xasprintf("%s '%s'", kind_word(object->kind), name);
	t->need = task_need(object);
	t->new_metadata = BUF_INIT(METADATA_MAX);
	task_look(t, publish);
	return t;
}

void task_free(struct task *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->file_count; i++)
		free(t->files[i].path);
	question_done(&t->value);
	question_done(&t->password);
	render_files_done(&t->new_files);
	buf_done(&t->new_metadata);
	free(t->name);
	free(t->path);
	free(t->version);
	free(t->id);
	free(t->options);
	free(t->words);
	free(t->new_version);
	free(t->new_metadata_version);
	free(t);
}

bool task_needs_no_answer(const struct task *t)
{
	/* Tags may change with a version, so path.json has to be asked for. */
	return t->version != NULL && t->current != NULL &&
	       t->object->password_object == NULL && !t->object->metadata &&
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

	if (render_object(&t->how, &source, &t->new_files, &t->err) < 0)
		err_wrap(&t->err, "%s", t->words);
	else
		t->has_new_files = true;
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
}

void task_render(struct task *t)
{
	const struct vault_object *got = &t->value.got;

	if (t->err.kind != ERR_NONE || t->value.item.state == FETCH_NONE)
		return;
	if (question_failed(&t->value) || question_failed(&t->password)) {
		t->err = question_failed(&t->value) ? t->value.item.err
						    : t->password.item.err;
		return;
	}
	t->new_version =
		t->object->password_object == NULL
			? xstrdup(got->version)
			: xasprintf("%s+%s", got->version, t->password.got.version);
	if (t->current == NULL || !text_same(t->current, t->new_version))
		task_render_files(t);
	if (t->err.kind == ERR_NONE && t->object->metadata)
		task_render_metadata(t);
}

/* ---- the set ---- */

/* As it was published, in whatever way that was; as_is: also when another program changed
 * or removed it. */
static struct publish_file task_carry(const struct task_file *f, bool as_is)
{
	return (struct publish_file){ .path = f->path,
				      .mode = f->entry->mode,
				      .object = f->entry->object,
				      .version = f->entry->version,
				      .options = f->entry->options,
				      .as_is = as_is };
}

static struct publish_file task_make(const struct task *t, size_t i)
{
	bool metadata = i == t->rendered_count;
	const struct buf *bytes = metadata ? &t->new_metadata : &t->new_files.items[i];

	return (struct publish_file){
		.path = t->files[i].path,
		.mode = t->object->mode,
		.object = t->id,
		.version = metadata ? t->new_metadata_version : t->new_version,
		.options = metadata ? METADATA_OPTIONS : t->options,
		.data = buf_str(bytes),
		.len = bytes->len,
	};
}

static bool task_is_new(const struct task *t, size_t i)
{
	if (t->verdict->fate != FATE_NEW)
		return false;
	return i == t->rendered_count ? t->has_new_metadata : t->has_new_files;
}

void task_add_files(const struct task *t, struct publish_file **files, size_t *count)
{
	bool as_is = t->verdict->fate == FATE_KEEP_AS_IS;

	if (t->verdict->fate == FATE_GO)
		return;
	for (size_t i = 0; i < t->file_count; i++) {
		const struct task_file *f = &t->files[i];
		bool is_new = task_is_new(t, i);

		if (!is_new && f->entry == NULL)
			continue;
		*files = xgrow(*files, *count, sizeof(**files));
		(*files)[(*count)++] =
			is_new ? task_make(t, i) : task_carry(f, as_is || !f->intact);
	}
}
