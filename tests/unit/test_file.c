// LDFLAGS: -Wl,--wrap=openat
/* Whole files: bounds, modes, replacement, and what must not be followed or waited for,
 * stay open for other programs, or stay in memory.
 */
#include "volume.h"

#include <errno.h>
#include <pthread.h>

#define MARKER "planted-marker"

/* The descriptors that were opened since it was set to 0, and what is true of them all.
 */
static struct {
	int count;
	bool inherited;  /* a program that is started now gets one */
	bool accessible; /* another user may open one of the files */
} opened;

int __real_openat(int fd, const char *path, int flags, ...);
int __wrap_openat(int fd, const char *path, int flags, ...);
int __wrap_openat(int fd, const char *path, int flags, ...)
{
	mode_t mask = umask(0), mode;
	struct stat st;
	va_list ap;
	int result;

	va_start(ap, flags);
	mode = flags & O_CREAT ? (mode_t)va_arg(ap, int) : 0;
	va_end(ap);
	result = __real_openat(fd, path, flags, mode);
	umask(mask);
	if (result < 0)
		return result;
	assert_int_equal(fstat(result, &st), 0);
	opened.count++;
	opened.inherited |= !(fcntl(result, F_GETFD) & FD_CLOEXEC);
	opened.accessible |= (st.st_mode & 0077) != 0;
	return result;
}

static char dir[64];

static int set_up(void **state)
{
	(void)state;
	volume_make(dir);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	volume_remove(dir);
	return 0;
}

static const char *at(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void test_read(void **state)
{
	struct err err = { 0 };
	char big[5000];

	(void)state;
	memset(big, 'x', sizeof(big));
	assert_int_equal(file_create(AT_FDCWD, at("f"), 0600, big, sizeof(big), &err), 0);
	for (int slack = -1; slack <= 1; slack++) {
		auto_buf struct buf text = BUF_INIT(sizeof(big) + (size_t)slack);
		int result = file_read(AT_FDCWD, at("f"), &text, &err);

		if (slack < 0) {
			assert_int_equal(errno, EFBIG);
			check_err("too large", result, &err, ERR_IO, "is larger than");
			continue;
		}
		check_ok("fits", result, &err);
		assert_int_equal(text.len, sizeof(big));
		assert_memory_equal(text.data, big, sizeof(big));
	}
}

static void test_compare(void **state)
{
	static const struct {
		const char *there, *data;
		size_t len;
		bool same;
	} rows[] = {
		{ "", "", 0, true },        { "", "x", 1, false },
		{ "abc", "abc", 3, true },  { "abc", "abc", 4, false },
		{ "abc", "abd", 3, false }, { "abc", "ab", 2, false },
		{ "abc", "", 0, false },
	};
	struct err err = { 0 };
	bool same;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		volume_write(dir, "f", rows[i].there);
		check_ok(rows[i].there,
			 file_compare(AT_FDCWD, at("f"), rows[i].data, rows[i].len, &same,
				      &err),
			 &err);
		check_int(rows[i].data, same, rows[i].same);
	}
	check_err("none", file_compare(AT_FDCWD, at("none"), "", 0, &same, &err), &err,
		  ERR_IO, "cannot open");
	assert_int_equal(errno, ENOENT);
	assert_int_equal(symlink("f", at("link")), 0);
	check_err("link", file_compare(AT_FDCWD, at("link"), "", 0, &same, &err), &err,
		  ERR_IO, "cannot open");
	check_err("directory", file_compare(AT_FDCWD, dir, "", 0, &same, &err), &err,
		  ERR_IO, "cannot read");
}

/* What a wait does not mend. */
static void test_foreign(void **state)
{
	static const int is[] = { EFBIG, EISDIR, ELOOP, ENXIO };
	static const int is_not[] = { ENOENT, ENOMEM, ENFILE, EMFILE, EIO, EACCES, 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(is); i++)
		check(strerror(is[i]), file_is_foreign(AT_FDCWD, "nothing", is[i]));
	for (size_t i = 0; i < ARRAY_LEN(is_not); i++)
		check(strerror(is_not[i]),
		      !file_is_foreign(AT_FDCWD, "nothing", is_not[i]));
}

/* Of a file that is ours, the mode may be put right again. */
static void test_foreign_owner(void **state)
{
	static const int causes[] = { EACCES, EPERM };

	(void)state;
	volume_write(dir, "f", "");
	for (size_t i = 0; i < ARRAY_LEN(causes); i++)
		check(strerror(causes[i]),
		      !file_is_foreign(AT_FDCWD, at("f"), causes[i]));
	if (geteuid() != 0)
		return;
	assert_int_equal(chown(at("f"), 12345, 12345), 0);
	for (size_t i = 0; i < ARRAY_LEN(causes); i++)
		check(strerror(causes[i]), file_is_foreign(AT_FDCWD, at("f"), causes[i]));
}

static void test_unreadable(void **state)
{
	auto_buf struct buf text = BUF_INIT(100);
	struct err err = { 0 };
	int result;

	(void)state;
	result = file_read(AT_FDCWD, at("none"), &text, &err);
	assert_int_equal(errno, ENOENT);
	check_err("none", result, &err, ERR_IO, "No such file");
	check_err("dir", file_read(AT_FDCWD, dir, &text, &err), &err, ERR_IO,
		  "cannot read");
	assert_int_equal(text.len, 0);
}

/* The app's side of a shared volume cannot make us wait: nobody writes to this pipe. */
static void test_pipe_does_not_block(void **state)
{
	auto_buf struct buf text = BUF_INIT(100);
	struct err err = { 0 };

	(void)state;
	assert_int_equal(mkfifo(at("pipe"), 0600), 0);
	alarm(5);
	(void)!file_read(AT_FDCWD, at("pipe"), &text, &err);
	alarm(0);
	assert_int_equal(text.len, 0);
}

static void test_create(void **state)
{
	static const mode_t modes[] = { 0, 0400, 0440, 0644, 0777 };
	mode_t mask = umask(0077);
	struct err err = { 0 };
	struct stat st;
	char text[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		assert_int_equal(
			file_create(AT_FDCWD, at("new"), modes[i], "a\0b", 3, &err), 0);
		assert_int_equal(stat(at("new"), &st), 0);
		assert_int_equal(st.st_mode & 07777, modes[i]);
		assert_int_equal(st.st_size, 3);
		assert_int_equal(unlink(at("new")), 0);
	}
	umask(mask);
	assert_int_equal(file_create(AT_FDCWD, at("empty"), 0600, NULL, 0, &err), 0);
	assert_int_equal(file_create(AT_FDCWD, at("there"), 0600, "old", 3, &err), 0);
	check_err("there", file_create(AT_FDCWD, at("there"), 0600, "new", 3, &err), &err,
		  ERR_IO, "File exists");
	volume_read(dir, "there", text);
	assert_string_equal(text, "old");
}

static void test_links_are_not_followed(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_int_equal(symlink("target", at("link")), 0);
	check_err("link", file_create(AT_FDCWD, at("link"), 0600, "x", 1, &err), &err,
		  ERR_IO, "cannot create");
	assert_int_equal(access(at("target"), F_OK), -1);
}

static void test_replace(void **state)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY);
	struct err err = { 0 };
	struct stat st;
	char text[128];

	(void)state;
	assert_int_equal(file_replace(fd, "state", 0600, "one", 3, &err), 0);
	assert_int_equal(file_replace(fd, "state", 0640, "second", 6, &err), 0);
	volume_read(dir, "state", text);
	assert_string_equal(text, "second");
	assert_int_equal(fstatat(fd, "state", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	/* A directory in the way: told, and the temporary file is gone. */
	assert_int_equal(mkdirat(fd, "taken", 0700), 0);
	check_err("taken", file_replace(fd, "taken", 0600, "x", 1, &err), &err, ERR_IO,
		  "cannot replace 'taken'");
	assert_int_equal(volume_count(dir, ""), 2);
	close(fd);
	check_err("no directory", file_replace(fd, "state", 0600, "x", 1, &err), &err,
		  ERR_IO, "'state'");
}

/* From birth on: another thread might start a program at any time. */
static void test_descriptors(void **state)
{
	auto_buf struct buf text = BUF_INIT(100);
	struct err err = { 0 };
	auto_close int dir_fd = -1;
	bool same;

	(void)state;
	memset(&opened, 0, sizeof(opened));
	check_ok("create", file_create(AT_FDCWD, at("f"), 0644, "x", 1, &err), &err);
	check_int("create", opened.accessible, false);
	check_int("create", opened.inherited, false);
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	check_ok("replace", file_replace(dir_fd, "f", 0644, "x", 1, &err), &err);
	check_int("replace", opened.inherited, false);
	check_ok("read", file_read(AT_FDCWD, at("f"), &text, &err), &err);
	check_int("read", opened.inherited, false);
	check_ok("compare", file_compare(AT_FDCWD, at("f"), "x", 1, &same, &err), &err);
	check_int("compare", opened.inherited, false);
	check_int("opened", opened.count, 4);
}

static void *read_it(void *arg)
{
	auto_buf struct buf text = BUF_INIT(100);
	struct err err;

	return file_read(AT_FDCWD, arg, &text, &err) < 0 ? arg : NULL;
}

static void *compare_it(void *arg)
{
	struct err err;
	bool same;

	return file_compare(AT_FDCWD, arg, "other", 5, &same, &err) < 0 ? arg : NULL;
}

/* Reads it and leaves its bytes. */
static void *leave_it(void *arg)
{
	char bytes[256];
	int fd = open(arg, O_RDONLY);
	ssize_t n = read(fd, bytes, sizeof(bytes));

	__asm__ volatile("" : : "r"(bytes) : "memory");
	close(fd);
	return n <= 0 ? arg : NULL;
}

/* Runs it on a stack that can be searched: is the file's text there afterwards? */
static bool stays_on_stack(void *(*run)(void *))
{
	enum { SIZE = 1 << 20 };
	char *stack = NULL;
	pthread_attr_t attr;
	pthread_t thread;
	void *failed;
	bool found;

	assert_int_equal(posix_memalign((void **)&stack, 4096, SIZE), 0);
	memset(stack, 0, SIZE);
	assert_int_equal(pthread_attr_init(&attr), 0);
	assert_int_equal(pthread_attr_setstack(&attr, stack, SIZE), 0);
	assert_int_equal(pthread_create(&thread, &attr, run, (void *)(uintptr_t)at("f")),
			 0);
	assert_int_equal(pthread_join(thread, &failed), 0);
	assert_null(failed);
	pthread_attr_destroy(&attr);
	found = memmem(stack, SIZE, MARKER, strlen(MARKER)) != NULL;
	free(stack);
	return found;
}

static void test_stack(void **state)
{
	(void)state;
	volume_write(dir, "f", MARKER);
	assert_true(stays_on_stack(leave_it)); /* the check does see bytes */
	assert_false(stays_on_stack(read_it));
	assert_false(stays_on_stack(compare_it));
}

static void test_temp_names(void **state)
{
	char a[FILE_TEMP_LEN], b[FILE_TEMP_LEN];

	(void)state;
	file_temp_name(a);
	file_temp_name(b);
	assert_string_not_equal(a, b);
	assert_memory_equal(a, FILE_TEMP_PREFIX, strlen(FILE_TEMP_PREFIX));
}

static void test_below(void **state)
{
	static const struct {
		const char *path;
		bool want;
	} rows[] = { { "", true },      { "/sub", true },        { "/sub/deep", true },
		     { "/link", true }, { "/sub/../..", false }, { "x", false } };

	auto_close int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	assert_int_equal(mkdirat(dir_fd, "sub", 0700), 0);
	assert_int_equal(mkdirat(dir_fd, "sub/deep", 0700), 0);
	assert_int_equal(symlinkat("sub/deep", dir_fd, "link"), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *path = xasprintf("%s%s", dir, rows[i].path);
		int fd;

		(void)mkdir(path, 0700);
		fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		check(path, file_is_below(fd, dir_fd) == rows[i].want);
		close(fd);
		if (!rows[i].want)
			(void)rmdir(path);
	}
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIR(test_read),
		IN_DIR(test_compare),
		IN_DIR(test_foreign),
		IN_DIR(test_foreign_owner),
		IN_DIR(test_unreadable),
		IN_DIR(test_pipe_does_not_block),
		IN_DIR(test_create),
		IN_DIR(test_links_are_not_followed),
		IN_DIR(test_replace),
		IN_DIR(test_descriptors),
		IN_DIR(test_stack),
		IN_DIR(test_below),
		cmocka_unit_test(test_temp_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
