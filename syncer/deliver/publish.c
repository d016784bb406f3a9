#include "deliver/publish.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "deliver/generation.h"
#include "deliver/tree.h"

#define DATA_LINK "..data"

/* A generation that readers may still have open. */
struct retired {
	char name[GENERATION_LEN];
	int64_t remove_at;
};

struct publish {
	char *dir;
	int dir_fd; /* also holds the lock */
	int64_t retain_ms;
	struct generation current;
	uint64_t configuration;
	struct retired *retired;
	size_t retired_count;
};

/* A set on its way; what it has made so far is taken back when it fails. */
struct attempt {
	struct generation generation;
	char link[FILE_TEMP_LEN]; /* "" until it exists */
	char **names;             /* top-level links made for it */
	size_t name_count;
};

/* Says what to change, for the causes that have one. */
static int explain(struct err *err, int cause)
{
	switch (cause) {
	case ENOSPC:
	case EDQUOT:
		return err_hint(err, "the volume is full: raise emptyDir.sizeLimit, it "
				     "must hold the old and the new set");
	case EROFS:
		return err_hint(err, "the volume is mounted read-only: remove readOnly "
				     "from this container's volumeMount");
	case EACCES:
	case EPERM:
		return err_hint(err,
				"uid %u may not write there: give all containers that "
				"write one runAsUser, and the pod an fsGroup",
				(unsigned)geteuid());
	default:
		return -1;
	}
}

const char *publish_generation(const struct publish *p)
{
	return p != NULL && p->current.name[0] ? p->current.name : NULL;
}

int publish_dir_fd(const struct publish *p)
{
	return p->dir_fd;
}

size_t publish_count(const struct publish *p)
{
	return p->current.manifest.count;
}

/* ---- opening ---- */

static int take_lock(const struct publish *p, struct err *err)
{
	if (flock(p->dir_fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		return err_set(err, ERR_UNAVAILABLE,
			       "another process holds '%s': two akvsync containers may "
			       "not write to one volume at a time",
			       p->dir);
	return err_set_errno(err, ERR_IO, "cannot lock '%s'", p->dir);
}

static int check_rights(const struct publish *p, struct err *err)
{
	struct stat dir, data;

	if (faccessat(p->dir_fd, ".", W_OK | X_OK, AT_EACCESS) < 0) {
		err_set_errno(err, ERR_IO, "cannot write to '%s'", p->dir);
		return explain(err, errno);
	}
	if (fstat(p->dir_fd, &dir) < 0 ||
	    fstatat(p->dir_fd, DATA_LINK, &data, AT_SYMLINK_NOFOLLOW) < 0)
		return 0; /* nothing there yet */
	if ((dir.st_mode & S_ISVTX) && geteuid() != 0 && dir.st_uid != geteuid() &&
	    data.st_uid != geteuid())
		return err_set(err, ERR_IO,
			       "the files in '%s' belong to uid %u, but this container "
			       "runs as uid %u and cannot replace them: give init and "
			       "sidecar the same runAsUser",
			       p->dir, (unsigned)data.st_uid, (unsigned)geteuid());
	return 0;
}

static void read_current(struct publish *p)
{
	char target[GENERATION_LEN] = "";

	if (readlinkat(p->dir_fd, DATA_LINK, target, sizeof(target) - 1) > 0 &&
	    generation_is_name(target))
		(void)generation_open(p->dir_fd, target, &p->current);
}

static void retire(struct publish *p, const char *name, int64_t remove_at)
{
	struct retired *r;

	p->retired = xgrow(p->retired, p->retired_count, sizeof(*p->retired));
	r = &p->retired[p->retired_count++];
	snprintf(r->name, sizeof(r->name), "%s", name);
	r->remove_at = remove_at;
}

/* True for a link of ours that leads nowhere: its set was never published, or is gone.
 * Whatever ..data points to decides, also a set that we did not make. */
static bool is_stale_link(const struct publish *p, const char *name)
{
	auto_free char *expected = xasprintf(DATA_LINK "/%s", name);
	size_t len = strlen(expected);
	auto_free char *target = xcalloc(1, len + 2);
	struct stat st;

	if (readlinkat(p->dir_fd, name, target, len + 1) != (ssize_t)len ||
	    strcmp(target, expected) != 0)
		return false;
	return fstatat(p->dir_fd, expected, &st, AT_SYMLINK_NOFOLLOW) < 0 &&
	       errno == ENOENT;
}

static void sweep_entry(struct publish *p, const char *name, int64_t now)
{
	auto_free char *manifest = NULL;

	if (text_starts(name, FILE_TEMP_PREFIX)) {
		tree_remove(p->dir_fd, name);
	} else if (generation_is_name(name)) {
		if (strcmp(name, p->current.name) == 0)
			return;
		manifest = xasprintf("%s/" MANIFEST_NAME, name);
		if (faccessat(p->dir_fd, manifest, F_OK, 0) == 0)
			retire(p, name, now + p->retain_ms);
		else
			tree_remove(p->dir_fd, name);
	} else if (is_stale_link(p, name)) {
		(void)unlinkat(p->dir_fd, name, 0);
	}
}

/* What an earlier process left: half-made sets, temporary names, links to nowhere. */
static void sweep(struct publish *p, int64_t now)
{
	int fd = openat(p->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct dirent *entry;
	DIR *dir;

	if (fd < 0)
		return;
	dir = fdopendir(fd);
	if (dir == NULL) {
		close(fd);
		return;
	}
	while ((entry = readdir(dir)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			sweep_entry(p, entry->d_name, now);
	closedir(dir);
}

static int open_directory(struct publish *p, struct err *err)
{
	p->dir_fd = open(p->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->dir_fd >= 0)
		return 0;
	if (errno == ENOENT)
		return err_set(err, ERR_IO,
			       "directory '%s' does not exist: mount an emptyDir with "
			       "medium: Memory there, or set AKVSYNC_DIR",
			       p->dir);
	err_set_errno(err, ERR_IO, "cannot open directory '%s'", p->dir);
	return explain(err, errno);
}

int publish_open(struct publish **out, const char *dir, int64_t retain_ms, int64_t now,
		 struct err *err)
{
	struct publish *p = xcalloc(1, sizeof(*p));

	p->dir = xstrdup(dir);
	p->dir_fd = -1;
	p->current = GENERATION_NONE;
	p->retain_ms = retain_ms;
	if (open_directory(p, err) < 0 || take_lock(p, err) < 0 ||
	    check_rights(p, err) < 0) {
		publish_close(p);
		return -1;
	}
	read_current(p);
	sweep(p, now);
	*out = p;
	return 0;
}

void publish_close(struct publish *p)
{
	if (p == NULL)
		return;
	generation_close(&p->current);
	if (p->dir_fd >= 0)
		close(p->dir_fd);
	free(p->retired);
	free(p->dir);
	free(p);
}

/* ---- what is there ---- */

const struct manifest_entry *publish_at(const struct publish *p, const char *path)
{
	return p ? generation_find(&p->current, path) : NULL;
}

bool publish_has(const struct publish *p, const char *path, const char *object,
		 const char *options, mode_t mode, const char **version)
{
	const struct manifest_entry *e = publish_at(p, path);

	if (e == NULL || strcmp(e->object, object) != 0 ||
	    strcmp(e->options, options) != 0 || e->mode != mode)
		return false;
	if (version != NULL)
		*version = e->version;
	return true;
}

const struct manifest_entry *publish_entry(const struct publish *p, size_t i)
{
	return p != NULL && i < p->current.manifest.count ? &p->current.manifest.items[i]
							  : NULL;
}

void publish_configure(struct publish *p, uint64_t configuration)
{
	p->configuration = configuration;
}

bool publish_fits(const struct publish *p)
{
	const struct manifest *m = &p->current.manifest;

	if (m->count == 0 || m->configuration != p->configuration)
		return false;
	for (size_t i = 0; i < m->count; i++)
		if (generation_find(&p->current, m->items[i].path) == NULL)
			return false;
	return true;
}

/* ---- publishing ---- */

/* DIR/name -> ..data/name, unless it is there already. */
static int make_name(const struct publish *p, struct attempt *a, const char *name,
		     struct err *err)
{
	auto_free char *target = xasprintf(DATA_LINK "/%s", name);
	size_t len = strlen(target);
	auto_free char *found = xcalloc(1, len + 2);

	if (symlinkat(target, p->dir_fd, name) == 0) {
		a->names = xgrow(a->names, a->name_count, sizeof(*a->names));
		a->names[a->name_count++] = xstrdup(name);
		return 0;
	}
	if (errno != EEXIST)
		return err_set_errno(err, ERR_IO, "cannot make link '%s'", name);
	if (readlinkat(p->dir_fd, name, found, len + 1) == (ssize_t)len &&
	    strcmp(found, target) == 0)
		return 0;
	errno = 0;
	return err_set(err, ERR_IO,
		       "'%s/%s' is in the way: it is not a link that akvsync made; "
		       "remove it or give the object another path",
		       p->dir, name);
}

static int make_names(const struct publish *p, struct attempt *a, struct err *err)
{
	const struct manifest *m = &a->generation.manifest;

	for (size_t i = 0; i < m->count; i++) {
		const char *path = m->items[i].path;
		auto_free char *name = xstrndup(path, strcspn(path, "/"));

		if (make_name(p, a, name, err) < 0)
			return -1;
	}
	return 0;
}

static int swap(const struct publish *p, struct attempt *a, struct err *err)
{
	struct stat st;

	if (fstatat(p->dir_fd, DATA_LINK, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    !S_ISLNK(st.st_mode)) {
		errno = 0;
		return err_set(err, ERR_IO,
			       "'%s/" DATA_LINK
			       "' is in the way: it is not a link; remove it",
			       p->dir);
	}
	file_temp_name(a->link);
	if (symlinkat(a->generation.name, p->dir_fd, a->link) < 0)
		return err_set_errno(err, ERR_IO, "cannot make link '%s'", a->link);
	if (renameat(p->dir_fd, a->link, p->dir_fd, DATA_LINK) < 0)
		return err_set_errno(err, ERR_IO, "cannot replace '%s/" DATA_LINK "'",
				     p->dir);
	return 0;
}

static int build(const struct publish *p, struct attempt *a,
		 const struct publish_file *files, size_t count, struct err *err)
{
	if (generation_make(p->dir_fd, &p->current, p->configuration, files, count,
			    &a->generation, err) < 0 ||
	    make_names(p, a, err) < 0)
		return -1;
	return swap(p, a, err);
}

static void attempt_done(struct attempt *a)
{
	for (size_t i = 0; i < a->name_count; i++)
		free(a->names[i]);
	free(a->names);
}

static void take_back(const struct publish *p, struct attempt *a)
{
	for (size_t i = 0; i < a->name_count; i++)
		(void)unlinkat(p->dir_fd, a->names[i], 0);
	if (a->link[0])
		(void)unlinkat(p->dir_fd, a->link, 0);
	generation_remove(p->dir_fd, &a->generation);
}

/* Links to names that the new set no longer has. */
static void remove_stale_names(const struct publish *p, const struct manifest *old)
{
	for (size_t i = 0; i < old->count; i++) {
		const char *path = old->items[i].path;
		auto_free char *name = xstrndup(path, strcspn(path, "/"));

		if (is_stale_link(p, name))
			(void)unlinkat(p->dir_fd, name, 0);
	}
}

static void adopt(struct publish *p, struct attempt *a, int64_t now)
{
	struct generation old = p->current;

	/* Readers see the new set; that it reaches a disk is a bonus. */
	(void)fsync(p->dir_fd);
	if (old.name[0])
		retire(p, old.name, now + p->retain_ms);
	p->current = a->generation;
	remove_stale_names(p, &old.manifest);
	generation_close(&old);
}

int publish_set(struct publish *p, const struct publish_file *files, size_t count,
		int64_t now, struct err *err)
{
	struct attempt a = { .generation = GENERATION_NONE };
	int result = build(p, &a, files, count, err);

	if (result == 0) {
		adopt(p, &a, now);
	} else {
		int cause = errno;

		err_wrap(err, "cannot publish to '%s'", p->dir);
		explain(err, cause);
		take_back(p, &a);
	}
	attempt_done(&a);
	return result;
}

/* ---- later ---- */

int64_t publish_deadline(const struct publish *p)
{
	int64_t soonest = CLOCK_NEVER;

	for (size_t i = 0; i < p->retired_count; i++)
		soonest = clock_sooner(soonest, p->retired[i].remove_at);
	return soonest;
}

void publish_run(struct publish *p, int64_t now)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->retired_count; i++) {
		if (now < p->retired[i].remove_at)
			p->retired[kept++] = p->retired[i];
		else
			tree_remove(p->dir_fd, p->retired[i].name);
	}
	p->retired_count = kept;
}

const char *publish_advice(const struct publish *p, size_t i)
{
	const char *advice[2];
	size_t count = 0;
	struct statfs fs;
	struct stat st;

	if (fstatfs(p->dir_fd, &fs) == 0 && fs.f_type != TMPFS_MAGIC &&
	    fs.f_type != RAMFS_MAGIC)
		advice[count++] = "AKVSYNC_DIR is not on a tmpfs: secrets will reach a "
				  "disk; use an emptyDir with medium: Memory";
	if (fstat(p->dir_fd, &st) == 0 && !(st.st_mode & S_ISGID) &&
	    !(st.st_mode & S_IXOTH))
		advice[count++] = "only this container's user may enter AKVSYNC_DIR; set "
				  "fsGroup, so that the app's group may read the files";
	return i < count ? advice[i] : NULL;
}
