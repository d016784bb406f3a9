#include "exec/volume.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "deliver/links.h"

/* As deep as config/path allows. */
#define DEPTH_MAX 32

char *volume_link(const char *dir)
{
	return xasprintf("%s/" LINKS_DATA, dir);
}

int volume_open(const char *dir, int *set, struct err *err)
{
	auto_free char *path = volume_link(dir);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && errno != ENOENT)
		return err_set_errno(err, ERR_IO, "cannot open '%s'", path);
	*set = fd;
	return 0;
}

bool volume_has_newer(const char *dir, int set)
{
	auto_free char *path = volume_link(dir);
	struct stat opened, newest;

	return fstat(set, &opened) == 0 && stat(path, &newest) == 0 &&
	       (opened.st_ino != newest.st_ino || opened.st_dev != newest.st_dev);
}

/* Opens a file part by part, without following a link; a pipe must not make us wait. */
static int open_below(int set, const char *path)
{
	int dir = set;

	for (;;) {
		size_t len = strcspn(path, "/");
		auto_free char *part = xstrndup(path, len);
		int flags = path[len] == '/' ? O_DIRECTORY : O_NOCTTY | O_NONBLOCK;
		int fd = openat(dir, part, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | flags);
		int cause = errno;

		if (dir != set)
			close(dir);
		errno = cause;
		if (fd < 0 || path[len] == '\0')
			return fd;
		dir = fd;
		path += len + 1;
	}
}

static int volume_refused(const char *path, struct err *err)
{
	if (errno == ENOENT || errno == ENOTDIR)
		return err_set(err, ERR_NOTFOUND, "there is no file '%.100s'", path);
	err_set_errno(err, ERR_IO, "cannot open '%.100s'", path);
	if (errno == EACCES)
		return err_hint(err, "give the pod an fsGroup, or run this container as "
				     "the uid of akvsync");
	return -1;
}

int volume_read(int set, const char *path, struct buf *out, struct err *err)
{
	auto_close int fd = open_below(set, path);
	struct stat st;

	if (fd < 0)
		return volume_refused(path, err);
	if (fstat(fd, &st) == 0 && !S_ISREG(st.st_mode))
		return err_set(err, ERR_IO, "'%.100s' is not a regular file", path);
	return file_read_open(fd, path, out, err);
}

/* ---- the list of files ---- */

static int list_directory(int dir_fd, const char *name, const char *path,
			  struct volume_files *out, struct err *err);

static int list_one(int dir_fd, const char *name, const char *path,
		    struct volume_files *out, struct err *err)
{
	struct stat st;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT
			       ? 0
			       : err_set_errno(err, ERR_IO, "cannot examine '%s'", path);
	if (S_ISDIR(st.st_mode))
		return list_directory(dir_fd, name, path, out, err);
	if (!S_ISREG(st.st_mode))
		return 0;
	out->paths = xgrow(out->paths, out->count, sizeof(*out->paths));
	out->paths[out->count++] = xstrdup(path);
	return 0;
}

static int list_entries(DIR *dir, const char *path, struct volume_files *out,
			struct err *err)
{
	const struct dirent *entry;

	while ((entry = readdir(dir)) != NULL) {
		auto_free char *below =
			xasprintf("%s%s%s", path, *path ? "/" : "", entry->d_name);

		/* "..manifest" and its like, besides "." and "..". */
		if (strcmp(entry->d_name, ".") == 0 || text_starts(entry->d_name, ".."))
			continue;
		if (list_one(dirfd(dir), entry->d_name, below, out, err) < 0)
			return -1;
	}
	return 0;
}

static int list_directory(int dir_fd, const char *name, const char *path,
			  struct volume_files *out, struct err *err)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	size_t depth = 0;
	DIR *dir;
	int result;

	for (const char *c = path; (c = strchr(c, '/')) != NULL; c++)
		depth++;
	dir = fd < 0 || depth >= DEPTH_MAX ? NULL : fdopendir(fd);
	if (dir == NULL) {
		err_set_errno(err, ERR_IO, "cannot read the directory '%s'", path);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	result = list_entries(dir, path, out, err);
	closedir(dir);
	return result;
}

static int volume_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int volume_list(int set, struct volume_files *out, struct err *err)
{
	*out = (struct volume_files){ 0 };
	if (list_directory(set, ".", "", out, err) < 0) {
		volume_files_done(out);
		return -1;
	}
	if (out->count > 1)
		qsort(out->paths, out->count, sizeof(*out->paths), volume_compare);
	return 0;
}

void volume_files_done(struct volume_files *files)
{
	for (size_t i = 0; i < files->count; i++)
		free(files->paths[i]);
	free(files->paths);
	*files = (struct volume_files){ 0 };
}
