/* New bytes wait on the volume: what is the same is dropped, and only what was seen to
 * have the bytes goes into a set. */
#include "volume.h"

#include <sys/resource.h>

#include "deliver/publish.h"

static char dir[64];
static struct publish *volume;

static int set_up(void **state)
{
	struct publish_file files[] = { volume_file("same", "1", "same 1"),
					volume_file("other", "1", "other 1") };
	struct err err = { 0 };

	(void)state;
	volume_make(dir);
	volume = volume_open(dir);
	return volume_commit(volume, files, 2, 0, &err);
}

static int tear_down(void **state)
{
	(void)state;
	publish_close(volume);
	volume_remove(dir);
	return 0;
}

static void read_new(const struct publish_file *f, const char *want)
{
	auto_buf struct buf bytes = BUF_INIT(100);
	struct err err = { 0 };

	check_ok(f->path, publish_read_new(volume, f, &bytes, &err), &err);
	check_text(f->path, buf_str(&bytes), want);
}

static void test_where_bytes_go(void **state)
{
	static const struct {
		const char *path, *bytes;
		mode_t mode;
		enum staged_state want;
	} rows[] = {
		{ "same", "same 1", 0440, STAGED_SAME },
		{ "same", "same 1", 0400, STAGED_FILE },
		{ "same", "same 2", 0440, STAGED_FILE },
		{ "same", "same 1 and more", 0440, STAGED_FILE },
		{ "same", "", 0440, STAGED_FILE },
		{ "new", "same 1", 0440, STAGED_FILE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct publish_file f = volume_file(rows[i].path, "2", rows[i].bytes);

		f.mode = rows[i].mode;
		volume_stage(volume, &f);
		check_int(rows[i].bytes, f.staged.state, rows[i].want);
		assert_null(f.data);
		read_new(&f, rows[i].bytes);
	}
	check_int("one directory", volume_count(dir, "..tmp."), 1);
	publish_abandon(volume);
	check_int("and none after it", volume_count(dir, "..tmp."), 0);
}

/* Without a volume, and where it has no room, they stay with the caller. */
static void test_bytes_that_stay(void **state)
{
	struct publish_file f = volume_file("new", "1", "new 1");

	(void)state;
	volume_stage(NULL, &f);
	check_int("no volume", f.staged.state, STAGED_NOT);
	read_new(&f, "new 1");
}

/* So many descriptors are left, which may be too few for the directory or for a file. */
static void test_few_descriptors(void **state)
{
	struct rlimit was;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	for (unsigned left = 0; left < 4; left++) {
		struct publish_file f = volume_file("new", "1", "new 1");
		auto_free char *row = xasprintf("%u left", left);
		int next = dup(0);
		struct rlimit few = { (rlim_t)next + left, was.rlim_max };

		close(next);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
		volume_stage(volume, &f);
		publish_abandon(volume);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
		check_int(row, volume_count(dir, "..tmp."), 0);
	}
}

/* The file that was seen to have the bytes is another one when the set is made. */
static void test_changed_meanwhile(void **state)
{
	static const char *const paths[] = { "same", "new" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		struct publish_file files[] = { volume_file(paths[i], "2", "same 1"),
						volume_file("other", "2", NULL) };
		auto_buf struct buf bytes = BUF_INIT(100);
		struct err err = { 0 };

		volume_stage(volume, &files[0]);
		check_int(paths[i], files[0].staged.state, i ? STAGED_FILE : STAGED_SAME);
		if (i == 0) {
			volume_write(dir, "..data/same", "foul");
		} else {
			auto_free char *command = xasprintf(
				"cd %s/..tmp.* && rm 0 && echo foul >0 && chmod 440 0",
				dir);

			assert_int_equal(system(command), 0); /* NOLINT */
		}
		assert_int_equal(publish_read_new(volume, &files[0], &bytes, &err), -1);
		check_holds(paths[i], err.msg, "changed or removed by another program");
		assert_int_equal(volume_commit(volume, files, 2, 0, &err), -1);
		check_holds(paths[i], err.msg, "changed or removed by another program");
		publish_abandon(volume);
	}
}

/* Its bytes are gone, those of the others stay. */
static void test_unstage(void **state)
{
	struct publish_file a = volume_file("a", "1", "a"),
			    b = volume_file("b", "1", "b");
	auto_buf struct buf bytes = BUF_INIT(100);
	struct staged was;
	struct err err = { 0 };

	(void)state;
	volume_stage(volume, &a);
	volume_stage(volume, &b);
	was = a.staged;
	publish_unstage(volume, &a.staged);
	check_int("a", a.staged.state, STAGED_NOT);
	a.staged = was;
	assert_int_equal(publish_read_new(volume, &a, &bytes, &err), -1);
	read_new(&b, "b");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_where_bytes_go, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bytes_that_stay, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_few_descriptors, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_changed_meanwhile, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_unstage, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
