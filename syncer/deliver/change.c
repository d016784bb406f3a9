#include "deliver/change.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/file.h"
#include "base/mem.h"
#include "deliver/tree.h"

#define COPY_MAX (16 * 1024 * 1024)

/* ---- finding them ---- */

/* True when memory or descriptors are short, so that the next try may succeed. */
static bool is_shortage(int cause)
{
	return cause == ENOMEM || cause == ENFILE || cause == EMFILE;
}

/* Whether the current file has the new bytes already.  A file that cannot be read is made
 * anew, since its readers cannot read it either. */
static int compare(const struct generation *current, const struct publish_file *f,
		   bool *same, struct err *err)
{
	if (file_compare(current->fd, f->path, f->data, f->len, same, err) == 0)
		return 0;
	if (is_shortage(errno))
		return -1;
	*same = false;
	return 0;
}

/* A file with new bytes, over a current one. */
static int judge_data(const struct generation *current, const struct publish_file *f,
		      const struct stat *st, bool found, struct manifest_entry *next,
		      enum change *kind, struct err *err)
{
	bool same =
		found && (st->st_mode & 07777) == f->mode && st->st_size == (off_t)f->len;

	if (same && compare(current, f, &same, err) < 0)
		return -1;
	*kind = same ? CHANGE_CARRY : CHANGE_WRITE;
	if (same) {
		next->size = st->st_size;
		next->mtime_ns = generation_mtime(st);
	}
	return 0;
}

/* A file that is carried forward. */
static int judge_kept(const struct manifest_entry *old, const struct publish_file *f,
		      enum publish_state state, struct manifest_entry *next,
		      enum change *kind, struct err *err)
{
	if (!f->as_is && (state != PUBLISH_INTACT || old->mode != f->mode)) {
		errno = 0;
		return err_set(err, ERR_IO,
			       "file '%s' was changed or removed by another program",
			       f->path);
	}
	*kind = state == PUBLISH_MISSING ? CHANGE_NONE : CHANGE_CARRY;
	next->mode = old->mode;
	next->size = old->size;
	next->mtime_ns = old->mtime_ns;
	return 0;
}

static int judge(struct changes *c, const struct generation *current,
		 const struct publish_file *f, struct err *err)
{
	const struct manifest_entry *old = manifest_find(&current->manifest, f->path);
	size_t i = c->manifest.count;
	struct manifest_entry next = {
		.path = (char *)f->path,
		.object = (char *)f->object,
		.version = (char *)f->version,
		.options = (char *)f->options,
		.mode = f->mode,
	};
	struct stat st;
	bool found = false;

	c->kinds[i] = CHANGE_WRITE;
	c->states[i] = PUBLISH_INTACT;
	if (old == NULL && f->data == NULL) {
		errno = 0;
		return err_set(err, ERR_IO, "file '%s' is not part of the current set",
			       f->path);
	}
	if (old != NULL && generation_stat(current, f->path, &st, &found, err) < 0)
		return -1;
	if (old != NULL && f->data != NULL &&
	    judge_data(current, f, &st, found, &next, &c->kinds[i], err) < 0)
		return -1;
	if (f->data == NULL) {
		c->states[i] = generation_state(old, found ? &st : NULL);
		if (judge_kept(old, f, c->states[i], &next, &c->kinds[i], err) < 0)
			return -1;
	}
	if (c->kinds[i] == CHANGE_WRITE)
		paths_add(&c->changed, f->path);
	manifest_add(&c->manifest, &next);
	return 0;
}

int changes_find(struct changes *out, const struct generation *current,
		 const struct publish_set *set, struct err *err)
{
	const struct manifest *old = &current->manifest;

	*out = (struct changes){
		.manifest.configuration = set->configuration,
		.manifest.first = current->manifest.first,
		.kinds = xcalloc(set->count, sizeof(*out->kinds)),
		.states = xcalloc(set->count, sizeof(*out->states)),
	};
	manifest_set_list(&out->manifest, set->list);
	for (size_t i = 0; i < set->count; i++)
		if (judge(out, current, &set->files[i], err) < 0)
			return -1;
	manifest_sort(&out->manifest);
	for (size_t i = 0; i < old->count; i++)
		if (manifest_find(&out->manifest, old->items[i].path) == NULL)
			paths_add(&out->changed, old->items[i].path);
	return 0;
}

void changes_done(struct changes *c)
{
	manifest_done(&c->manifest);
	paths_done(&c->changed);
	free(c->kinds);
	free(c->states);
	*c = (struct changes){ 0 };
}

/* ---- making the generation ---- */

static int copy_file(const struct generation *from, const struct generation *to,
		     const char *path, mode_t mode, struct err *err)
{
	auto_buf struct buf bytes = BUF_INIT(COPY_MAX);

	if (file_read(from->fd, path, &bytes, err) < 0)
		return -1;
	return file_create(to->fd, path, mode, buf_str(&bytes), bytes.len, err);
}

/* A link of the same file, in the directories of both sets that hold it. */
static int link_file(const struct generation *from, const struct generation *to,
		     const char *path)
{
	const char *name;
	auto_close int from_fd = beneath_parent(from->fd, path, &name);
	auto_close int to_fd = from_fd < 0 ? -1 : beneath_parent(to->fd, path, &name);

	return to_fd < 0 ? -1 : linkat(from_fd, name, to_fd, name, 0);
}

static int carry_forward(const struct generation *from, const struct generation *to,
			 const char *path, bool *copied, struct err *err)
{
	struct stat st;

	if (beneath_stat(from->fd, path, &st) < 0)
		return err_set_errno(err, ERR_IO, "cannot look at '%s'", path);
	if (!S_ISREG(st.st_mode)) { /* it was, a moment ago */
		errno = 0;
		return err_set(err, ERR_IO, "'%s' is no regular file any more", path);
	}
	*copied = false;
	/* A file of another uid must not be linked or kept as it is. */
	if (st.st_uid == geteuid()) {
		if (link_file(from, to, path) == 0)
			return 0;
		/* The kernel's protected_hardlinks, too many links, or a volume that has
		 * no hard links. */
		if (errno != EPERM && errno != EMLINK && errno != EXDEV &&
		    errno != EOPNOTSUPP)
			return err_set_errno(err, ERR_IO, "cannot link '%s'", path);
	}
	*copied = true;
	return copy_file(from, to, path, st.st_mode & 07777, err);
}

/* The size and time of a file that was just made go into the manifest. */
static int note_made(const struct generation *to, struct manifest_entry *e,
		     struct err *err)
{
	struct stat st;

	if (beneath_stat(to->fd, e->path, &st) < 0)
		return err_set_errno(err, ERR_IO, "cannot look at '%s'", e->path);
	e->size = st.st_size;
	e->mtime_ns = generation_mtime(&st);
	return 0;
}

static int make_file(struct changes *c, size_t i, const struct generation *from,
		     const struct generation *to, const struct publish_file *f,
		     struct err *err)
{
	struct manifest_entry *e = &c->manifest.items[i];
	bool copied = false;

	if (c->kinds[i] == CHANGE_NONE)
		return 0;
	if (tree_make_parents(to->fd, f->path, err) < 0)
		return -1;
	if (c->kinds[i] == CHANGE_WRITE) {
		if (file_create(to->fd, f->path, f->mode, f->data, f->len, err) < 0)
			return -1;
		return note_made(to, e, err);
	}
	if (carry_forward(from, to, f->path, &copied, err) < 0)
		return -1;
	/* A copy has a time of its own.  Of an altered file the published one stays in
	 * the manifest, so that it is still seen to be altered. */
	return copied && c->states[i] == PUBLISH_INTACT ? note_made(to, e, err) : 0;
}

int changes_make(struct changes *c, int dir_fd, const struct generation *current,
		 const struct publish_set *set, struct generation *out, struct err *err)
{
	if (generation_create(dir_fd, out, err) < 0)
		return -1;
	c->manifest.first = current->name[0] == '\0';
	for (size_t i = 0; i < set->count; i++)
		if (make_file(c, i, current, out, &set->files[i], err) < 0)
			return -1;
	for (size_t i = 0; i < set->count; i++)
		if (c->kinds[i] != CHANGE_NONE &&
		    tree_flush_parents(out->fd, set->files[i].path, err) < 0)
			return -1;
	return generation_complete(out, &c->manifest, &c->states, err);
}
