/* How much memory a configuration needs, by the files that `check` found. */
#include "unit.h"

#include "sync/footprint.h"

static void check_needs(const char *row, size_t entries, size_t files_each,
			uint64_t volume_mib)
{
	struct check_entry *items = xcalloc(entries, sizeof(*items));
	const struct templates none = { 0 };
	struct check check = { .items = items, .count = entries };
	struct footprint f;

	for (size_t i = 0; i < entries; i++) {
		items[i].file_count = files_each;
		items[i].bytes = 4096;
	}
	footprint_of(&f, &check, &none);
	check_int(row, (int)f.files, (int)(entries * files_each));
	check_int(row, (int)(f.volume_bytes / FOOTPRINT_MIB), (int)volume_mib);
	check_int(row, (int)(f.volume_bytes % FOOTPRINT_MIB), 0);
	check_int(row, (int)(f.container_bytes - f.volume_bytes), FOOTPRINT_PROCESS);
	check_int(row, (int)f.now_bytes, (int)entries * 4096);
	assert_false(f.is_open);
	free(items);
}

static void test_rows(void **state)
{
	(void)state;
	check_needs("an empty list", 0, 0, 1);
	check_needs("one", 1, 1, 1);
	check_needs("the last of 1 MiB", 17, 1, 1);
	check_needs("one more", 18, 1, 2);
	check_needs("300", 300, 1, 17);
	check_needs("files of layouts", 100, 3, 17);
}

static void test_open(void **state)
{
	struct check_entry items[] = { { .file_count = 1 }, { .more = "more" } };
	const struct templates none = { 0 };
	struct check check = { .items = items, .count = 2 };
	struct footprint f;

	(void)state;
	footprint_of(&f, &check, &none);
	assert_true(f.is_open);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
