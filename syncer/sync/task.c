#include "sync/task.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define METADATA_MAX (64 * 1024)
#define METADATA_SUFFIX ".json"
#define METADATA_OPTIONS "metadata"

/* ---- questions ---- */

static int parse_answer(void *arg, struct http_reply *reply, struct err *err)
{
	struct question *q = arg;

	return vault_object_parse(reply, &q->asked, &q->got, err);
}

void question_ask(struct question *q, struct fetch *fetch, const struct source *source,
		  enum object_kind kind, const char *name, const char *version)
{
	q->url = vault_object_url(source->vault.url, kind, name, version);
	q->words = xasprintf("%s '%s'", vault_word(kind), name);
	q->asked = (struct vault_question){
		.kind = kind, .client_id = identity_id(&source->shared->identity)
	};
	q->item = (struct fetch_item){
		.url = q->url, .words = q->words, .parse = parse_answer, .arg = q
	};
	fetch_add(fetch, &q->item);
}

void question_done(struct question *q)
{
	vault_object_done(&q->got);
	free(q->url);
	free(q->words);
	*q = (struct question){ 0 };
}

/* ---- what is there ---- */

struct render_how task_how(const struct object *object)
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
char *task_options(const struct object *object)
{
	struct render_how how = task_how(object);
	char *options = render_options(&how), *more;

	if (!object_selects(object))
		return options;
	more = xasprintf("%s;like=%s", options, object->pattern ? object->pattern : "*");
	free(options);
	for (size_t i = 0; i < object->tag_count; i++) {
		options = more;
		more = xasprintf("%s;tag %s=%s", options, object->tags[i].name,
				 object->tags[i].value);
		free(options);
	}
	return more;
}

char *task_path(const struct task *t, size_t i)
{
	const char *suffix = render_suffix(&t->how, i);

	if (suffix != NULL)
		return xasprintf("%s%s", t->path, suffix);
	if (!t->object->metadata || (i > 0 && render_suffix(&t->how, i - 1) == NULL))
		return NULL;
	return xasprintf("%s" METADATA_SUFFIX, t->path);
}

/* The version that all its files have; NULL when one is missing or differs. */
static const char *version_on_disk(const struct task *t, const struct publish *publish)
{
	const char *first = NULL, *version = NULL;

	for (size_t i = 0; render_suffix(&t->how, i) != NULL; i++) {
		auto_free char *path = task_path(t, i);

		if (!publish_has(publish, path, t->id, t->options, t->object->mode,
				 &version) ||
		    (first != NULL && strcmp(first, version) != 0))
			return NULL;
		first = version;
	}
	return first;
}

const struct manifest_entry *task_kept(const struct task *t,
				       const struct publish *publish, size_t i)
{
	auto_free char *path = task_path(t, i);
	enum publish_state state;
	const struct manifest_entry *e = path ? publish_at(publish, path, &state) : NULL;

	return e != NULL && state == PUBLISH_INTACT && strcmp(e->object, t->id) == 0
		       ? e
		       : NULL;
}

static void look(struct task *t, const struct publish *publish)
{
	auto_free char *metadata = xasprintf("%s" METADATA_SUFFIX, t->path);

	for (size_t i = 0; i < TASK_FILES_MAX; i++)
		t->kept |= task_kept(t, publish, i) != NULL;
	t->on_disk = version_on_disk(t, publish);
	if (!t->object->metadata ||
	    !publish_has(publish, metadata, t->id, METADATA_OPTIONS, t->object->mode,
			 &t->metadata_on_disk))
		t->metadata_on_disk = NULL;
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
	t->words = xasprintf("%s '%s'", vault_word(object->kind), name);
	t->metadata = BUF_INIT(METADATA_MAX);
	look(t, publish);
	return t;
}

void task_free(struct task *t)
{
	if (t == NULL)
		return;
	question_done(&t->value);
	question_done(&t->password);
	render_files_done(&t->files);
	buf_done(&t->metadata);
	free(t->name);
	free(t->path);
	free(t->version);
	free(t->id);
	free(t->options);
	free(t->words);
	free(t->fresh);
	free(t->metadata_fresh);
	free(t);
}

bool task_is_settled(const struct task *t)
{
	return t->version != NULL && t->on_disk != NULL &&
	       t->object->password_object == NULL &&
	       (!t->object->metadata || t->metadata_on_disk != NULL) &&
	       text_same(t->on_disk, t->version);
}

bool task_is_optional(const struct task *t)
{
	return t->may_go || t->object->optional || object_selects(t->object);
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

static void render_files(struct task *t)
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

	if (render_object(&t->how, &source, &t->files, &t->err) < 0)
		err_wrap(&t->err, "%s", t->words);
	else
		t->rendered = true;
}

static void render_facts(struct task *t)
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
			&t->metadata);
	/* A PATCH changes what is told of a version, not the version. */
	t->metadata_fresh = xasprintf(
		"%s@%016llx", got->version,
		(unsigned long long)text_hash(TEXT_HASH, buf_str(&t->metadata)));
	t->told = t->metadata_on_disk == NULL ||
		  strcmp(t->metadata_on_disk, t->metadata_fresh) != 0;
}

static bool is_missing(struct task *t, const struct question *q)
{
	if (q->item.state == FETCH_GOT || q->item.state == FETCH_NONE)
		return false;
	t->err = q->item.err;
	return true;
}

void task_settle(struct task *t)
{
	const struct vault_object *got = &t->value.got;

	if (t->err.kind != ERR_NONE || t->value.item.state == FETCH_NONE ||
	    is_missing(t, &t->value) || is_missing(t, &t->password))
		return;
	t->fresh = t->object->password_object == NULL
			   ? xstrdup(got->version)
			   : xasprintf("%s+%s", got->version, t->password.got.version);
	if (t->on_disk == NULL || !text_same(t->on_disk, t->fresh))
		render_files(t);
	if (t->err.kind == ERR_NONE && t->object->metadata)
		render_facts(t);
}

static struct publish_file file_of(const struct task *t, const struct buf *bytes,
				   const char *fresh, const char *on_disk)
{
	return (struct publish_file){
		.path = NULL,
		.mode = t->object->mode,
		.object = t->id,
		.version = bytes ? fresh : on_disk,
		.options = t->options,
		.data = bytes ? buf_str(bytes) : NULL,
		.len = bytes ? bytes->len : 0,
	};
}

bool task_files(const struct task *t, bool use_new,
		struct publish_file files[TASK_FILES_MAX], size_t *count)
{
	bool fresh = use_new && t->rendered, told = use_new && t->told;
	size_t n = 0;

	*count = 0;
	if (!fresh && t->on_disk == NULL)
		return false;
	for (size_t i = 0; render_suffix(&t->how, i) != NULL; i++)
		files[n++] = file_of(t, fresh ? &t->files.items[i] : NULL, t->fresh,
				     t->on_disk);
	if (told || t->metadata_on_disk != NULL) {
		files[n] = file_of(t, told ? &t->metadata : NULL, t->metadata_fresh,
				   t->metadata_on_disk);
		files[n++].options = METADATA_OPTIONS;
	}
	*count = n;
	return true;
}
