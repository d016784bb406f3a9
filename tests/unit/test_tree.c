/* The directories of a set: their modes, and that removing never follows a link. */
#include "volume.h"

#include <errno.h>
#include <sys/resource.h>

static char dir[64];
static int dir_fd;

static int set_up(void **state)
{
	(void)state;
	volume_make(dir);
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY);
	return dir_fd < 0;
}

static int tear_down(void **state)
{
	(void)state;
	close(dir_fd);
	volume_remove(dir);
	return access(dir, F_OK) == 0; /* nothing is too stubborn to be removed */
}

static mode_t mode_of(const char *name)
{
	struct stat st;

	assert_int_equal(fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_mode & 07777;
}

static void test_mkdir(void **state)
{
	mode_t mask = umask(0077);
	struct err err = { 0 };

	(void)state;
	check_ok("plain", tree_mkdir(dir_fd, "plain", &err), &err);
	assert_int_equal(mode_of("plain"), 0755);
	/* As on a volume with fsGroup. */
	assert_int_equal(fchmod(dir_fd, 02777), 0);
	check_ok("group", tree_mkdir(dir_fd, "group", &err), &err);
	check_ok("inner", tree_mkdir(dir_fd, "group/inner", &err), &err);
	assert_int_equal(mode_of("group"), 02755);
	assert_int_equal(mode_of("group/inner"), 02755);
	umask(mask);
}

static void test_mkdir_fails(void **state)
{
	static const struct {
		const char *path;
		int error;
	} rows[] = {
		{ "there", EEXIST },  { "file", EEXIST },    { "link", EEXIST },
		{ "none/x", ENOENT }, { "file/x", ENOTDIR },
	};
	struct err err = { 0 };

	(void)state;
	check_ok("there", tree_mkdir(dir_fd, "there", &err), &err);
	volume_write(dir, "file", "");
	assert_int_equal(symlinkat("nowhere", dir_fd, "link"), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int result = tree_mkdir(dir_fd, rows[i].path, &err);

		check_int(rows[i].path, errno, rows[i].error);
		check_err(rows[i].path, result, &err, ERR_IO, rows[i].path);
	}
}

static void test_parents(void **state)
{
	struct err err = { 0 };
	int result;

	(void)state;
	check_ok("none", tree_make_parents(dir_fd, "file", &err), &err);
	assert_int_equal(volume_count(dir, ""), 0);
	check_ok("some", tree_make_parents(dir_fd, "a/b/file", &err), &err);
	check_ok("again", tree_make_parents(dir_fd, "a/b/c/file", &err), &err);
	assert_int_equal(mode_of("a/b/c"), 0755);
	assert_int_equal(faccessat(dir_fd, "a/b/c/file", F_OK, 0), -1);
	volume_write(dir, "a/plain", "");
	result = tree_make_parents(dir_fd, "a/plain/x/file", &err);
	check_err("in the way", result, &err, ERR_IO, "a/plain/x");
}

static void test_remove(void **state)
{
	struct err err = { 0 };
	char outside[64], text[128], target[160];

	(void)state;
	volume_make(outside);
	volume_write(outside, "precious", "kept");
	check_ok("tree", tree_make_parents(dir_fd, "set/a/b/c/file", &err), &err);
	volume_write(dir, "set/a/file", "x");
	volume_write(dir, "set/..manifest", "x");
	volume_write(dir, "file", "x");
	snprintf(target, sizeof(target), "%s/precious", outside);
	assert_int_equal(symlinkat(outside, dir_fd, "set/a/dir-link"), 0);
	assert_int_equal(symlinkat(target, dir_fd, "set/a/file-link"), 0);
	assert_int_equal(symlinkat(outside, dir_fd, "link"), 0);
	tree_remove(dir_fd, "none");
	tree_remove(dir_fd, "file");
	tree_remove(dir_fd, "link");
	assert_int_equal(volume_count(dir, ""), 1);
	tree_remove(dir_fd, "set");
	assert_int_equal(volume_count(dir, ""), 0);
	volume_read(outside, "precious", text);
	assert_string_equal(text, "kept");
	volume_remove(outside);
}

/* What a failed try has made goes, though no descriptor is left. */
static void test_remove_without_descriptors(void **state)
{
	struct rlimit before, none;
	bool empty_goes, full_goes;

	(void)state;
	assert_int_equal(mkdirat(dir_fd, "empty", 0755), 0);
	assert_int_equal(mkdirat(dir_fd, "full", 0755), 0);
	assert_int_equal(mkdirat(dir_fd, "full/inner", 0755), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){ 0, before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	empty_goes = tree_remove(dir_fd, "empty");
	full_goes = tree_remove(dir_fd, "full");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_true(empty_goes);
	assert_int_equal(faccessat(dir_fd, "empty", F_OK, 0), -1);
	assert_false(full_goes);
	assert_true(tree_remove(dir_fd, "full"));
	assert_true(tree_remove(dir_fd, "full")); /* it is not there */
}

/* As deep as the configuration lets a path be, and the set's own directory. */
static void test_remove_deep(void **state)
{
	struct err err = { 0 };
	char path[256] = "set";

	(void)state;
	for (int i = 0; i < 32; i++)
		strcat(path, "/d");
	check_ok("deep", tree_make_parents(dir_fd, path, &err), &err);
	volume_write(dir, path, "x");
	tree_remove(dir_fd, "set");
	assert_int_equal(volume_count(dir, ""), 0);
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIR(test_mkdir),       IN_DIR(test_mkdir_fails),
		IN_DIR(test_parents),     IN_DIR(test_remove),
		IN_DIR(test_remove_deep), IN_DIR(test_remove_without_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
