#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/mem.h"

/* The directories of a path without a directory descriptor are the user's own choice. */
static int file_open(int dir_fd, const char *path, int flags, mode_t mode)
{
	return dir_fd == AT_FDCWD ? openat(dir_fd, path, flags, mode)
				  : beneath_open(dir_fd, path, flags, mode);
}

int file_read(int dir_fd, const char *path, struct buf *out, struct err *err)
{
	/* Others may write to the volume: a pipe put there must not make us wait. */
	auto_close int fd =
		file_open(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0);

	if (fd < 0)
		return err_set_errno(err, ERR_IO, "cannot open '%s'", path);
	return file_read_open(fd, path, out, err);
}

int file_read_open(int fd, const char *path, struct buf *out, struct err *err)
{
	char chunk[4096];
	int result = 0;
	ssize_t n;

	while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			result = err_set_errno(err, ERR_IO, "cannot read '%s'", path);
		else if (buf_add(out, chunk, (size_t)n, err) < 0) {
			result = err_set(err, ERR_IO, "'%s' is larger than %zu bytes",
					 path, out->max);
			errno = EFBIG;
		}
		if (result < 0)
			break;
	}
	wipe(chunk, sizeof(chunk));
	return result;
}

bool file_is_foreign(int dir_fd, const char *path, int cause)
{
	struct stat st;

	if (cause == EACCES || cause == EPERM)
		return fstatat(dir_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		       st.st_uid != geteuid();
	return cause == EFBIG || cause == EISDIR || cause == ELOOP || cause == ENXIO;
}

int file_compare(int dir_fd, const char *path, const void *data, size_t len, bool *same,
		 struct err *err)
{
	auto_close int fd =
		file_open(dir_fd, path,
			  O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW, 0);
	const char *rest = data;
	char chunk[4096];
	bool equal = true;
	ssize_t n;

	if (fd < 0)
		return err_set_errno(err, ERR_IO, "cannot open '%s'", path);
	while (equal && (n = read(fd, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			err_set_errno(err, ERR_IO, "cannot read '%s'", path);
			wipe(chunk, sizeof(chunk));
			return -1;
		}
		equal = (size_t)n <= len && memcmp(chunk, rest, (size_t)n) == 0;
		if (equal) {
			rest += n;
			len -= (size_t)n;
		}
	}
	wipe(chunk, sizeof(chunk));
	*same = equal && len == 0;
	return 0;
}

static bool is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

bool file_is_below(int fd, int above_fd)
{
	int at = openat(fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat above, here, below = { 0 };
	bool found = false;

	/* The root is its own parent. */
	while (!found && at >= 0 && fstat(above_fd, &above) == 0 &&
	       fstat(at, &here) == 0 && !is_same_file(&here, &below)) {
		int parent = openat(at, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);

		found = is_same_file(&here, &above);
		below = here;
		close(at);
		at = parent;
	}
	if (at >= 0)
		close(at);
	return found;
}

static int write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

int file_create(int dir_fd, const char *path, mode_t mode, const void *data, size_t len,
		struct err *err)
{
	auto_close int fd = file_open(
		dir_fd, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return err_set_errno(err, ERR_IO, "cannot create '%s'", path);
	if (write_all(fd, data, len) < 0)
		return err_set_errno(err, ERR_IO, "cannot write '%s'", path);
	if (fchmod(fd, mode) < 0)
		return err_set_errno(err, ERR_IO, "cannot set mode %04o on '%s'",
				     (unsigned)mode, path);
	if (fsync(fd) < 0)
		return err_set_errno(err, ERR_IO, "cannot flush '%s'", path);
	return 0;
}

void file_temp_name(char out[static FILE_TEMP_LEN])
{
	uint64_t number = 0;

	(void)!getrandom(&number, sizeof(number), 0);
	snprintf(out, FILE_TEMP_LEN, FILE_TEMP_PREFIX "%016" PRIx64, number);
}

int file_replace(int dir_fd, const char *path, mode_t mode, const void *data, size_t len,
		 struct err *err)
{
	char temp[FILE_TEMP_LEN];

	file_temp_name(temp);
	if (file_create(dir_fd, temp, mode, data, len, err) < 0) {
		err_set_errno(err, ERR_IO, "cannot write '%s'", path);
		(void)unlinkat(dir_fd, temp, 0);
		return -1;
	}
	if (renameat(dir_fd, temp, dir_fd, path) < 0) {
		err_set_errno(err, ERR_IO, "cannot replace '%s'", path);
		(void)unlinkat(dir_fd, temp, 0);
		return -1;
	}
	return 0;
}
