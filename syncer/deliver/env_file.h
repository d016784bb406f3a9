/*
 * env_file.h: one file outside of the set, which is replaced as a whole.
 *
 * What reads it, such as the kubelet for fileKeyRef, follows no link, so it is a regular
 * file that a rename puts into its place.
 */
#ifndef DELIVER_ENV_FILE_H
#define DELIVER_ENV_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

/* The file at an absolute path that gets these bytes and this mode.  set_fd: the
 * directory of the set, in which it may not be, on whatever way it is reached. */
struct env_file_order {
	const char *path;
	mode_t mode;
	const void *data;
	size_t len;
	int set_fd;
};

/* A file that is right already is not touched, and *changed is false.  ERR_IO, with the
 * fix where it is known: the file of before stays. */
int env_file_write(const struct env_file_order *order, bool *changed,
		   struct err *err) MUST_CHECK;

/* Removes a file that this user's env_file_write() made, and what a crash in it left
 * behind.  *removed: it was there.  ERR_IO: it is still there. */
int env_file_remove(const char *path, bool *removed, struct err *err) MUST_CHECK;

#endif
