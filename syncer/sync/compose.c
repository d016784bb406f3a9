#include "sync/compose.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "config/objects.h"
#include "config/path.h"
#include "deliver/env_file.h"
#include "report/log.h"
#include "sync/compose_fill.h"

/* ---- templates ---- */

/* What the current set has at the path, when a template made it. */
static const struct manifest_entry *compose_entry(const struct composed *c,
						  const struct publish *publish,
						  enum publish_state *state)
{
	const struct manifest_entry *e = publish_at(publish, c->file->path, state);

	return e != NULL && strcmp(e->object, COMPOSE_OBJECT) == 0 ? e : NULL;
}

static bool compose_is_as_wanted(const struct composed *c, const struct manifest_entry *e)
{
	return strcmp(e->options, c->options) == 0 && e->mode == c->file->mode;
}

static enum fate_files compose_files(const struct composed *c,
				     const struct publish *publish)
{
	enum publish_state state = PUBLISH_MISSING;
	const struct manifest_entry *e = compose_entry(c, publish, &state);

	if (e == NULL)
		return FATE_NO_FILES;
	if (!compose_is_as_wanted(c, e))
		return FATE_OTHER_FILES;
	return state == PUBLISH_INTACT ? FATE_GOOD_FILES : FATE_ALTERED_FILES;
}

/* An object whose path only the vault knew may be at the template's path. */
static int compose_check_path(const struct composed *c, const struct compose_set *set,
			      struct err *err)
{
	for (size_t i = 0; i < set->count; i++)
		if (path_collides(set->files[i]->path, c->file->path))
			return err_set(err, ERR_CONFIG,
				       "template '%.200s': file '%.200s' of an object is "
				       "in the way of its path; give one of them another "
				       "path",
				       c->file->path, set->files[i]->path);
	return 0;
}

static void compose_make(struct composed *c, struct publish *publish,
			 const struct compose_set *set)
{
	enum publish_state state = PUBLISH_MISSING;
	const struct manifest_entry *e = compose_entry(c, set->publish, &state);

	c->options = xasprintf("text=%016llx",
			       (unsigned long long)text_hash(TEXT_HASH, c->file->text));
	c->version = compose_version(set, c->file);
	if (e != NULL && compose_is_as_wanted(c, e) && state == PUBLISH_INTACT &&
	    c->version != NULL && strcmp(e->version, c->version) == 0)
		return;
	if (compose_check_path(c, set, &c->err) < 0 ||
	    compose_fill(set, c->file, &c->bytes, &c->err) < 0) {
		buf_done(&c->bytes);
		return;
	}
	c->is_new = true;
	publish_stage(publish, c->file->path, c->file->mode, &c->bytes, &c->staged);
}

static void compose_judge(struct composed *c, const struct compose_set *set,
			  const struct fate_facts *facts)
{
	struct fate_facts own = *facts;
	struct err ignored;

	own.error = c->err.kind;
	own.need = FATE_REQUIRED;
	own.files = compose_check_path(c, set, &ignored) < 0
			    ? FATE_NO_FILES
			    : compose_files(c, set->publish);
	c->verdict = fate_of(&own);
}

static void compose_add_file(const struct composed *c, const struct publish *publish,
			     struct publish_file **files, size_t *count)
{
	const struct manifest_entry *e = compose_entry(c, publish, NULL);
	struct publish_file *f;

	if (c->verdict->fate == FATE_HOLD_SET)
		return;
	*files = xgrow(*files, *count, sizeof(**files));
	f = &(*files)[(*count)++];
	*f = (struct publish_file){ .path = c->file->path,
				    .mode = c->file->mode,
				    .object = COMPOSE_OBJECT,
				    .version = c->version,
				    .options = c->options };
	if (c->is_new) {
		f->staged = c->staged;
		f->data = c->staged.state == STAGED_NOT ? buf_str(&c->bytes) : NULL;
		f->len = c->bytes.len;
		return;
	}
	f->mode = e->mode;
	f->version = e->version;
	f->options = e->options;
	f->as_is = c->verdict->fate == FATE_KEEP_AS_IS;
}

/* Whether an env file can be made of the set; its bytes are dropped. */
static void compose_try_env_file(struct composition *c, const struct compose_set *set,
				 const struct template_file *file,
				 const struct fate_facts *facts)
{
	struct fate_facts own = *facts;
	struct buf bytes = BUF_INIT(compose_limit(file));
	struct err err = { 0 };

	if (compose_fill(set, file, &bytes, &err) < 0) {
		own.error = err.kind;
		own.need = FATE_REQUIRED;
		own.files = own.same_configuration ? FATE_GOOD_FILES : FATE_NO_FILES;
		if (fate_of(&own)->fate == FATE_HOLD_SET && c->held_by.kind == ERR_NONE)
			c->held_by = err;
	}
	buf_done(&bytes);
}

void compose_templates(struct composition *out, const struct templates *all,
		       struct publish *publish, const struct fate_facts *facts,
		       struct publish_file **files, size_t *count)
{
	/* A template takes the files of objects only. */
	struct compose_set objects = compose_set(publish, *files, *count), whole;

	*out = (struct composition){ .items = xcalloc(all->count, sizeof(*out->items)) };
	for (size_t i = 0; i < all->count; i++) {
		struct composed *c = &out->items[out->count];

		if (templates_is_env(&all->items[i]))
			continue;
		out->count++;
		c->file = &all->items[i];
		c->bytes = BUF_INIT(compose_limit(c->file));
		compose_make(c, publish, &objects);
		compose_judge(c, &objects, facts);
		if (c->verdict->fate == FATE_HOLD_SET && out->held_by.kind == ERR_NONE)
			out->held_by = c->err;
	}
	free(objects.files);
	for (size_t i = 0; i < out->count; i++)
		compose_add_file(&out->items[i], publish, files, count);
	whole = compose_set(publish, *files, *count);
	for (size_t i = 0; i < all->count && out->held_by.kind == ERR_NONE; i++)
		if (templates_is_env(&all->items[i]))
			compose_try_env_file(out, &whole, &all->items[i], facts);
	free(whole.files);
}

void composition_done(struct composition *c)
{
	for (size_t i = 0; i < c->count; i++) {
		free(c->items[i].options);
		free(c->items[i].version);
		buf_done(&c->items[i].bytes);
	}
	free(c->items);
	*c = (struct composition){ 0 };
}

/* ---- reporting ---- */

static void compose_fail(enum incident_kind kind, const char *path, const struct err *err,
			 bool has_files, const char *consequence,
			 struct incidents *incidents, struct failures *failures,
			 int64_t now)
{
	incidents_report(incidents, has_files ? LOG_WARN : LOG_ERROR, kind, path, err,
			 consequence, now);
	if (err_outranks(err, &failures->worst))
		failures->worst = *err;
}

void compose_report(const struct composition *c, bool has_files,
		    struct incidents *incidents, struct failures *failures, int64_t now)
{
	for (size_t i = 0; i < c->count; i++) {
		const struct composed *it = &c->items[i];

		if (it->err.kind == ERR_NONE)
			incidents_confirm(incidents, INCIDENT_TEMPLATE, it->file->path);
		else
			compose_fail(INCIDENT_TEMPLATE, it->file->path, &it->err,
				     has_files, it->verdict->reason, incidents, failures,
				     now);
	}
}

static void compose_hold_kind(const struct templates *all, bool env_files,
			      struct incidents *incidents)
{
	for (size_t i = 0; i < all->count; i++)
		if (templates_is_env(&all->items[i]) == env_files)
			incidents_hold(incidents,
				       env_files ? INCIDENT_ENV_FILE : INCIDENT_TEMPLATE,
				       all->items[i].path);
}

void compose_hold(const struct templates *all, struct incidents *incidents)
{
	compose_hold_kind(all, false, incidents);
}

/* ---- env files ---- */

static int compose_write(const struct compose_set *set, const struct template_file *file,
			 struct err *err)
{
	auto_buf struct buf bytes = BUF_INIT(compose_limit(file));
	struct env_file_order order;
	bool changed;

	if (compose_fill(set, file, &bytes, err) < 0)
		return -1;
	order = (struct env_file_order){ .path = file->path,
					 .mode = file->mode,
					 .data = buf_str(&bytes),
					 .len = bytes.len,
					 .set_fd = publish_dir_fd(set->publish) };
	if (env_file_write(&order, &changed, err) < 0)
		return err_wrap(err, "env file '%.200s'", file->path);
	if (changed)
		log_event(LOG_INFO, "env-file", LOG_FIELDS(log_str("path", file->path)),
			  "wrote env file '%s'", file->path);
	return 0;
}

static void compose_write_one(const struct compose_set *set,
			      const struct template_file *file,
			      struct incidents *incidents, struct failures *failures,
			      int64_t now, bool *all_there)
{
	struct err err;

	if (compose_write(set, file, &err) == 0) {
		incidents_confirm(incidents, INCIDENT_ENV_FILE, file->path);
		return;
	}
	*all_there = false;
	failures->try_soon |= err.kind == ERR_IO;
	failures->env_unwritten |= err.kind == ERR_IO;
	compose_fail(INCIDENT_ENV_FILE, file->path, &err, true,
		     "the file of before stays, if there is one", incidents, failures,
		     now);
}

static bool compose_has_env_files(const struct templates *all)
{
	for (size_t i = 0; i < all->count; i++)
		if (templates_is_env(&all->items[i]))
			return true;
	return false;
}

bool compose_write_env_files(const struct templates *all, const struct publish *publish,
			     uint64_t number, struct incidents *incidents,
			     struct failures *failures, int64_t now)
{
	auto_free struct publish_file *files = NULL;
	size_t count = publish_count(publish);
	struct compose_set set;
	bool all_there = true;

	if (!compose_has_env_files(all))
		return true;
	if (!publish_fits(publish, number)) {
		compose_hold_kind(all, true, incidents);
		return true;
	}
	files = xcalloc(count, sizeof(*files));
	for (size_t i = 0; i < count; i++)
		files[i].path = publish_entry(publish, i, NULL)->path;
	set = compose_set(publish, files, count);
	for (size_t i = 0; i < all->count; i++)
		if (templates_is_env(&all->items[i]))
			compose_write_one(&set, &all->items[i], incidents, failures, now,
					  &all_there);
	free(set.files);
	return all_there;
}

struct templates compose_earlier(const struct publish *publish, uint64_t number)
{
	const char *text = publish_list(publish);
	struct objects before = { 0 };
	struct templates result;
	struct err err;

	if (text == NULL || publish_fits(publish, number) ||
	    objects_read_back(&before, text, 0, &err) < 0)
		return (struct templates){ 0 };
	result = before.templates;
	before.templates = (struct templates){ 0 };
	objects_done(&before);
	return result;
}

static bool compose_has_env_file(const struct templates *all, const char *path)
{
	for (size_t i = 0; i < all->count; i++)
		if (templates_is_env(&all->items[i]) &&
		    strcmp(all->items[i].path, path) == 0)
			return true;
	return false;
}

static void compose_remove_env_file(const char *path)
{
	struct err err;
	bool removed;

	if (env_file_remove(path, &removed, &err) < 0)
		log_event(LOG_WARN, "env-file", LOG_FIELDS(log_str("path", path)),
			  "env file '%s' left the configuration, but stays: %s", path,
			  err.msg);
	else if (removed)
		log_event(LOG_INFO, "env-file", LOG_FIELDS(log_str("path", path)),
			  "removed env file '%s', which left the configuration", path);
}

void compose_remove_env_files(const struct templates *all, const struct publish *publish,
			      uint64_t number)
{
	struct templates before = compose_earlier(publish, number);

	for (size_t i = 0; i < before.count; i++)
		if (templates_is_env(&before.items[i]) &&
		    !compose_has_env_file(all, before.items[i].path))
			compose_remove_env_file(before.items[i].path);
	templates_done(&before);
}
