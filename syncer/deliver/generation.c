#include "deliver/generation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "deliver/tree.h"

#define GENERATION_SHAPE "..dddd_dd_dd_dd_dd_dd.ddddddddd"
#define COPY_MAX (16 * 1024 * 1024)

bool generation_is_name(const char *name)
{
	const char *shape = GENERATION_SHAPE;

	for (; *shape && *name; shape++, name++)
		if (*shape == 'd' ? *name < '0' || *name > '9' : *name != *shape)
			return false;
	return *shape == *name;
}

static void new_name(char out[static GENERATION_LEN])
{
	time_t now = (time_t)(clock_wall_ms() / 1000);
	unsigned number = 0;
	struct tm tm;
	size_t n;

	(void)!getrandom(&number, sizeof(number), 0);
	gmtime_r(&now, &tm);
	n = strftime(out, GENERATION_LEN, "..%Y_%m_%d_%H_%M_%S", &tm);
	snprintf(out + n, GENERATION_LEN - n, ".%09u", number % 1000000000U);
}

bool generation_open(int dir_fd, const char *name, struct generation *out)
{
	auto_buf struct buf text = BUF_INIT(MANIFEST_MAX_BYTES);
	struct generation g = GENERATION_NONE;
	struct err ignored;

	g.fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (g.fd < 0)
		return false;
	if (file_read(g.fd, MANIFEST_NAME, &text, &ignored) < 0 ||
	    manifest_parse(buf_str(&text), text.len, &g.manifest, &ignored) < 0)
		g.manifest = (struct manifest){ 0 };
	snprintf(g.name, sizeof(g.name), "%s", name);
	*out = g;
	return true;
}

void generation_close(struct generation *g)
{
	if (g->fd >= 0)
		close(g->fd);
	manifest_done(&g->manifest);
	*g = GENERATION_NONE;
}

static int64_t mtime_of(const struct stat *st)
{
	return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

/* Fills *st, too. */
static const struct manifest_entry *find(const struct generation *g, const char *path,
					 struct stat *st)
{
	const struct manifest_entry *e = manifest_find(&g->manifest, path);

	if (e == NULL || g->fd < 0 ||
	    fstatat(g->fd, e->path, st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISREG(st->st_mode) || (st->st_mode & 07777) != e->mode ||
	    st->st_size != e->size || mtime_of(st) != e->mtime_ns)
		return NULL;
	return e;
}

const struct manifest_entry *generation_find(const struct generation *g, const char *path)
{
	struct stat st;

	return find(g, path, &st);
}

static int copy_file(const struct generation *old, const struct generation *g,
		     const struct manifest_entry *e, struct err *err)
{
	auto_buf struct buf bytes = BUF_INIT(COPY_MAX);

	if (file_read(old->fd, e->path, &bytes, err) < 0)
		return -1;
	return file_create(g->fd, e->path, e->mode, buf_str(&bytes), bytes.len, err);
}

static int carry_forward(const struct generation *old, const struct generation *g,
			 const struct publish_file *f, struct err *err)
{
	struct stat st;
	const struct manifest_entry *e = find(old, f->path, &st);

	if (e == NULL || e->mode != f->mode) {
		errno = 0;
		return err_set(err, ERR_IO,
			       "file '%s' was changed or removed by another program",
			       f->path);
	}
	/* A file of another uid is not ours to link, nor to keep as it is. */
	if (st.st_uid != geteuid())
		return copy_file(old, g, e, err);
	if (linkat(old->fd, e->path, g->fd, e->path, 0) == 0)
		return 0;
	/* protected_hardlinks, too many links, an odd volume. */
	if (errno != EPERM && errno != EMLINK && errno != EXDEV && errno != EOPNOTSUPP)
		return err_set_errno(err, ERR_IO, "cannot link '%s'", f->path);
	return copy_file(old, g, e, err);
}

static int add_file(const struct generation *old, struct generation *g,
		    const struct publish_file *f, struct err *err)
{
	struct stat st;
	int made;

	if (tree_make_parents(g->fd, f->path, err) < 0)
		return -1;
	made = f->data ? file_create(g->fd, f->path, f->mode, f->data, f->len, err)
		       : carry_forward(old, g, f, err);
	if (made < 0)
		return -1;
	if (fstatat(g->fd, f->path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_set_errno(err, ERR_IO, "cannot look at '%s'", f->path);
	manifest_add(&g->manifest, &(struct manifest_entry){
					   .path = (char *)f->path,
					   .object = (char *)f->object,
					   .version = (char *)f->version,
					   .options = (char *)f->options,
					   .mode = f->mode,
					   .size = st.st_size,
					   .mtime_ns = mtime_of(&st),
				   });
	return 0;
}

static int make_directory(int dir_fd, struct generation *g, struct err *err)
{
	for (int tries = 0; tries < 8; tries++) {
		new_name(g->name);
		if (tree_mkdir(dir_fd, g->name, err) == 0)
			break;
		if (errno != EEXIST)
			return -1;
		g->name[0] = '\0';
	}
	if (g->name[0] == '\0')
		return -1;
	g->fd = openat(dir_fd, g->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (g->fd < 0)
		return err_set_errno(err, ERR_IO, "cannot open '%s'", g->name);
	return 0;
}

static int write_manifest(const struct generation *g, struct err *err)
{
	auto_buf struct buf text = BUF_INIT(MANIFEST_MAX_BYTES);

	manifest_write(&g->manifest, &text);
	if (file_create(g->fd, MANIFEST_NAME, 0400, buf_str(&text), text.len, err) < 0)
		return -1;
	if (fsync(g->fd) < 0)
		return err_set_errno(err, ERR_IO, "cannot flush '%s'", g->name);
	return 0;
}

int generation_make(int dir_fd, const struct generation *old, uint64_t configuration,
		    const struct publish_file *files, size_t count,
		    struct generation *out, struct err *err)
{
	*out = GENERATION_NONE;
	out->manifest.configuration = configuration;
	if (make_directory(dir_fd, out, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (add_file(old, out, &files[i], err) < 0)
			return -1;
	return write_manifest(out, err);
}

void generation_remove(int dir_fd, struct generation *g)
{
	char name[GENERATION_LEN];

	memcpy(name, g->name, sizeof(name));
	generation_close(g);
	if (name[0])
		tree_remove(dir_fd, name);
}
