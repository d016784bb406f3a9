/* Whole files: bounds, modes, replacement, and what must not be followed or waited for.
 */
#include "volume.h"

#include <errno.h>

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

static void test_temp_names(void **state)
{
	char a[FILE_TEMP_LEN], b[FILE_TEMP_LEN];

	(void)state;
	file_temp_name(a);
	file_temp_name(b);
	assert_string_not_equal(a, b);
	assert_memory_equal(a, FILE_TEMP_PREFIX, strlen(FILE_TEMP_PREFIX));
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIR(test_read),
		IN_DIR(test_compare),
		IN_DIR(test_foreign),
		IN_DIR(test_unreadable),
		IN_DIR(test_pipe_does_not_block),
		IN_DIR(test_create),
		IN_DIR(test_links_are_not_followed),
		IN_DIR(test_replace),
		cmocka_unit_test(test_temp_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
