#include "deliver/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "deliver/directory.h"
#include "deliver/links.h"

static int lock_take(int dir_fd, const char *dir, struct err *err)
{
	if (flock(dir_fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		return err_set(err, ERR_UNAVAILABLE,
			       "another process holds '%s': two akvsync containers may "
			       "not write to one volume at a time",
			       dir);
	return err_set_errno(err, ERR_IO, "cannot lock '%s'", dir);
}

static int lock_check_rights(int dir_fd, const char *dir, struct err *err)
{
	struct stat st, data;

	if (faccessat(dir_fd, ".", W_OK | X_OK, AT_EACCESS) < 0) {
		err_set_errno(err, ERR_IO, "cannot write to '%s'", dir);
		return directory_explain(err, errno);
	}
	if (fstat(dir_fd, &st) < 0)
		return err_set_errno(err, ERR_UNAVAILABLE, "cannot look at '%s'", dir);
	if (fstatat(dir_fd, LINKS_DATA, &data, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno == ENOENT)
			return 0;
		return err_set_errno(err, ERR_UNAVAILABLE,
				     "cannot look at '%s/" LINKS_DATA
				     "'; nothing was changed on the volume",
				     dir);
	}
	if ((st.st_mode & S_ISVTX) && geteuid() != 0 && st.st_uid != geteuid() &&
	    data.st_uid != geteuid())
		return err_set(err, ERR_IO,
			       "the files in '%s' belong to uid %u, but this container "
			       "runs as uid %u and cannot replace them: give init and "
			       "sidecar the same runAsUser",
			       dir, (unsigned)data.st_uid, (unsigned)geteuid());
	return 0;
}

int lock_directory(const char *dir, int *fd, struct err *err)
{
	*fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*fd >= 0)
		return lock_take(*fd, dir, err) < 0 ? -1
						    : lock_check_rights(*fd, dir, err);
	if (errno == ENOENT)
		return err_set(err, ERR_IO,
			       "directory '%s' does not exist: mount an emptyDir with "
			       "medium: Memory there, or set AKVSYNC_DIR",
			       dir);
	err_set_errno(err, ERR_IO, "cannot open directory '%s'", dir);
	return directory_explain(err, errno);
}
