/* install.c: `install`: copies this program into a directory, so that an app of another
 * image can run it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "command/command.h"
#include "command/options.h"

#define NAME "akvsync"

/* The program itself, or the copy beside it that others than root may read. */
static const char *const programs[] = { "/proc/self/exe", "/usr/share/akvsync/" NAME };

static int open_program(const char **name, struct err *err)
{
	int fd = -1, cause = 0;

	for (size_t i = 0; fd < 0 && i < ARRAY_LEN(programs); i++) {
		*name = programs[i];
		fd = open(programs[i], O_RDONLY | O_CLOEXEC);
		cause = i == 0 ? errno : cause;
	}
	if (fd >= 0)
		return fd;
	errno = cause;
	return err_set_errno(err, ERR_IO,
			     "cannot read this program, and there is no copy of it in "
			     "'%s'",
			     programs[1]);
}

static int copy_program(int from, int dir_fd, const char *temp, off_t size,
			struct err *err)
{
	auto_close int to =
		openat(dir_fd, temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);

	if (to < 0)
		return err_set_errno(err, ERR_IO, "cannot make a file");
	for (off_t done = 0; done < size;) {
		ssize_t n = sendfile(to, from, NULL, (size_t)(size - done));

		if (n == 0)
			errno = EIO; /* it became shorter */
		if (n <= 0)
			return err_set_errno(err, ERR_IO, "cannot write %lld bytes",
					     (long long)size);
		done += n;
	}
	/* The umask may have taken bits away. */
	if (fchmod(to, 0755) < 0 || fsync(to) < 0)
		return err_set_errno(err, ERR_IO, "cannot finish the file");
	return 0;
}

static int install_into(const char *dir, off_t *size, struct err *err)
{
	auto_close int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_close int from = -1;
	char temp[FILE_TEMP_LEN];
	const char *name;
	struct stat st;

	if (dir_fd < 0)
		return err_set_errno(err, ERR_IO,
				     "cannot open the directory, which must be there");
	from = open_program(&name, err);
	if (from < 0)
		return -1;
	if (fstat(from, &st) < 0)
		return err_set_errno(err, ERR_IO, "cannot examine '%s'", name);
	file_temp_name(temp);
	/* A program that runs there goes on with the old file. */
	if (copy_program(from, dir_fd, temp, st.st_size, err) < 0 ||
	    (renameat(dir_fd, temp, dir_fd, NAME) < 0 &&
	     err_set_errno(err, ERR_IO, "cannot put the file in its place") < 0)) {
		(void)unlinkat(dir_fd, temp, 0);
		return -1;
	}
	*size = st.st_size;
	return 0;
}

int command_install(int argc, char **argv)
{
	struct options options;
	struct err err;
	off_t size = 0;

	(void)argc;
	if (options_take("install", argv, &options) != EXIT_DONE)
		return EXIT_USAGE;
	if (install_into(options.operand, &size, &err) < 0)
		return command_error(EXIT_LOCAL, "%s/" NAME ": %s", options.operand,
				     err.msg);
	printf("%s/" NAME ": akvsync " AKVSYNC_VERSION ", %lld bytes\n", options.operand,
	       (long long)size);
	return command_printed(EXIT_DONE);
}
