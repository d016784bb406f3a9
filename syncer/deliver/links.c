#include "deliver/links.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "deliver/directory.h"
#include "deliver/tree.h"

/* True when DIR/name is a link to target, and nothing else.  ERR_IO: it could not be
 * read. */
static int leads_to(int dir_fd, const char *name, const char *target, bool *leads,
		    struct err *err)
{
	size_t len = strlen(target);
	auto_free char *found = xcalloc(1, len + 2);
	ssize_t n = readlinkat(dir_fd, name, found, len + 1);

	if (n < 0 && errno != EINVAL && errno != ENOENT) /* EINVAL: it is no link */
		return err_set_errno(err, ERR_IO, "cannot read link '%s'", name);
	*leads = n == (ssize_t)len && strcmp(found, target) == 0;
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
	if (leads_to(dir_fd, name, target, &ours, err) < 0)
		return -1;
	if (ours)
		return 0;
	errno = 0;
	return err_set(err, ERR_IO,
		       "'%s/%s' is in the way: it is not a link that akvsync made; "
		       "remove it or give the object another path",
		       dir, name);
}

/* An empty directory gives way, too. */
static int links_put(int dir_fd, const char *temp, const char *name)
{
	if (renameat(dir_fd, temp, dir_fd, name) == 0)
		return 0;
	return errno == EISDIR && unlinkat(dir_fd, name, AT_REMOVEDIR) == 0
		       ? renameat(dir_fd, temp, dir_fd, name)
		       : -1;
}

/* Makes DIR/name lead to target. */
static int links_heal(int dir_fd, const char *dir, const char *name, const char *target,
		      struct paths *healed, struct err *err)
{
	char temp[FILE_TEMP_LEN];
	bool leads = false;

	if (leads_to(dir_fd, name, target, &leads, err) < 0)
		return -1;
	if (leads)
		return 0;
	file_temp_name(temp);
	if (symlinkat(target, dir_fd, temp) < 0) {
		err_set_errno(err, ERR_IO, "cannot make a link in '%s'", dir);
		return directory_explain(err, errno);
	}
	if (links_put(dir_fd, temp, name) == 0) {
		paths_add(healed, name);
		return 0;
	}
	err_set_errno(err, ERR_IO,
		      "'%s/%s' is in the way of a link to the set: remove it", dir, name);
	directory_explain(err, errno);
	(void)unlinkat(dir_fd, temp, 0);
	return -1;
}

int links_mend(int dir_fd, const char *dir, const struct generation *current,
	       struct paths *healed, struct err *err)
{
	const struct manifest *m = &current->manifest;
	auto_free char *name = NULL;

	for (size_t i = 0; i < m->count; i++) {
		const char *path = m->by_path[i]->path;
		size_t len = strcspn(path, "/");
		auto_free char *target = NULL;

		/* In the order of paths, those below one name follow each other. */
		if (current->states[m->by_path[i] - m->items] == PUBLISH_MISSING ||
		    (name != NULL && strlen(name) == len &&
		     strncmp(name, path, len) == 0))
			continue;
		if (name == NULL &&
		    links_heal(dir_fd, dir, LINKS_DATA, current->name, healed, err) < 0)
			return -1;
		free(name);
		name = xstrndup(path, len);
		target = xasprintf(LINKS_DATA "/%s", name);
		if (links_heal(dir_fd, dir, name, target, healed, err) < 0)
			return -1;
	}
	return 0;
}

/* Its set was never published, or is gone.  The set that ..data points to decides, also
 * one that we did not make. */
void links_sweep_one(int dir_fd, const char *name)
{
	auto_free char *target = xasprintf(LINKS_DATA "/%s", name);
	struct err ignored;
	struct stat st;
	bool ours = false;

	if (leads_to(dir_fd, name, target, &ours, &ignored) == 0 && ours &&
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
		return err_set_errno(err, ERR_IO, "cannot make a link in '%s'", dir);
	if (renameat(dir_fd, temp, dir_fd, LINKS_DATA) < 0)
		return err_set_errno(err, ERR_IO, "cannot replace '%s/" LINKS_DATA "'",
				     dir);
	return 0;
}
