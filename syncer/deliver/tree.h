/*
 * tree.h: the directories of a set: making a file's parents, removing a whole set.
 * Never follows a link.
 */
#ifndef DELIVER_TREE_H
#define DELIVER_TREE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

/* Makes a directory below dir_fd that must not exist, with mode 0755 and the set-group-ID
 * bit it inherits: without the bit files would lose the volume's group.  Or with a mode
 * of its own.  ERR_IO, errno kept: nothing was made. */
int tree_mkdir(int dir_fd, const char *path, struct err *err) MUST_CHECK;
int tree_mkdir_mode(int dir_fd, const char *path, mode_t mode,
		    struct err *err) MUST_CHECK;

/* Makes those of a file's parent directories below dir_fd that are missing.  ERR_IO,
 * errno kept. */
int tree_make_parents(int dir_fd, const char *path, struct err *err) MUST_CHECK;

/* Brings the names in a file's parent directories to the disk, those below dir_fd:
 * without it a power failure may leave a directory without its files.  ERR_IO, errno
 * kept. */
int tree_flush_parents(int dir_fd, const char *path, struct err *err) MUST_CHECK;

/* Calls visit for each name in a directory, as far as it can be listed.  visit may remove
 * what has that name. */
void tree_each(int dir_fd, void (*visit)(void *arg, int dir_fd, const char *name),
	       void *arg);

/* Removes a file or link, or a directory with all it holds, as far as it can.  False: it
 * is still there, perhaps in part. */
bool tree_remove(int dir_fd, const char *name);

#endif
