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

static int change_refuse(const char *path, struct err *err)
{
	errno = 0;
	return err_set(err, ERR_IO, "file '%s' was changed or removed by another program",
		       path);
}

/* The current file stays as it is now. */
static void judge_same(const struct stat *st, struct manifest_entry *next,
		       enum change *kind)
{
	*kind = CHANGE_CARRY;
	next->size = st->st_size;
	next->mtime_ns = generation_mtime(st);
}

/* A file with new bytes, perhaps over a current one. */
static int judge_data(const struct generation *current, const struct publish_file *f,
		      struct manifest_entry *next, enum change *kind, struct err *err)
{
	struct stat st;
	bool same;

	if (generation_has(current, f->path, f->mode, f->data, f->len, &st, &same, err) <
	    0)
		return -1;
	if (same)
		judge_same(&st, next, kind);
	return 0;
}

/* A file whose bytes the current one had a moment ago. */
static int judge_compared(const struct generation *current, const struct publish_file *f,
			  struct manifest_entry *next, enum change *kind, struct err *err)
{
	struct stat st;
	bool found;

	if (generation_stat(current, f->path, &st, &found, err) < 0)
		return -1;
	if (!found || !staged_is(&f->staged, &st) || (st.st_mode & 07777) != f->mode)
		return change_refuse(f->path, err);
	judge_same(&st, next, kind);
	return 0;
}

/* A file that is carried forward. */
static int judge_kept(const struct generation *current, const struct publish_file *f,
		      struct manifest_entry *next, enum change *kind,
		      enum publish_state *state, struct err *err)
{
	const struct manifest_entry *old = manifest_find(&current->manifest, f->path);
	struct stat st;
	bool found;

	if (old == NULL) {
		errno = 0;
		return err_set(err, ERR_IO, "file '%s' is not part of the current set",
			       f->path);
	}
	if (generation_stat(current, f->path, &st, &found, err) < 0)
		return -1;
	*state = generation_state(old, found ? &st : NULL);
	if (!f->as_is && (*state != PUBLISH_INTACT || old->mode != f->mode))
		return change_refuse(f->path, err);
	*kind = *state == PUBLISH_MISSING ? CHANGE_NONE : CHANGE_CARRY;
	next->mode = old->mode;
	next->size = old->size;
	next->mtime_ns = old->mtime_ns;
	return 0;
}

static int judge(struct changes *c, const struct generation *current,
		 const struct publish_file *f, struct err *err)
{
	size_t i = c->manifest.count;
	struct manifest_entry next = {
		.path = (char *)f->path,
		.object = (char *)f->object,
		.version = (char *)f->version,
		.options = (char *)f->options,
		.mode = f->mode,
	};
	int result = 0;

	c->kinds[i] = CHANGE_WRITE;
	c->states[i] = PUBLISH_INTACT;
	if (f->data != NULL)
		result = judge_data(current, f, &next, &c->kinds[i], err);
	else if (f->staged.state == STAGED_SAME)
		result = judge_compared(current, f, &next, &c->kinds[i], err);
	else if (f->staged.state == STAGED_NOT)
		result = judge_kept(current, f, &next, &c->kinds[i], &c->states[i], err);
	if (result < 0)
		return -1;
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

int changes_allow_stay(const struct changes *c, const struct generation *current,
		       bool *stays, struct err *err)
{
	struct stat st;

	*stays = current->known && !current->astray && c->changed.count == 0;
	if (!*stays || manifest_equal(&c->manifest, &current->manifest))
		return 0;
	if (fstat(current->fd, &st) < 0)
		return err_set_errno(err, ERR_IO, "cannot look at the current set");
	*stays = st.st_uid == geteuid();
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

/* A file below one directory that is to be in another one, by the same or another name.
 */
struct transfer {
	int from_fd, to_fd;
	const char *from, *to;
	bool copied; /* else it is linked */
};

static int transfer_copy(const struct transfer *t, mode_t mode, struct err *err)
{
	auto_buf struct buf bytes = BUF_INIT(COPY_MAX);

	if (file_read(t->from_fd, t->from, &bytes, err) < 0)
		return err_set_errno(err, ERR_IO, "cannot read '%s'", t->to);
	return file_create(t->to_fd, t->to, mode, buf_str(&bytes), bytes.len, err);
}

/* In the two directories that hold the names themselves. */
static int transfer_link(const struct transfer *t)
{
	const char *from, *to;
	auto_close int from_fd = beneath_parent(t->from_fd, t->from, &from);
	auto_close int to_fd = from_fd < 0 ? -1 : beneath_parent(t->to_fd, t->to, &to);

	return to_fd < 0 ? -1 : linkat(from_fd, from, to_fd, to, 0);
}

/* staged: what it must be; NULL: any file. */
static int transfer_run(struct transfer *t, const struct staged *staged, struct err *err)
{
	struct stat st;

	if (beneath_stat(t->from_fd, t->from, &st) < 0)
		return err_set_errno(err, ERR_IO, "cannot look at '%s'", t->to);
	if (staged != NULL && !staged_is(staged, &st))
		return change_refuse(t->to, err);
	if (!S_ISREG(st.st_mode)) { /* it was, a moment ago */
		errno = 0;
		return err_set(err, ERR_IO, "'%s' is no regular file any more", t->to);
	}
	/* A file of another uid must not be linked or kept as it is. */
	if (st.st_uid == geteuid()) {
		if (transfer_link(t) == 0)
			return 0;
		/* The kernel's protected_hardlinks, too many links, or a volume that has
		 * no hard links. */
		if (errno != EPERM && errno != EMLINK && errno != EXDEV &&
		    errno != EOPNOTSUPP)
			return err_set_errno(err, ERR_IO, "cannot link '%s'", t->to);
	}
	t->copied = true;
	return transfer_copy(t, st.st_mode & 07777, err);
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

static int make_staged(const struct staging *staging, const struct generation *to,
		       const struct publish_file *f, struct err *err)
{
	char name[STAGING_FILE_LEN];
	struct transfer t = { staging->fd, to->fd, name, f->path, false };

	staging_file(&f->staged, name);
	if (transfer_run(&t, &f->staged, err) < 0)
		return -1;
	/* Not both: the volume may have room for two sets only. */
	if (t.copied)
		(void)unlinkat(staging->fd, name, 0);
	return 0;
}

/* What is made for a set. */
struct making {
	struct changes *changes;
	const struct generation *from, *to;
	const struct staging *staging;
};

static int make_file(const struct making *m, size_t i, const struct publish_file *f,
		     struct err *err)
{
	struct manifest_entry *e = &m->changes->manifest.items[i];
	struct transfer t = { m->from->fd, m->to->fd, f->path, f->path, false };
	enum change kind = m->changes->kinds[i];
	int result;

	if (kind == CHANGE_NONE)
		return 0;
	if (tree_make_parents(m->to->fd, f->path, err) < 0)
		return -1;
	if (kind == CHANGE_CARRY)
		result = transfer_run(&t, NULL, err);
	else if (f->data != NULL)
		result = file_create(m->to->fd, f->path, f->mode, f->data, f->len, err);
	else
		result = make_staged(m->staging, m->to, f, err);
	if (result < 0)
		return -1;
	/* A copy has a time of its own.  Of an altered file the published one stays in
	 * the manifest, so that it is still seen to be altered. */
	if (kind == CHANGE_WRITE || (t.copied && m->changes->states[i] == PUBLISH_INTACT))
		return note_made(m->to, e, err);
	return 0;
}

int changes_make(struct changes *c, int dir_fd, const struct generation *current,
		 const struct staging *staging, const struct publish_set *set,
		 struct generation *out, struct err *err)
{
	const struct making making = { c, current, out, staging };

	if (generation_create(dir_fd, out, err) < 0)
		return -1;
	c->manifest.first = current->name[0] == '\0';
	for (size_t i = 0; i < set->count; i++)
		if (make_file(&making, i, &set->files[i], err) < 0)
			return -1;
	for (size_t i = 0; i < set->count; i++)
		if (c->kinds[i] != CHANGE_NONE &&
		    tree_flush_parents(out->fd, set->files[i].path, err) < 0)
			return -1;
	return generation_complete(out, &c->manifest, &c->states, err);
}
