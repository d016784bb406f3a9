#include "deliver/directory.h"

#include <errno.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* So long, at least, a set has to stay for an app that has just opened ..data. */
#define RETAIN_SAFE_MS 1000

int directory_explain(struct err *err, int cause)
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

int directory_check(int dir_fd, const char *dir, struct err *err)
{
	struct stat own = { 0 }, named = { 0 };
	bool there = stat(dir, &named) == 0;

	if ((!there && errno != ENOENT && errno != ENOTDIR) || fstat(dir_fd, &own) < 0)
		return err_set_errno(err, ERR_UNAVAILABLE, "cannot look at '%s'", dir);
	if (there && own.st_dev == named.st_dev && own.st_ino == named.st_ino)
		return 0;
	errno = 0;
	return err_set(err, ERR_IO,
		       "'%s' is not the directory any more that akvsync opened at its "
		       "start: it was removed, renamed or mounted over; put it back, or "
		       "restart this container",
		       dir);
}

const char directory_advice_group[] =
	"only this container's user may enter AKVSYNC_DIR; set fsGroup, so that the "
	"app's group may read the files";

const char *directory_advice(int dir_fd, int64_t retain_ms, size_t i)
{
	const char *advice[3];
	size_t count = 0;
	struct statfs fs;
	struct stat st;

	if (fstatfs(dir_fd, &fs) == 0 && fs.f_type != TMPFS_MAGIC &&
	    fs.f_type != RAMFS_MAGIC)
		advice[count++] = "AKVSYNC_DIR is not on a tmpfs: secrets will reach a "
				  "disk; use an emptyDir with medium: Memory";
	if (fstat(dir_fd, &st) == 0 && !(st.st_mode & S_ISGID) && !(st.st_mode & S_IXOTH))
		advice[count++] = directory_advice_group;
	if (retain_ms < RETAIN_SAFE_MS)
		advice[count++] = "with an AKVSYNC_RETAIN of less than 1s an app that "
				  "reads while a new set is published may find that "
				  "files are gone; give it a few seconds";
	return i < count ? advice[i] : NULL;
}
