#include "deliver/generation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "deliver/tree.h"

#define MANIFEST_MODE 0400
#define GENERATION_SHAPE "..dddd_dd_dd_dd_dd_dd.ddddddddd"
#define TIME_FORMAT "..%Y_%m_%d_%H_%M_%S" /* what it begins with */

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
	n = strftime(out, GENERATION_LEN, TIME_FORMAT, &tm);
	snprintf(out + n, GENERATION_LEN - n, ".%09u", number % 1000000000U);
}

int64_t generation_made_ms(const char *name)
{
	return generation_is_name(name) ? clock_read(name, TIME_FORMAT) : 0;
}

/* Reads the manifest.  None, or one that cannot be understood, is not known. */
static int read_manifest(struct generation *g, struct err *err)
{
	auto_buf struct buf text = BUF_INIT(MANIFEST_MAX_BYTES);
	struct err ignored;

	if (file_read(g->fd, MANIFEST_NAME, &text, err) < 0)
		return errno == ENOENT || file_is_foreign(g->fd, MANIFEST_NAME, errno)
			       ? 0
			       : -1;
	g->known = manifest_parse(buf_str(&text), text.len, &g->manifest, &ignored) == 0;
	return 0;
}

int generation_open(int dir_fd, const char *name, struct generation *out, struct err *err)
{
	struct generation g = GENERATION_NONE;

	*out = g;
	g.fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (g.fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (g.fd < 0)
		return err_set_errno(err, ERR_IO, "cannot open '%s'", name);
	snprintf(g.name, sizeof(g.name), "%s", name);
	if (read_manifest(&g, err) < 0 || generation_look(&g, dir_fd, err) < 0) {
		generation_close(&g);
		return err_wrap(err, "'%s'", name);
	}
	*out = g;
	return 0;
}

void generation_close(struct generation *g)
{
	if (g->fd >= 0)
		close(g->fd);
	manifest_done(&g->manifest);
	free(g->states);
	*g = GENERATION_NONE;
}

/* ---- its files ---- */

int64_t generation_mtime(const struct stat *st)
{
	return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

int generation_stat(const struct generation *g, const char *path, struct stat *st,
		    bool *found, struct err *err)
{
	if (beneath_stat(g->fd, path, st) == 0) {
		*found = S_ISREG(st->st_mode);
		return 0;
	}
	/* ENOTDIR, ELOOP: something else is in the place of a parent directory. */
	if (errno != ENOENT && errno != ENOTDIR && errno != ELOOP)
		return err_set_errno(err, ERR_IO, "cannot look at '%s'", path);
	*found = false;
	return 0;
}

/* True when memory or descriptors are short, so that the next try may succeed. */
static bool is_shortage(int cause)
{
	return cause == ENOMEM || cause == ENFILE || cause == EMFILE;
}

int generation_has(const struct generation *g, const char *path, mode_t mode,
		   const void *data, size_t len, struct stat *st, bool *has,
		   struct err *err)
{
	bool found = false;

	*has = false;
	if (manifest_find(&g->manifest, path) == NULL)
		return 0;
	if (generation_stat(g, path, st, &found, err) < 0)
		return -1;
	if (!found || (st->st_mode & 07777) != mode || st->st_size != (off_t)len ||
	    file_compare(g->fd, path, data, len, has, err) == 0)
		return 0;
	*has = false;
	return is_shortage(errno) ? -1 : 0;
}

enum publish_state generation_state(const struct manifest_entry *e, const struct stat *st)
{
	if (st == NULL)
		return PUBLISH_MISSING;
	if ((st->st_mode & 07777) != e->mode || st->st_size != e->size ||
	    generation_mtime(st) != e->mtime_ns)
		return PUBLISH_ALTERED;
	return PUBLISH_INTACT;
}

/* Whether readers that follow its name come to it. */
static int is_in_place(const struct generation *g, int dir_fd, bool *is, struct err *err)
{
	struct stat own, named;

	*is = false;
	if (g->fd < 0)
		return 0;
	if (fstatat(dir_fd, g->name, &named, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fstat(g->fd, &own) < 0)
		return errno == ENOENT ? 0
				       : err_set_errno(err, ERR_IO,
						       "cannot look at its directory");
	*is = own.st_dev == named.st_dev && own.st_ino == named.st_ino;
	return 0;
}

int generation_look(struct generation *g, int dir_fd, struct err *err)
{
	const struct manifest *m = &g->manifest;
	auto_free enum publish_state *states = xcalloc(m->count, sizeof(*states));
	bool in_place = false;

	if (is_in_place(g, dir_fd, &in_place, err) < 0)
		return -1;
	for (size_t i = 0; i < m->count; i++) {
		struct stat st;
		bool found = false;

		if (in_place &&
		    generation_stat(g, m->items[i].path, &st, &found, err) < 0)
			return -1;
		states[i] = generation_state(&m->items[i], found ? &st : NULL);
	}
	free(g->states);
	g->states = states;
	states = NULL;
	g->astray = !in_place;
	return 0;
}

/* ---- a new one ---- */

int generation_create(int dir_fd, struct generation *out, struct err *err)
{
	bool made = false;

	*out = GENERATION_NONE;
	for (int tries = 0; tries < 8; tries++) {
		new_name(out->name);
		made = tree_mkdir(dir_fd, out->name, err) == 0;
		if (made || errno != EEXIST)
			break;
		out->name[0] = '\0';
	}
	/* The name is another one at each try, and would make each a failure of its own.
	 */
	if (!made)
		return err_set_errno(err, ERR_IO, "cannot make the directory of a set");
	out->fd = openat(dir_fd, out->name,
			 O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (out->fd < 0)
		return err_set_errno(err, ERR_IO, "cannot open the directory of a set");
	return 0;
}

static void take_over(struct generation *g, struct manifest *manifest,
		      enum publish_state **states)
{
	manifest_done(&g->manifest);
	free(g->states);
	g->manifest = *manifest;
	g->states = *states;
	g->known = true;
	*manifest = (struct manifest){ 0 };
	*states = NULL;
}

int generation_complete(struct generation *g, struct manifest *manifest,
			enum publish_state **states, struct err *err)
{
	auto_buf struct buf text = BUF_INIT(MANIFEST_MAX_BYTES);

	manifest_write(manifest, &text);
	if (file_create(g->fd, MANIFEST_NAME, MANIFEST_MODE, buf_str(&text), text.len,
			err) < 0)
		return -1;
	if (fsync(g->fd) < 0)
		return err_set_errno(err, ERR_IO, "cannot flush the directory of a set");
	take_over(g, manifest, states);
	return 0;
}

int generation_revise(struct generation *g, struct manifest *manifest,
		      enum publish_state **states, struct err *err)
{
	auto_buf struct buf text = BUF_INIT(MANIFEST_MAX_BYTES);

	if (!manifest_equal(manifest, &g->manifest)) {
		manifest_write(manifest, &text);
		if (file_replace(g->fd, MANIFEST_NAME, MANIFEST_MODE, buf_str(&text),
				 text.len, err) < 0)
			return -1;
	}
	take_over(g, manifest, states);
	return 0;
}

bool generation_remove(int dir_fd, struct generation *g, char name[static GENERATION_LEN])
{
	memcpy(name, g->name, GENERATION_LEN);
	generation_close(g);
	return name[0] == '\0' || tree_remove(dir_fd, name);
}
