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

	f->name = slash + 1;
	f->dir = slash == path ? xstrdup("/") : xstrndup(path, (size_t)(slash - path));
	f->temp = xasprintf(FILE_TEMP_PREFIX "%s", f->name);
	f->dir_fd = open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->dir_fd >= 0)
		return 0;
	err_set_errno(err, ERR_IO, "cannot open directory '%s'", f->dir);
	if (errno == ENOENT)
		err_hint(err, "mount a second emptyDir with medium: Memory there");
	return -1;
}

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

static bool env_file_is_same(const struct env_file *f, mode_t mode, const void *data,
			     size_t len)
{
	struct stat st;
	struct err err;
	bool same = false;

	if (fstatat(f->dir_fd, f->name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISREG(st.st_mode) || (st.st_mode & 07777) != mode ||
	    st.st_size != (off_t)len)
		return false;
	return file_compare(f->dir_fd, f->name, data, len, &same, &err) == 0 && same;
}

static int env_file_replace(const struct env_file *f, mode_t mode, const void *data,
			    size_t len, struct err *err)
{
	if (file_create(f->dir_fd, f->temp, mode, data, len, err) < 0)
		return -1;
	if (renameat(f->dir_fd, f->temp, f->dir_fd, f->name) < 0)
		return err_set_errno(err, ERR_IO, "cannot replace it");
	(void)fsync(f->dir_fd); /* it is in its place even if this fails */
	return 0;
}

int env_file_write(const char *path, mode_t mode, const void *data, size_t len,
		   bool *changed, struct err *err)
{
	struct env_file f = { .dir_fd = -1 };
	int result = env_file_open(&f, path, err);
	bool same = false;

	if (result == 0) {
		(void)unlinkat(f.dir_fd, f.temp, 0);
		same = env_file_is_same(&f, mode, data, len);
	}
	if (result == 0 && !same)
		result = env_file_replace(&f, mode, data, len, err);
	if (result < 0) {
		env_file_explain(&f, err);
		if (f.dir_fd >= 0)
			(void)unlinkat(f.dir_fd, f.temp, 0);
	} else {
		*changed = !same;
	}
	env_file_close(&f);
	return result;
}

bool env_file_remove(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
	       st.st_nlink == 1 && unlink(path) == 0;
}
