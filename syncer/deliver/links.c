#include "deliver/links.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "deliver/tree.h"

/* True when DIR/name is a link to ..data/name, and nothing else.  ERR_IO: it could not be
 * read. */
static int is_ours(int dir_fd, const char *name, bool *ours, struct err *err)
{
	auto_free char *target = xasprintf(LINKS_DATA "/%s", name);
	size_t len = strlen(target);
	auto_free char *found = xcalloc(1, len + 2);
	ssize_t n = readlinkat(dir_fd, name, found, len + 1);

	if (n < 0 && errno != EINVAL) /* EINVAL: it is no link */
		return err_set_errno(err, ERR_IO, "cannot read link '%s'", name);
	*ours = n == (ssize_t)len && strcmp(found, target) == 0;
	return 0;
}

int links_make(int dir_fd, const char *dir, const char *name, bool *made, struct err *err)
{
	auto_free char *target = xasprintf(LINKS_DATA "/%s", name);
	bool ours = false;

	*made = symlinkat(target, dir_fd, name) == 0;
	if (*made)
		return 0;
	if (errno != EEXIST)
		return err_set_errno(err, ERR_IO, "cannot make link '%s'", name);
	if (is_ours(dir_fd, name, &ours, err) < 0)
		return -1;
	if (ours)
		return 0;
	errno = 0;
	return err_set(err, ERR_IO,
		       "'%s/%s' is in the way: it is not a link that akvsync made; "
		       "remove it or give the object another path",
		       dir, name);
}

/* Its set was never published, or is gone.  The set that ..data points to decides, also
 * one that we did not make. */
void links_sweep_one(int dir_fd, const char *name)
{
	auto_free char *target = xasprintf(LINKS_DATA "/%s", name);
	struct err ignored;
	struct stat st;
	bool ours = false;

	if (is_ours(dir_fd, name, &ours, &ignored) == 0 && ours &&
	    fstatat(dir_fd, target, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
		(void)unlinkat(dir_fd, name, 0);
}

static void links_sweep_entry(void *arg, int dir_fd, const char *name)
{
	(void)arg;
	links_sweep_one(dir_fd, name);
}

void links_sweep(int dir_fd)
{
	tree_each(dir_fd, links_sweep_entry, NULL);
}

int links_swap(int dir_fd, const char *dir, const char *generation,
	       char temp[static FILE_TEMP_LEN], struct err *err)
{
	struct stat st;
	int looked = fstatat(dir_fd, LINKS_DATA, &st, AT_SYMLINK_NOFOLLOW);

	if (looked < 0 && errno != ENOENT)
		return err_set_errno(err, ERR_IO, "cannot look at '%s/" LINKS_DATA "'",
				     dir);
	if (looked == 0 && !S_ISLNK(st.st_mode)) {
		errno = 0;
		return err_set(err, ERR_IO,
			       "'%s/" LINKS_DATA
			       "' is in the way: it is not a link; remove it",
			       dir);
	}
	file_temp_name(temp);
	if (symlinkat(generation, dir_fd, temp) < 0)
		return err_set_errno(err, ERR_IO, "cannot make link '%s'", temp);
	if (renameat(dir_fd, temp, dir_fd, LINKS_DATA) < 0)
		return err_set_errno(err, ERR_IO, "cannot replace '%s/" LINKS_DATA "'",
				     dir);
	return 0;
}
