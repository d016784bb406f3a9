/* A file outside of the set: replaced as a whole, left alone when it is right. */
#include "volume.h"

#include "deliver/env_file.h"

static char dir[64];
static char path[128];
static int set_fd = -1;

static int set_up(void **state)
{
	(void)state;
	volume_make(dir);
	snprintf(path, sizeof(path), "%s/app.env", dir);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	volume_remove(dir);
	return 0;
}

static int try_it(const char *where, const char *text, mode_t mode, bool *changed,
		  struct err *err)
{
	const struct env_file_order order = { .path = where,
					      .mode = mode,
					      .data = text,
					      .len = strlen(text),
					      .set_fd = set_fd };

	return env_file_write(&order, changed, err);
}

static bool write_it(const char *text, mode_t mode)
{
	struct err err = { 0 };
	bool changed;

	check_ok(text, try_it(path, text, mode, &changed, &err), &err);
	return changed;
}

static bool remove_it(void)
{
	struct err err = { 0 };
	bool removed;

	check_ok("remove", env_file_remove(path, &removed, &err), &err);
	return removed;
}

static void check_there(const char *text, mode_t mode)
{
	char got[128];
	struct stat st;

	volume_read(dir, "app.env", got);
	assert_string_equal(got, text);
	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | mode);
	snprintf(got, sizeof(got), "%s/..tmp.app.env", dir);
	assert_int_equal(access(got, F_OK), -1);
}

static void test_changes(void **state)
{
	mode_t mask = umask(0077);
	struct stat before, after;

	(void)state;
	assert_true(write_it("A='1'\n", 0444));
	check_there("A='1'\n", 0444);
	assert_int_equal(lstat(path, &before), 0);
	assert_false(write_it("A='1'\n", 0444));
	assert_int_equal(lstat(path, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
	assert_true(write_it("A='2'\n", 0444));
	assert_true(write_it("A='2'\n", 0440));
	check_there("A='2'\n", 0440);
	assert_true(write_it("", 0440));
	check_there("", 0440);
	umask(mask);
}

static void test_what_is_in_its_place(void **state)
{
	char other[128];

	(void)state;
	/* What a crash left of an earlier try. */
	volume_write(dir, "..tmp.app.env", "A='");
	assert_true(write_it("A='1'\n", 0440));
	check_there("A='1'\n", 0440);
	volume_write(dir, "..tmp.app.env", "A='");
	assert_false(write_it("A='1'\n", 0440));
	check_there("A='1'\n", 0440);
	/* A link is replaced, and not what it leads to. */
	volume_write(dir, "other", "x");
	snprintf(other, sizeof(other), "%s/other", dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("other", path), 0);
	assert_true(write_it("A='2'\n", 0440));
	check_there("A='2'\n", 0440);
	assert_int_equal(access(other, F_OK), 0);
}

static void test_failures(void **state)
{
	struct err err = { 0 };
	bool changed = false;
	char place[256];

	(void)state;
	snprintf(place, sizeof(place), "%s/missing/app.env", dir);
	check_err("no directory", try_it(place, "", 0440, &changed, &err), &err, ERR_IO,
		  "mount a second emptyDir");
	assert_int_equal(mkdir(path, 0700), 0);
	check_err("a directory", try_it(path, "", 0440, &changed, &err), &err, ERR_IO,
		  "cannot replace it");
	snprintf(place, sizeof(place), "%s/..tmp.app.env", dir);
	assert_int_equal(access(place, F_OK), -1);
	assert_false(changed);
	/* The directory of the set, by another name. */
	snprintf(place, sizeof(place), "%s/link", dir);
	assert_int_equal(symlink(".", place), 0);
	snprintf(place, sizeof(place), "%s/link/new.env", dir);
	set_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	check_err("of the set", try_it(place, "", 0440, &changed, &err), &err, ERR_IO,
		  "leads into AKVSYNC_DIR");
	close(set_fd);
	set_fd = -1;
	assert_int_equal(access(place, F_OK), -1);
}

static void test_remove(void **state)
{
	char other[128];

	(void)state;
	assert_false(remove_it());
	write_it("x", 0440);
	volume_write(dir, "..tmp.app.env", "A='"); /* of a crash */
	assert_true(remove_it());
	snprintf(other, sizeof(other), "%s/..tmp.app.env", dir);
	assert_int_equal(access(other, F_OK), -1);
	assert_int_equal(access(path, F_OK), -1);
	/* Not what is something else. */
	volume_write(dir, "other", "x");
	snprintf(other, sizeof(other), "%s/other", dir);
	assert_int_equal(symlink("other", path), 0);
	assert_false(remove_it());
	assert_int_equal(unlink(path), 0);
	assert_int_equal(link(other, path), 0);
	assert_false(remove_it());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_changes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_is_in_its_place, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_failures, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_remove, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
