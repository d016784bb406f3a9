/* An object is gone when it was missing three times in a row, not before. */
#include "unit.h"

#include "sync/absence.h"

static bool miss(struct absences *all, const char *path)
{
	bool gone;

	absences_begin(all);
	gone = absences_count(all, path);
	absences_end(all);
	return gone;
}

static void test_three_in_a_row(void **state)
{
	struct absences all = { 0 };

	(void)state;
	assert_false(miss(&all, "a"));
	assert_false(miss(&all, "a"));
	assert_true(miss(&all, "a"));
	assert_true(miss(&all, "a"));
	/* Another one starts anew, and the first is forgotten meanwhile. */
	assert_false(miss(&all, "b"));
	assert_int_equal(all.count, 1);
	assert_false(miss(&all, "a"));
	absences_done(&all);
	assert_int_equal(all.count, 0);
}

static void test_two_at_once(void **state)
{
	struct absences all = { 0 };

	(void)state;
	for (int i = 1; i <= ABSENCE_POLLS; i++) {
		absences_begin(&all);
		assert_int_equal(absences_count(&all, "a"), i == ABSENCE_POLLS);
		assert_int_equal(absences_count(&all, "b"), i == ABSENCE_POLLS);
		absences_end(&all);
	}
	absences_done(&all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_three_in_a_row),
		cmocka_unit_test(test_two_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
