/* What each Secret was given last, over a restart; nonsense counts as nothing. */
#include "volume.h"

#include "deliver/written.h"

static char dir[64];
static int fd;

static int setup(void **state)
{
	(void)state;
	volume_make(dir);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0;
}

static int teardown(void **state)
{
	(void)state;
	close(fd);
	volume_remove(dir);
	return 0;
}

static void test_it_is_read_back(void **state)
{
	struct buf members = written_begin();
	struct written w;
	struct err err;

	(void)state;
	for (int i = 0; i < 100; i++) {
		char name[300];

		snprintf(name, sizeof(name), "%0253d", i);
		json_add_pair(&members, name, "0123456789abcdef");
	}
	json_add_pair(&members, "a\"b", "x");
	check_ok("save", written_save(fd, "list", 1790000000000, &members, &err), &err);
	w = written_read(fd);
	check_text("list", w.list, "list");
	check_int("since", w.since_ms, 1790000000000);
	check_text("quoted", written_source(&w, "a\"b"), "x");
	check_text("unknown", written_source(&w, "c"), "");
	written_done(&w);
	check_text("after", written_source(&w, "a\"b"), "");
}

static void test_nonsense(void **state)
{
	static const char *const rows[] = {
		"",
		"{",
		"[]",
		"7",
		"{\"format\":2,\"list\":\"l\"}",
		"{\"list\":\"l\"}",
		"{\"format\":1,\"list\":7,\"sources\":[\"s\"]}",
		"{\"format\":1,\"sources\":{\"s\":7}}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct written w;
		struct err err;

		check_ok(rows[i],
			 file_replace(fd, "..secrets", 0600, rows[i], strlen(rows[i]),
				      &err),
			 &err);
		w = written_read(fd);
		check_text(rows[i], w.list, "");
		check_text(rows[i], written_source(&w, "s"), "");
		written_done(&w);
	}
}

static void test_what_cannot_be_saved(void **state)
{
	struct buf members = written_begin();
	struct written w;
	struct err err;

	(void)state;
	w = written_read(fd);
	check_text("none", w.list, "");
	written_done(&w);
	assert_int_equal(mkdirat(fd, "..secrets", 0700), 0);
	json_add_pair(&members, "a", "b");
	check_err("a directory", written_save(fd, "l", 1, &members, &err), &err, ERR_IO,
		  "..secrets");
	w = written_read(fd);
	check_text("a directory", w.list, "");
	written_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_it_is_read_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nonsense, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_cannot_be_saved, setup,
						teardown),
	};

	json_global_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
