#include "deliver/manifest.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/sorted.h"
#include "base/text.h"

#define FORMAT 1

/* Quoted, the list takes up to six times its length; the files have the rest. */
_Static_assert(6 * MANIFEST_LIST_MAX_BYTES + 4 * 1024 * 1024 <= MANIFEST_MAX_BYTES,
	       "a manifest has room for the longest list and for the files");

void manifest_add(struct manifest *m, const struct manifest_entry *entry)
{
	m->items = xgrow(m->items, m->count, sizeof(*m->items));
	m->items[m->count++] = (struct manifest_entry){
		.path = xstrdup(entry->path),
		.object = xstrdup(entry->object),
		.version = xstrdup(entry->version),
		.options = xstrdup(entry->options),
		.mode = entry->mode,
		.size = entry->size,
		.mtime_ns = entry->mtime_ns,
	};
}

void manifest_set_list(struct manifest *m, const char *list)
{
	free(m->list);
	m->list = NULL;
	if (list != NULL && strlen(list) <= MANIFEST_LIST_MAX_BYTES)
		m->list = xstrdup(list);
}

static bool entry_equal(const struct manifest_entry *a, const struct manifest_entry *b)
{
	return strcmp(a->path, b->path) == 0 && strcmp(a->object, b->object) == 0 &&
	       strcmp(a->version, b->version) == 0 &&
	       strcmp(a->options, b->options) == 0 && a->mode == b->mode &&
	       a->size == b->size && a->mtime_ns == b->mtime_ns;
}

bool manifest_equal(const struct manifest *a, const struct manifest *b)
{
	if (a->configuration != b->configuration || a->first != b->first ||
	    a->count != b->count ||
	    strcmp(a->list ? a->list : "", b->list ? b->list : "") != 0)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!entry_equal(&a->items[i], &b->items[i]))
			return false;
	return true;
}

/* ---- in order ---- */

static int manifest_order_paths(const void *a, const void *b)
{
	const struct manifest_entry *const *x = a, *const *y = b;

	return strcmp((*x)->path, (*y)->path);
}

/* Those of one object in the order of their paths. */
static int manifest_order_objects(const void *a, const void *b)
{
	const struct manifest_entry *const *x = a, *const *y = b;
	int order = strcmp((*x)->object, (*y)->object);

	return order != 0 ? order : manifest_order_paths(a, b);
}

static const struct manifest_entry **manifest_ordered(const struct manifest *m,
						      int (*order)(const void *a,
								   const void *b))
{
	const struct manifest_entry **all = xcalloc(m->count, sizeof(*all));

	for (size_t i = 0; i < m->count; i++)
		all[i] = &m->items[i];
	if (m->count > 0)
		qsort(all, m->count, sizeof(*all), order);
	return all;
}

void manifest_sort(struct manifest *m)
{
	free(m->by_path);
	free(m->by_object);
	m->by_path = manifest_ordered(m, manifest_order_paths);
	m->by_object = manifest_ordered(m, manifest_order_objects);
}

static int manifest_compare_path(const void *path, const void *item)
{
	return strcmp(path, (*(const struct manifest_entry *const *)item)->path);
}

/* Never equal, so that the place is that of the first one. */
static int manifest_compare_object(const void *object, const void *item)
{
	const struct manifest_entry *const *e = item;

	return strcmp(object, (*e)->object) > 0 ? 1 : -1;
}

const struct manifest_entry *manifest_find(const struct manifest *m, const char *path)
{
	bool found;
	size_t at = sorted_place(m->by_path, m->count, sizeof(*m->by_path), path,
				 manifest_compare_path, &found);

	return found ? m->by_path[at] : NULL;
}

const struct manifest_entry *manifest_of_object(const struct manifest *m,
						const char *object, size_t i)
{
	bool found;
	size_t at = sorted_place(m->by_object, m->count, sizeof(*m->by_object), object,
				 manifest_compare_object, &found) +
		    i;

	return at < m->count && strcmp(m->by_object[at]->object, object) == 0
		       ? m->by_object[at]
		       : NULL;
}

/* ---- as text ---- */

static void write_member(struct buf *out, const char *name, const char *value)
{
	json_member(out, name, value);
	buf_text(out, ",");
}

void manifest_write(const struct manifest *m, struct buf *out)
{
	/* Text, since it passes 2^53. */
	buf_printf(out, "{\"format\":%d,\"configuration\":\"%llu\",", FORMAT,
		   (unsigned long long)m->configuration);
	if (m->first)
		buf_text(out, "\"first\":true,");
	if (m->list != NULL)
		write_member(out, "list", m->list);
	buf_text(out, "\"files\":[");
	for (size_t i = 0; i < m->count; i++) {
		const struct manifest_entry *e = &m->items[i];

		buf_text(out, i ? ",\n{" : "\n{");
		write_member(out, "path", e->path);
		write_member(out, "object", e->object);
		write_member(out, "version", e->version);
		write_member(out, "options", e->options);
		/* Nanoseconds pass 2^53, so they are text. */
		buf_printf(out, "\"mode\":%u,\"size\":%lld,\"mtime_ns\":\"%lld\"}",
			   (unsigned)e->mode, (long long)e->size, (long long)e->mtime_ns);
	}
	buf_text(out, "\n]}\n");
}

/* Relative, below its directory, and no name of ours, which begin with "..": another
 * program may have written the manifest. */
static bool manifest_is_path(const char *path)
{
	if (text_starts(path, ".."))
		return false;
	for (const char *part = path;; part++) {
		size_t len = strcspn(part, "/");

		if (len == 0 || strncmp(part, ".", len) == 0 ||
		    (len == 2 && strncmp(part, "..", len) == 0))
			return false;
		part += len;
		if (*part == '\0')
			return true;
	}
}

static int manifest_parse_entry(const struct json *item, struct manifest *m,
				struct err *err)
{
	struct manifest_entry e = {
		.path = (char *)json_string(item, "path"),
		.object = (char *)json_string(item, "object"),
		.version = (char *)json_string(item, "version"),
		.options = (char *)json_string(item, "options"),
		.mode = (mode_t)json_int(item, "mode", 0),
		.size = json_int(item, "size", -1),
		.mtime_ns = json_loose_int(item, "mtime_ns", -1),
	};

	if (!e.path || !e.object || !e.version || !e.options || e.size < 0 ||
	    e.mtime_ns < 0)
		return err_set(err, ERR_IO, "manifest entry %zu is incomplete",
			       m->count + 1);
	if (!manifest_is_path(e.path))
		return err_set(err, ERR_IO, "manifest entry %zu has a path of no file",
			       m->count + 1);
	manifest_add(m, &e);
	return 0;
}

int manifest_parse(const char *text, size_t len, struct manifest *out, struct err *err)
{
	auto_json struct json *root = NULL;
	struct manifest m = { 0 };

	if (json_parse(text, len, &root, err) < 0)
		return err_set(err, ERR_IO, "the manifest is not JSON");
	if (json_int(root, "format", 0) != FORMAT)
		return err_set(err, ERR_IO, "the manifest has another format");
	m.configuration = (uint64_t)json_loose_int(root, "configuration", 0);
	m.first = json_bool(root, "first", false);
	manifest_set_list(&m, json_string(root, "list"));
	for (const struct json *i = json_first(json_get(root, "files")); i;
	     i = json_next(i)) {
		if (manifest_parse_entry(i, &m, err) < 0) {
			manifest_done(&m);
			return -1;
		}
	}
	manifest_sort(&m);
	*out = m;
	return 0;
}

void manifest_done(struct manifest *m)
{
	for (size_t i = 0; i < m->count; i++) {
		free(m->items[i].path);
		free(m->items[i].object);
		free(m->items[i].version);
		free(m->items[i].options);
	}
	free(m->items);
	free(m->by_path);
	free(m->by_object);
	free(m->list);
	*m = (struct manifest){ 0 };
}
