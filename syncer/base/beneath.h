/*
 * beneath.h: files below a directory that other processes may write to.  No part of a
 * path is followed when it is a link: a link that another process puts in the place of a
 * directory, at whatever moment, leads none of these calls out of the directory.
 *
 * openat2(2) does that in one call.  Kernels before Linux 5.6 and sandboxes that refuse
 * it get one openat(2) for each part of the path, which gives the same.
 */
#ifndef BASE_BENEATH_H
#define BASE_BENEATH_H

#include <sys/stat.h>
#include <sys/types.h>

/* As openat(2), and close-on-exec.  path is relative.  -1, with errno: ELOOP or
 * ENOTDIR when a part is a link, EXDEV when a part is "..". */
int beneath_open(int dir_fd, const char *path, int flags, mode_t mode);

/* Opens the directory that holds path, for calls with the last part of it, which *name
 * points to.  -1 likewise. */
int beneath_parent(int dir_fd, const char *path, const char **name);

/* As fstatat(2).  A last part that is a link is examined itself. */
int beneath_stat(int dir_fd, const char *path, struct stat *st);

#endif
