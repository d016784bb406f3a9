#include "base/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"

#define BENEATH_DIRECTORY (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* Sets errno as openat2(2) does when a path leads out. */
static bool beneath_leads_up(const char *path)
{
	for (const char *part = path; part != NULL; part = strchr(part, '/')) {
		part += *part == '/';
		if (strncmp(part, "..", 2) == 0 && (part[2] == '\0' || part[2] == '/')) {
			errno = EXDEV;
			return true;
		}
	}
	return false;
}

/* One part of the path after the other, each below the directory of the one before. */
static int beneath_walk(int dir_fd, const char *path, int flags, mode_t mode)
{
	auto_close int below = -1;
	const char *slash;

	while ((slash = strchr(path, '/')) != NULL) {
		auto_free char *part = xstrndup(path, (size_t)(slash - path));
		int next = openat(below < 0 ? dir_fd : below, part, BENEATH_DIRECTORY);

		if (next < 0)
			return -1;
		if (below >= 0)
			close(below);
		below = next;
		path = slash + 1;
	}
	return openat(below < 0 ? dir_fd : below, path, flags, mode);
}

int beneath_open(int dir_fd, const char *path, int flags, mode_t mode)
{
	struct open_how how = { .flags = (unsigned)(flags | O_NOFOLLOW | O_CLOEXEC),
				.mode = mode,
				.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
					   RESOLVE_NO_MAGICLINKS };
	int fd;

	if (beneath_leads_up(path))
		return -1;
	/* With a single part there is nothing to be led astray by. */
	if (strchr(path, '/') == NULL)
		return openat(dir_fd, path, (int)how.flags, mode);
	fd = (int)syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));
	/* EPERM: what a container's seccomp profile says to a call that it does not know.
	 * A refusal that is meant for the file comes again. */
	if (fd < 0 && (errno == ENOSYS || errno == EPERM))
		fd = beneath_walk(dir_fd, path, (int)how.flags, mode);
	return fd;
}

int beneath_parent(int dir_fd, const char *path, const char **name)
{
	const char *slash = strrchr(path, '/');
	auto_free char *parent =
		slash ? xstrndup(path, (size_t)(slash - path)) : xstrdup(".");

	*name = slash ? slash + 1 : path;
	return beneath_leads_up(path)
		       ? -1
		       : beneath_open(dir_fd, parent, BENEATH_DIRECTORY, 0);
}

int beneath_stat(int dir_fd, const char *path, struct stat *st)
{
	auto_close int parent = -1;
	const char *name = path;

	if (beneath_leads_up(path))
		return -1;
	if (strchr(path, '/') != NULL) {
		parent = beneath_parent(dir_fd, path, &name);
		if (parent < 0)
			return -1;
	}
	return fstatat(parent < 0 ? dir_fd : parent, name, st, AT_SYMLINK_NOFOLLOW);
}
