// LDFLAGS: -Wl,--wrap=openat,--wrap=write,--wrap=fchmod,--wrap=fsync,--wrap=mkdirat
// LDFLAGS: -Wl,--wrap=linkat,--wrap=symlinkat,--wrap=renameat,--wrap=unlinkat
// LDFLAGS: -Wl,--wrap=syscall
/*
 * What a power failure leaves.  A file's bytes and a directory's names are on disk only
 * after fsync(2) of that file or directory.  When readers begin to see a set, all of the
 * set is on disk; and before the earlier set is removed, so is the link to the new one.
 */
#include <ftw.h>

#include "volume.h"

#include <errno.h>

/* ---- what is not on disk yet ---- */

static struct {
	struct {
		ino_t inode;
		const char *why; /* the call that changed it */
	} items[256];
	size_t count;
} unflushed;

static char dir[64];
static int swaps, removals; /* that were looked at */

static ino_t inode_of(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return st.st_ino;
}

static const char *why_unflushed(ino_t inode)
{
	for (size_t i = 0; i < unflushed.count; i++)
		if (unflushed.items[i].inode == inode)
			return unflushed.items[i].why;
	return NULL;
}

static void change(ino_t inode, const char *why)
{
	if (why_unflushed(inode) != NULL)
		return;
	assert_true(unflushed.count < ARRAY_LEN(unflushed.items));
	unflushed.items[unflushed.count].inode = inode;
	unflushed.items[unflushed.count++].why = why;
}

static void flush(ino_t inode)
{
	size_t kept = 0;

	for (size_t i = 0; i < unflushed.count; i++)
		if (unflushed.items[i].inode != inode)
			unflushed.items[kept++] = unflushed.items[i];
	unflushed.count = kept;
}

/* The directory that has the last part of the path. */
static ino_t parent_of(int fd, const char *path)
{
	const char *slash = strrchr(path, '/');
	auto_free char *parent = slash ? xstrndup(path, (size_t)(slash - path)) : NULL;
	struct stat st;

	assert_int_equal(fstatat(fd, parent ? parent : ".", &st, 0), 0);
	return st.st_ino;
}

/* ---- what has to be there ---- */

static int check_flushed(const char *path, const struct stat *st, int type,
			 struct FTW *ftw)
{
	const char *why = why_unflushed(st->st_ino);

	(void)type, (void)ftw;
	if (why != NULL)
		fail_msg("readers see '%s', which is not on disk since %s()", path, why);
	return 0;
}

static bool is_of_volume(int fd)
{
	struct stat here;

	return fd != AT_FDCWD && stat(dir, &here) == 0 && here.st_ino == inode_of(fd);
}

/* The set that the new link names. */
static void check_swap(int fd, const char *link)
{
	char target[128] = "", path[256];

	assert_true(readlinkat(fd, link, target, sizeof(target) - 1) > 0);
	snprintf(path, sizeof(path), "%s/%s", dir, target);
	assert_int_equal(nftw(path, check_flushed, 8, FTW_PHYS), 0);
	swaps++;
}

/* ---- the calls ---- */

int __real_openat(int fd, const char *path, int flags, ...);
int __wrap_openat(int fd, const char *path, int flags, ...);
int __wrap_openat(int fd, const char *path, int flags, ...)
{
	int result = __real_openat(fd, path, flags, 0600);

	if (result >= 0 && (flags & O_CREAT)) {
		change(parent_of(fd, path), "openat");
		change(inode_of(result), "openat");
	}
	return result;
}

/* A kernel without openat2(2), so that all is opened above. */
long __wrap_syscall(long number, ...);
long __wrap_syscall(long number, ...)
{
	(void)number;
	errno = ENOSYS;
	return -1;
}

ssize_t __real_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n)
{
	if (fd > STDERR_FILENO)
		change(inode_of(fd), "write");
	return __real_write(fd, p, n);
}

int __real_fchmod(int fd, mode_t mode);
int __wrap_fchmod(int fd, mode_t mode);
int __wrap_fchmod(int fd, mode_t mode)
{
	change(inode_of(fd), "fchmod");
	return __real_fchmod(fd, mode);
}

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
	flush(inode_of(fd));
	return __real_fsync(fd);
}

int __real_mkdirat(int fd, const char *path, mode_t mode);
int __wrap_mkdirat(int fd, const char *path, mode_t mode);
int __wrap_mkdirat(int fd, const char *path, mode_t mode)
{
	int result = __real_mkdirat(fd, path, mode);

	if (result == 0)
		change(parent_of(fd, path), "mkdirat");
	return result;
}

int __real_linkat(int fd, const char *path, int fd2, const char *path2, int flags);
int __wrap_linkat(int fd, const char *path, int fd2, const char *path2, int flags);
int __wrap_linkat(int fd, const char *path, int fd2, const char *path2, int flags)
{
	int result = __real_linkat(fd, path, fd2, path2, flags);

	if (result == 0)
		change(parent_of(fd2, path2), "linkat");
	return result;
}

int __real_symlinkat(const char *target, int fd, const char *path);
int __wrap_symlinkat(const char *target, int fd, const char *path);
int __wrap_symlinkat(const char *target, int fd, const char *path)
{
	int result = __real_symlinkat(target, fd, path);

	if (result == 0)
		change(parent_of(fd, path), "symlinkat");
	return result;
}

int __real_renameat(int fd, const char *path, int fd2, const char *path2);
int __wrap_renameat(int fd, const char *path, int fd2, const char *path2);
int __wrap_renameat(int fd, const char *path, int fd2, const char *path2)
{
	int result;

	if (strcmp(path2, "..data") == 0)
		check_swap(fd, path);
	result = __real_renameat(fd, path, fd2, path2);
	if (result == 0)
		change(parent_of(fd2, path2), "renameat");
	return result;
}

int __real_unlinkat(int fd, const char *path, int flags);
int __wrap_unlinkat(int fd, const char *path, int flags);
int __wrap_unlinkat(int fd, const char *path, int flags)
{
	/* A set that was published, not a file of it. */
	if (is_of_volume(fd) && strncmp(path, "..2", 3) == 0) {
		if (why_unflushed(inode_of(fd)) != NULL)
			fail_msg("'%s' goes, but the link to the new set is not on disk",
				 path);
		removals++;
	}
	return __real_unlinkat(fd, path, flags);
}

/* ---- the sets ---- */

static int set_up(void **state)
{
	(void)state;
	unflushed.count = 0;
	swaps = removals = 0;
	volume_make(dir);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unflushed.count = 0;
	volume_remove(dir);
	return 0;
}

static void publish(struct publish *p, const struct publish_file *files, size_t count)
{
	struct err err = { 0 };

	check_ok("publish", publish_look(p, &err), &err);
	check_ok("publish", volume_commit(p, files, count, 0, &err), &err);
}

static void test_sets(void **state)
{
	struct publish_file first[] = {
		volume_file("top", "1", "top 1"),
		volume_file("a/file", "1", "file 1"),
		volume_file("a/b/deep", "1", "deep 1"),
		volume_file("c/other", "1", "other 1"),
	};
	struct publish_file second[] = {
		volume_file("top", "2", "top 2"),
		volume_file("a/file", "1", NULL), /* carried forward, by a link */
		volume_file("a/b/deep", "2", "deep 2"),
		volume_file("d/e/new", "1", "new 1"),
	};
	struct publish_file none[] = { volume_file("top", "2", NULL) };
	struct publish *p = volume_open(dir);

	(void)state;
	publish(p, first, ARRAY_LEN(first));
	assert_int_equal(swaps, 1);
	publish(p, second, ARRAY_LEN(second));
	publish(p, none, ARRAY_LEN(none));
	assert_int_equal(swaps, 3);
	publish_run(p, RETAIN_MS);
	assert_true(removals >= 2);
	publish_close(p);
}

/* As after a crash in the middle of a publishing, whose set and links are not on disk. */
static void test_leftovers(void **state)
{
	struct publish_file files[] = { volume_file("a/file", "1", "file 1") };
	struct publish *p = volume_open(dir);

	(void)state;
	publish(p, files, ARRAY_LEN(files));
	publish_close(p);
	p = volume_open(dir);
	files[0] = volume_file("a/file", "2", "file 2");
	publish(p, files, ARRAY_LEN(files));
	publish_run(p, RETAIN_MS);
	assert_int_equal(swaps, 2);
	publish_close(p);
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = { IN_DIR(test_sets), IN_DIR(test_leftovers) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
