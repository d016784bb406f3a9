#include "deliver/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/mem.h"

#define DEPTH_MAX 64

int tree_mkdir_mode(int dir_fd, const char *path, mode_t mode, struct err *err)
{
	const char *name;
	auto_close int parent = beneath_parent(dir_fd, path, &name);
	auto_close int fd = -1;
	struct stat st;
	int cause;

	if (parent < 0 || mkdirat(parent, name, mode) < 0)
		return err_set_errno(err, ERR_IO, "cannot make directory '%s'", path);
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	/* The umask may have cleared bits; fchmod(mode) alone would clear set-group-ID.
	 */
	if (fd < 0 || fstat(fd, &st) < 0 ||
	    fchmod(fd, mode | (st.st_mode & S_ISGID)) < 0) {
		err_set_errno(err, ERR_IO, "cannot set up directory '%s'", path);
		cause = errno;
		(void)unlinkat(parent, name, AT_REMOVEDIR);
		errno = cause;
		return -1;
	}
	return 0;
}

int tree_mkdir(int dir_fd, const char *path, struct err *err)
{
	return tree_mkdir_mode(dir_fd, path, 0755, err);
}

int tree_make_parents(int dir_fd, const char *path, struct err *err)
{
	for (const char *slash = strchr(path, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		auto_free char *parent = xstrndup(path, (size_t)(slash - path));

		if (tree_mkdir(dir_fd, parent, err) < 0 && errno != EEXIST)
			return -1;
	}
	return 0;
}

int tree_flush_parents(int dir_fd, const char *path, struct err *err)
{
	for (const char *slash = strchr(path, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		auto_free char *parent = xstrndup(path, (size_t)(slash - path));
		auto_close int fd =
			beneath_open(dir_fd, parent, O_RDONLY | O_DIRECTORY, 0);

		if (fd < 0 || fsync(fd) < 0)
			return err_set_errno(err, ERR_IO, "cannot flush '%s'", parent);
	}
	return 0;
}

/* NULL: it cannot be read; not through a link.  The caller closes it. */
static DIR *tree_open_directory(int dir_fd, const char *name)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (dir == NULL && fd >= 0)
		close(fd);
	return dir;
}

/* The next entry but itself and its parent. */
static const struct dirent *next_entry(DIR *dir)
{
	const struct dirent *entry;

	do
		entry = readdir(dir);
	while (entry != NULL &&
	       (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0));
	return entry;
}

void tree_each(int dir_fd, void (*visit)(void *arg, int dir_fd, const char *name),
	       void *arg)
{
	DIR *dir = tree_open_directory(dir_fd, ".");
	const struct dirent *entry;

	if (dir == NULL)
		return;
	while ((entry = next_entry(dir)) != NULL)
		visit(arg, dir_fd, entry->d_name);
	closedir(dir);
}

static bool remove_below(int dir_fd, const char *name, int depth)
{
	const struct dirent *entry;
	DIR *dir;

	if (unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT)
		return true;
	if ((errno != EISDIR && errno != EPERM) || depth > DEPTH_MAX)
		return false;
	/* An empty one needs no descriptor, of which there may be none left. */
	if (unlinkat(dir_fd, name, AT_REMOVEDIR) == 0)
		return true;
	dir = tree_open_directory(dir_fd, name);
	if (dir == NULL)
		return false;
	while ((entry = next_entry(dir)) != NULL)
		(void)remove_below(dirfd(dir), entry->d_name, depth + 1);
	closedir(dir);
	return unlinkat(dir_fd, name, AT_REMOVEDIR) == 0;
}

bool tree_remove(int dir_fd, const char *name)
{
	return remove_below(dir_fd, name, 0);
}
