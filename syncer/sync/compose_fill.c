#include "sync/compose_fill.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sorted.h"
#include "base/text.h"
#include "render/fill.h"

static int compose_order(const void *a, const void *b)
{
	const struct publish_file *const *x = a, *const *y = b;

	return strcmp((*x)->path, (*y)->path);
}

static int compose_compare(const void *path, const void *item)
{
	return strcmp(path, (*(const struct publish_file *const *)item)->path);
}

struct compose_set compose_set(const struct publish *publish,
			       const struct publish_file *files, size_t count)
{
	struct compose_set set = { publish, xcalloc(count, sizeof(*set.files)), count };

	for (size_t i = 0; i < count; i++)
		set.files[i] = &files[i];
	if (count > 0)
		qsort(set.files, count, sizeof(*set.files), compose_order);
	return set;
}

static const struct publish_file *compose_find(const struct compose_set *set,
					       const char *path)
{
	bool found;
	size_t at = sorted_place(set->files, set->count, sizeof(*set->files), path,
				 compose_compare, &found);

	return found ? set->files[at] : NULL;
}

/* taken: bytes, of all places before it. */
static int compose_place(const struct compose_set *set, const struct template_part *part,
			 size_t *taken, struct buf *out, struct err *err)
{
	const struct publish_file *f = compose_find(set, part->path);
	auto_buf struct buf bytes = BUF_INIT(TEMPLATES_MADE_MAX);

	if (f == NULL)
		return err_set(err, ERR_NOTFOUND, "is not in the set: no object made it");
	if (publish_read_new(set->publish, f, &bytes, err) < 0)
		return -1;
	*taken += bytes.len;
	if (*taken > TEMPLATES_TAKEN_MAX)
		return err_set(err, ERR_CONFIG,
			       "makes more than %d bytes of what the template takes",
			       TEMPLATES_TAKEN_MAX);
	return fill_place(part, buf_str(&bytes), bytes.len, out, err);
}

int compose_fill(const struct compose_set *set, const struct template_file *file,
		 struct buf *out, struct err *err)
{
	size_t taken = 0;

	for (size_t i = 0; i < file->body.count; i++) {
		const struct template_part *part = &file->body.parts[i];
		int result;

		if (part->path == NULL) {
			buf_text(out, part->text); /* fill_place() tells of a limit */
			continue;
		}
		result = compose_place(set, part, &taken, out, err);
		if (result < 0) {
			auto_free char *words = templates_words(file);
			auto_free char *reason = xstrdup(err->msg);

			return err_set(err, err->kind, "%s: %s: file '%.100s' %s", words,
				       part->where, part->path, reason);
		}
	}
	return 0;
}

size_t compose_limit(const struct template_file *file)
{
	return file->format == TEMPLATES_FILE_KEY_REF ? FILL_FILE_KEY_REF_FILE_MAX
						      : TEMPLATES_MADE_MAX;
}

char *compose_version(const struct compose_set *set, const struct template_file *file)
{
	uint64_t hash = TEXT_HASH;

	for (size_t i = 0; i < file->body.count; i++) {
		const struct template_part *part = &file->body.parts[i];
		const struct publish_file *f =
			part->path ? compose_find(set, part->path) : NULL;

		if (part->path == NULL)
			continue;
		if (f == NULL)
			return NULL;
		hash = text_hash(text_hash(hash, f->path), f->object);
		hash = text_hash(text_hash(hash, f->version), f->options);
	}
	return xasprintf("%016llx", (unsigned long long)hash);
}
