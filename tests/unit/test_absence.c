/* An object is gone when it was missing at three polls in a row and for three poll
 * intervals, not before. */
#include "unit.h"

#include "sync/absence.h"

#define SECOND 1000
#define HOUR (3600 * SECOND)

/* A round in which one path is absent, or with NULL none. */
static bool miss(struct absences *all, const char *path, int64_t now, int64_t interval_ms)
{
	bool gone;

	absences_begin(all, now, interval_ms);
	gone = path && absences_count(all, path);
	absences_end(all);
	return gone;
}

/* Rounds of one object, and in which of them it is gone. */
static void test_rounds(void **state)
{
	static const struct {
		const char *row;
		int64_t interval_ms;
		const char *is_absent; /* '1' or '0' for each round */
		const char *is_gone;
		int64_t at[8]; /* when the rounds are */
	} rows[] = {
		{ "at each poll", 10, "11111", "00011", { 100, 110, 120, 130, 140 } },
		{ "the last moment before", 10, "1111", "0001", { 0, 10, 29, 30 } },
		{ "polls that come late", 10, "111", "001", { 0, 15, 30 } },
		{ "two polls are not enough", 10, "111", "001", { 0, HOUR, HOUR + 1 } },
		{ "it was there in between",
		  10,
		  "11011111",
		  "00000001",
		  { 0, 10, 20, 30, 40, 50, 59, 60 } },
		{ "refresh, again and again",
		  HOUR,
		  "11111111",
		  "00000000",
		  { 0, 1, 2, 3, 4 * SECOND, HOUR, 2 * HOUR, 3 * HOUR - 1 } },
		{ "then a poll", HOUR, "1111", "0001", { 0, 1, 2, 3 * HOUR } },
		{ "a list that is retried often",
		  300 * SECOND,
		  "1111111",
		  "0000001",
		  { 0, 2000, 5000, 60000, 300000, 600000, 900000 } },
		{ "an interval of a second",
		  SECOND,
		  "11111",
		  "00001",
		  { 0, 800, 1600, 2400, 3200 } },
		{ "the clock begins at 0",
		  10,
		  "000111",
		  "000001",
		  { 0, 1, 2, 3, 20, 33 } },
		{ "an interval beyond reason",
		  INT64_MAX,
		  "111",
		  "000",
		  { 0, HOUR, 9 * HOUR } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct absences all = { 0 };

		for (size_t n = 0; rows[i].is_absent[n]; n++) {
			bool absent = rows[i].is_absent[n] == '1';
			bool gone = miss(&all, absent ? "a" : NULL, rows[i].at[n],
					 rows[i].interval_ms);
			auto_free char *row =
				xasprintf("%s, round %zu", rows[i].row, n + 1);

			check_int(row, gone, rows[i].is_gone[n] == '1');
			check_int(row, all.count, absent);
		}
		absences_done(&all);
	}
}

/* Another one starts anew, and the first is forgotten meanwhile. */
static void test_each_by_itself(void **state)
{
	struct absences all = { 0 };

	(void)state;
	for (int64_t now = 0; now < 3; now++)
		assert_false(miss(&all, "a", now, 1));
	assert_true(miss(&all, "a", 3, 1));
	assert_false(miss(&all, "b", 4, 1));
	assert_int_equal(all.count, 1);
	assert_false(miss(&all, "a", 5, 1));
	absences_done(&all);
	assert_int_equal(all.count, 0);
}

static void test_two_at_once(void **state)
{
	struct absences all = { 0 };

	(void)state;
	for (int i = 1; i <= 5; i++) {
		absences_begin(&all, 10 * i, 10);
		assert_int_equal(absences_count(&all, "a"), i >= 4);
		if (i > 1)
			assert_int_equal(absences_count(&all, "b"), i >= 5);
		absences_end(&all);
	}
	absences_done(&all);
}

/* A shorter interval that is configured meanwhile counts at once, a longer one too. */
static void test_new_interval(void **state)
{
	struct absences all = { 0 };

	(void)state;
	for (int64_t now = 0; now < 4; now++)
		assert_false(miss(&all, "a", now * SECOND, HOUR));
	assert_true(miss(&all, "a", 4 * SECOND, SECOND));
	assert_false(miss(&all, "a", 5 * SECOND, HOUR));
	absences_done(&all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rounds),
		cmocka_unit_test(test_each_by_itself),
		cmocka_unit_test(test_two_at_once),
		cmocka_unit_test(test_new_interval),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
