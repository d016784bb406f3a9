#include "deliver/env_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

/* A path in its two parts, and the name of the file while it is written: one name for
 * each, so that what a crash leaves behind is found by the next process. */
struct env_file {
	int dir_fd;
	char *dir, *temp;
	const char *name;
};

static void env_file_close(struct env_file *f)
{
	if (f->dir_fd >= 0)
		close(f->dir_fd);
	free(f->dir);
	free(f->temp);
}

static int env_file_open(struct env_file *f, const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');

	*f = (struct env_file){ .name = slash + 1 };
	f->dir = slash == path ? xstrdup("/") : xstrndup(path, (size_t)(slash - path));
	f->temp = xasprintf(FILE_TEMP_PREFIX "%s", f->name);
	f->dir_fd = open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->dir_fd >= 0)
		return 0;
	err_set_errno(err, ERR_IO, "cannot open directory '%s'", f->dir);
	return errno == ENOENT ? err_hint(err, "mount a second emptyDir with medium: "
					       "Memory there")
			       : -1;
}

/* errno is that of the call that failed. */
static int env_file_explain(const struct env_file *f, struct err *err)
{
	if (errno == EACCES || errno == EPERM)
		return err_hint(err,
				"uid %u may not write to '%s': give all containers that "
				"write there one runAsUser, and the pod an fsGroup",
				(unsigned)geteuid(), f->dir);
	if (errno == EROFS)
		return err_hint(err, "'%s' is mounted read-only", f->dir);
	if (errno == ENOSPC || errno == EDQUOT)
		return err_hint(err, "'%s' is full: raise emptyDir.sizeLimit", f->dir);
	return -1;
}

static bool env_file_is_same(const struct env_file *f, const struct env_file_order *o)
{
	struct stat st;
	struct err err;
	bool same = false;

	if (fstatat(f->dir_fd, f->name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISREG(st.st_mode) || (st.st_mode & 07777) != o->mode ||
	    st.st_size != (off_t)o->len)
		return false;
	return file_compare(f->dir_fd, f->name, o->data, o->len, &same, &err) == 0 &&
	       same;
}

static int env_file_replace(const struct env_file *f, const struct env_file_order *o,
			    struct err *err)
{
	if (file_create(f->dir_fd, f->temp, o->mode, o->data, o->len, err) < 0)
		return -1;
	if (renameat(f->dir_fd, f->temp, f->dir_fd, f->name) < 0)
		return err_set_errno(err, ERR_IO, "cannot replace it");
	(void)fsync(f->dir_fd); /* it is in its place even if this fails */
	return 0;
}

/* The directory is open. */
static int env_file_update(const struct env_file *f, const struct env_file_order *o,
			   bool *changed, struct err *err)
{
	if (file_is_below(f->dir_fd, o->set_fd))
		return err_set(err, ERR_IO,
			       "'%s' leads into AKVSYNC_DIR, which holds the set only; "
			       "name another directory, such as a second emptyDir",
			       f->dir);
	(void)unlinkat(f->dir_fd, f->temp, 0);
	if (env_file_is_same(f, o))
		return 0;
	if (env_file_replace(f, o, err) < 0) {
		env_file_explain(f, err);
		(void)unlinkat(f->dir_fd, f->temp, 0);
		return -1;
	}
	*changed = true;
	return 0;
}

int env_file_write(const struct env_file_order *order, bool *changed, struct err *err)
{
	struct env_file f;
	int result = env_file_open(&f, order->path, err);

	*changed = false;
	if (result == 0)
		result = env_file_update(&f, order, changed, err);
	env_file_close(&f);
	return result;
}

int env_file_remove(const char *path, bool *removed, struct err *err)
{
	struct env_file f;
	struct stat st;
	int result = env_file_open(&f, path, err);

	*removed = false;
	if (result < 0 && (errno == ENOENT || errno == ENOTDIR)) {
		result = 0;
	} else if (result == 0) {
		(void)unlinkat(f.dir_fd, f.temp, 0);
		*removed = fstatat(f.dir_fd, f.name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			   S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
			   st.st_nlink == 1;
	}
	if (*removed && unlinkat(f.dir_fd, f.name, 0) < 0) {
		*removed = false;
		err_set_errno(err, ERR_IO, "cannot remove it");
		result = env_file_explain(&f, err);
	}
	env_file_close(&f);
	return result;
}
