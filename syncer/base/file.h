/*
 * file.h: whole files, bounded.  All calls are relative to a directory descriptor
 * (AT_FDCWD for none), and every descriptor is close-on-exec from birth.  Below a
 * directory descriptor no link is followed, as beneath.h says.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"

/* Appends the whole file to out; out->max bounds it.  ERR_IO, with errno of the call that
 * failed, so that a caller can recognise ENOENT; EFBIG: it is larger than out may become.
 */
int file_read(int dir_fd, const char *path, struct buf *out, struct err *err) MUST_CHECK;

/* The same of an open file, from where it stands; path is for messages. */
int file_read_open(int fd, const char *path, struct buf *out, struct err *err) MUST_CHECK;

/* True when errno of file_read() says that something else than a file of bounded size of
 * our own is there, perhaps one of another user: another try would find the same. */
bool file_is_foreign(int dir_fd, const char *path, int cause);

/* Says whether the file has exactly these bytes, without keeping any of it.  A last path
 * part that is a link is not followed.  ERR_IO, with errno of the call that failed. */
int file_compare(int dir_fd, const char *path, const void *data, size_t len, bool *same,
		 struct err *err) MUST_CHECK;

/* True when the directory of fd is that of above_fd or below it, on whatever way it was
 * reached.  Both may be O_PATH descriptors. */
bool file_is_below(int fd, int above_fd);

/*
 * Creates a file that must not exist, with exactly this mode whatever the umask, and
 * its bytes on disk before the call returns.  ERR_IO: the file may exist in part; the
 * caller removes the directory it is in.
 */
int file_create(int dir_fd, const char *path, mode_t mode, const void *data, size_t len,
		struct err *err) MUST_CHECK;

/* Prefix of the names of temporary files and links, so that a later start can recognise
 * what a crash left behind. */
#define FILE_TEMP_PREFIX "..tmp."
#define FILE_TEMP_LEN 32

/* A new temporary name. */
void file_temp_name(char out[static FILE_TEMP_LEN]);

/* Replaces a small state file as a whole, by rename.  ERR_IO: the old one stays. */
int file_replace(int dir_fd, const char *path, mode_t mode, const void *data, size_t len,
		 struct err *err) MUST_CHECK;

#endif
