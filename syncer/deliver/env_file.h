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

/*
 * Makes the file at an absolute path have these bytes and this mode.  One that has them
 * is not touched, and *changed is false.  ERR_IO, with the fix where it is known: the
 * file of before stays.
 */
int env_file_write(const char *path, mode_t mode, const void *data, size_t len,
		   bool *changed, struct err *err) MUST_CHECK;

/* Removes a file that this user's env_file_write() made.  True: it was there. */
bool env_file_remove(const char *path);

#endif
