#include "sync/task_set.h"

#include "base/mem.h"

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

static struct publish_file task_make(const struct task *t, const char *path, mode_t mode,
				     const char *version, const char *options,
				     const struct buf *bytes, const struct staged *staged)
{
	struct publish_file file = { .path = path,
				     .mode = mode,
				     .object = t->id,
				     .version = version,
				     .options = options,
				     .staged = *staged };

	if (staged->state == STAGED_NOT) {
		file.data = buf_str(bytes);
		file.len = bytes->len;
	}
	return file;
}

static struct publish_file task_make_rendered(const struct task *t, size_t i)
{
	const struct render_file *f = &t->new_files.items[i];

	return task_make(t, f->path, f->mode, t->new_version, f->options, &f->bytes,
			 &t->staged[i]);
}

static struct publish_file task_make_metadata(const struct task *t)
{
	return task_make(t, t->files[t->rendered_count].path, t->object->mode,
			 t->new_metadata_version, TASK_METADATA_OPTIONS, &t->new_metadata,
			 &t->staged_metadata);
}

static struct publish_file *task_push(struct publish_file **files, size_t *count)
{
	*files = xgrow(*files, *count, sizeof(**files));
	return &(*files)[(*count)++];
}

/* What the set has, in place of new bytes, of files [from, to). */
static void task_carry_all(const struct task *t, size_t from, size_t to,
			   struct publish_file **files, size_t *count)
{
	bool as_is = t->verdict->fate == FATE_KEEP_AS_IS;

	for (size_t i = from; i < to; i++) {
		const struct task_file *f = &t->files[i];

		if (f->entry != NULL)
			*task_push(files, count) = task_carry(f, as_is || !f->intact);
	}
}

void task_add_files(const struct task *t, struct publish_file **files, size_t *count)
{
	bool is_new = t->verdict->fate == FATE_NEW;

	if (t->verdict->fate == FATE_GO)
		return;
	if (!is_new || !t->has_new_files)
		task_carry_all(t, 0, t->rendered_count, files, count);
	for (size_t i = 0; is_new && i < t->new_files.count; i++)
		*task_push(files, count) = task_make_rendered(t, i);
	if (is_new && t->has_new_metadata)
		*task_push(files, count) = task_make_metadata(t);
	else
		task_carry_all(t, t->rendered_count, t->file_count, files, count);
}
