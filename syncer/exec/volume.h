/*
 * volume.h: reads the set that the sidecar publishes.  It changes nothing there.
 *
 * A set that DIR/..data points at is complete: it is published by one rename.  All files
 * are read through one descriptor of the set, so that they belong together.
 */
#ifndef EXEC_VOLUME_H
#define EXEC_VOLUME_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* Of one file.  Values of a variable are at most 128 KiB; a JSON text may be longer. */
#define VOLUME_FILE_MAX_BYTES (1024 * 1024)

/* The path that is replaced when a set is published, to watch it.  The caller frees it.
 */
char *volume_link(const char *dir);

/* Opens the newest set: *set is its descriptor, which the caller closes, or -1 when none
 * was published yet.  ERR_IO: it cannot be opened for another reason. */
int volume_open(const char *dir, int *set, struct err *err) MUST_CHECK;

/* Whether another set has been published since set was opened. */
bool volume_has_newer(const char *dir, int set);

/* Appends the bytes of a file.  ERR_NOTFOUND: the set has no such file; ERR_IO, also for
 * anything but a regular file.  No link is followed: the sidecar puts none into a set,
 * and another one may lead out of it. */
int volume_read(int set, const char *path, struct buf *out, struct err *err) MUST_CHECK;

/* The paths of all files of a set, in order. */
struct volume_files {
	char **paths;
	size_t count;
};

/* ERR_IO: a directory cannot be read, and *out is empty.  volume_files_done() either way.
 */
int volume_list(int set, struct volume_files *out, struct err *err) MUST_CHECK;
void volume_files_done(struct volume_files *files);

#endif
