/* An array stays in order, and whatever is in it is found. */
#include "unit.h"

#include "base/sorted.h"

static int compare(const void *key, const void *item)
{
	return *(const int *)key - *(const int *)item;
}

static void test_places(void **state)
{
	static const int items[] = { 10, 20, 30, 40 };
	static const struct {
		int key;
		size_t count, at;
		bool found;
	} rows[] = {
		{ 5, 0, 0, false },  { 5, 4, 0, false },  { 10, 4, 0, true },
		{ 15, 4, 1, false }, { 20, 4, 1, true },  { 40, 4, 3, true },
		{ 45, 4, 4, false }, { 20, 1, 1, false }, { 10, 1, 0, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *row = xasprintf("%d of %zu", rows[i].key, rows[i].count);
		bool found;
		size_t at = sorted_place(items, rows[i].count, sizeof(int), &rows[i].key,
					 compare, &found);

		check_int(row, at, rows[i].at);
		check_int(row, found, rows[i].found);
	}
}

/* In any order of coming. */
static void test_insertion(void **state)
{
	auto_free int *items = NULL;
	size_t count = 0;
	bool found;

	(void)state;
	for (int i = 0; i < 500; i++) {
		int key = i * 211 % 499;
		size_t at =
			sorted_place(items, count, sizeof(int), &key, compare, &found);

		assert_int_equal(found, i == 499);
		if (found)
			continue;
		items = sorted_open(items, count++, sizeof(int), at);
		items[at] = key;
	}
	assert_int_equal(count, 499);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(items[i], i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_insertion),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
