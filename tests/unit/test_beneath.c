// LDFLAGS: -Wl,--wrap=syscall
/* What is opened, made and examined below a directory while another process swaps
 * directories for links that lead out of it: with openat2(2) and without. */
#include "volume.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/beneath.h"

#define TRIES 4000
#define TEXT "written"

static char dir[64], outside[64];
static int dir_fd;

/* ---- kernels with openat2(2), and those that refuse it ---- */

static int refusal; /* the error number; 0: it is there */
static int refused;

long __real_syscall(long number, long a, long b, long c, long d, long e, long f);
long __wrap_syscall(long number, long a, long b, long c, long d, long e, long f);
long __wrap_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	if (number != SYS_openat2 || refusal == 0)
		return __real_syscall(number, a, b, c, d, e, f);
	refused++;
	errno = refusal;
	return -1;
}

static const int refusals[] = { 0, ENOSYS, EPERM };

static int set_up(void **state)
{
	(void)state;
	refusal = refused = 0;
	volume_make(dir);
	volume_make(outside);
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY);
	return dir_fd < 0;
}

static int tear_down(void **state)
{
	(void)state;
	close(dir_fd);
	volume_remove(dir);
	volume_remove(outside);
	return 0;
}

static const char *in(const char *where, const char *name)
{
	static char path[2][256];
	static int turn;

	turn = !turn;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", where, name);
	return path[turn];
}

/* ---- what is there ---- */

static void test_paths(void **state)
{
	static const struct {
		const char *path;
		int error; /* 0: it is a file of the directory */
	} rows[] = {
		{ "file", 0 },
		{ "a/file", 0 },
		{ "a/b/file", 0 },
		{ "none", ENOENT },
		{ "a/none/file", ENOENT },
		{ "file/file", ENOTDIR },
		{ "link", ELOOP },
		{ "out/file", ELOOP },
		{ "a/out/file", ELOOP },
		{ "a/out/b/file", ELOOP },
		{ "in/file", ELOOP },
	};

	(void)state;
	assert_int_equal(mkdir(in(dir, "a"), 0755), 0);
	assert_int_equal(mkdir(in(dir, "a/b"), 0755), 0);
	assert_int_equal(mkdir(in(outside, "b"), 0755), 0);
	volume_write(dir, "file", TEXT);
	volume_write(dir, "a/file", TEXT);
	volume_write(dir, "a/b/file", TEXT);
	volume_write(outside, "file", TEXT);
	volume_write(outside, "b/file", TEXT);
	assert_int_equal(symlink("file", in(dir, "link")), 0);
	assert_int_equal(symlink(outside, in(dir, "out")), 0);
	assert_int_equal(symlink(outside, in(dir, "a/out")), 0);
	assert_int_equal(symlink("a", in(dir, "in")), 0);
	for (size_t k = 0; k < ARRAY_LEN(refusals); k++) {
		refusal = refusals[k];
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			int fd = beneath_open(dir_fd, rows[i].path, O_RDONLY, 0);
			/* Of a directory that is a link, one says the one and one the
			 * other. */
			int error = fd >= 0 ? 0 : errno == ENOTDIR ? ELOOP : errno;
			struct stat st;

			check_int(rows[i].path, error,
				  rows[i].error == ENOTDIR ? ELOOP : rows[i].error);
			if (fd >= 0) {
				assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
				close(fd);
				check_int(rows[i].path,
					  beneath_stat(dir_fd, rows[i].path, &st), 0);
				assert_true(S_ISREG(st.st_mode));
			}
		}
		assert_int_equal(refused > 0, refusal != 0);
	}
}

/* As another program may have written them into a manifest. */
static void test_paths_that_lead_up(void **state)
{
	auto_free char *up = xasprintf("../%s/file", strrchr(outside, '/') + 1);
	auto_free char *later = xasprintf("a/../../%s/file", strrchr(outside, '/') + 1);
	const char *const paths[] = { up, later, "a/../..", ".." };
	struct stat st;

	(void)state;
	assert_int_equal(mkdir(in(dir, "a"), 0755), 0);
	volume_write(outside, "file", TEXT);
	for (size_t k = 0; k < ARRAY_LEN(refusals); k++) {
		refusal = refusals[k];
		for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
			check_int(paths[i], beneath_open(dir_fd, paths[i], O_RDONLY, 0),
				  -1);
			check_int(paths[i], errno, EXDEV);
			check_int(paths[i], beneath_stat(dir_fd, paths[i], &st), -1);
			check_int(paths[i], errno, EXDEV);
		}
	}
}

static void test_stat_of_a_link(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(symlink("nowhere", in(dir, "link")), 0);
	assert_int_equal(beneath_stat(dir_fd, "link", &st), 0);
	assert_true(S_ISLNK(st.st_mode));
}

static void test_parent(void **state)
{
	const char *name;
	int fd;

	(void)state;
	assert_int_equal(mkdir(in(dir, "a"), 0755), 0);
	fd = beneath_parent(dir_fd, "a/x", &name);
	assert_true(fd >= 0);
	assert_string_equal(name, "x");
	assert_int_equal(mkdirat(fd, name, 0755), 0);
	assert_int_equal(access(in(dir, "a/x"), F_OK), 0);
	close(fd);
	fd = beneath_parent(dir_fd, "x", &name);
	assert_true(fd >= 0 && fd != dir_fd);
	assert_string_equal(name, "x");
	close(fd);
}

/* ---- a process that swaps ---- */

/* Swaps DIR/a and DIR/c/b for links that lead out, as fast as it can. */
static pid_t start_planter(void)
{
	pid_t child = fork();

	if (child != 0)
		return child;
	for (;;) {
		(void)syscall(SYS_renameat2, dir_fd, "a", dir_fd, "to-outside", 2U);
		(void)syscall(SYS_renameat2, dir_fd, "c/b", dir_fd, "to-outside-b", 2U);
	}
}

static void write_something(int number, int *written)
{
	struct err err;
	char path[64];

	snprintf(path, sizeof(path), "%s/f%d", number % 2 ? "a" : "c/b", number);
	if (tree_make_parents(dir_fd, path, &err) == 0 &&
	    file_create(dir_fd, path, 0400, TEXT, strlen(TEXT), &err) == 0)
		(*written)++;
	snprintf(path, sizeof(path), "%s/d%d/e/f", number % 2 ? "a" : "c/b", number);
	(void)!tree_make_parents(dir_fd, path, &err);
	(void)!tree_flush_parents(dir_fd, path, &err);
}

/* Whatever it swaps, and when: nothing is made outside of the directory, no mode is
 * changed there, and nothing is read from there. */
static void test_swapped_directories(void **state)
{
	(void)state;
	assert_int_equal(mkdir(in(dir, "a"), 0755), 0);
	assert_int_equal(mkdir(in(dir, "c"), 0755), 0);
	assert_int_equal(mkdir(in(dir, "c/b"), 0755), 0);
	assert_int_equal(mkdir(in(outside, "b"), 0700), 0);
	assert_int_equal(chmod(outside, 0700), 0);
	volume_write(outside, "private", "of others");
	volume_write(outside, "b/private", "of others");
	assert_int_equal(symlink(outside, in(dir, "to-outside")), 0);
	assert_int_equal(symlink(in(outside, "b"), in(dir, "to-outside-b")), 0);
	for (size_t k = 0; k < ARRAY_LEN(refusals); k++) {
		pid_t planter = start_planter();
		int written = 0, read = 0;
		struct stat st;

		refusal = refusals[k];
		for (int i = 0; i < TRIES; i++) {
			auto_buf struct buf text = BUF_INIT(64);
			struct err err;

			write_something((int)k * TRIES + i, &written);
			read += file_read(dir_fd, i % 2 ? "a/private" : "c/b/private",
					  &text, &err) == 0;
		}
		kill(planter, SIGKILL);
		waitpid(planter, NULL, 0);
		assert_int_equal(volume_count(outside, ""), 2);
		assert_int_equal(volume_count(in(outside, "b"), ""), 1);
		assert_int_equal(stat(outside, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0700);
		assert_int_equal(stat(in(outside, "b"), &st), 0);
		assert_int_equal(st.st_mode & 0777, 0700);
		assert_int_equal(read, 0);
		print_message("%d of %d files were written inside\n", written, TRIES);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_paths, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_paths_that_lead_up, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_stat_of_a_link, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_parent, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_swapped_directories, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
