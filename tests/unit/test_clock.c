// LDFLAGS: -Wl,--wrap=clock_gettime
/* Deadlines and time stamps. */
#include "unit.h"

#include <limits.h>
#include <time.h>

#include "base/clock.h"

static time_t set_back; /* seconds by which an operator set the wall clock back */

int __real_clock_gettime(clockid_t id, struct timespec *ts);
int __wrap_clock_gettime(clockid_t id, struct timespec *ts);
int __wrap_clock_gettime(clockid_t id, struct timespec *ts)
{
	int result = __real_clock_gettime(id, ts);

	if (id == CLOCK_REALTIME)
		ts->tv_sec -= set_back;
	return result;
}

static void test_until(void **state)
{
	static const struct {
		const char *row;
		int64_t deadline, now;
		int want;
	} rows[] = {
		{ "never", CLOCK_NEVER, 5, -1 },
		{ "passed", 4, 5, 0 },
		{ "now", 5, 5, 0 },
		{ "soon", 6, 5, 1 },
		{ "as far as an int", INT_MAX, 0, INT_MAX },
		{ "farther than an int", (int64_t)INT_MAX + 1, 0, INT_MAX },
		{ "very far", CLOCK_NEVER - 1, 0, INT_MAX },
		{ "long passed", 0, INT64_MAX, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_int(rows[i].row, clock_ms_until(rows[i].deadline, rows[i].now),
			  rows[i].want);
	assert_int_equal(clock_sooner(1, CLOCK_NEVER), 1);
	assert_int_equal(clock_sooner(2, 1), 1);
}

static void test_text(void **state)
{
	static const struct {
		int64_t wall_ms;
		const char *want;
	} rows[] = {
		{ 0, "1970-01-01T00:00:00.000Z" },
		{ 1, "1970-01-01T00:00:00.001Z" },
		{ INT64_C(951782399999), "2000-02-28T23:59:59.999Z" },
		{ INT64_C(951782400000), "2000-02-29T00:00:00.000Z" },
		{ INT64_C(2147483648000), "2038-01-19T03:14:08.000Z" },
		{ INT64_C(253402300799050), "9999-12-31T23:59:59.050Z" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[CLOCK_TEXT_LEN];

		clock_text(text, rows[i].wall_ms);
		check_text(rows[i].want, text, rows[i].want);
	}
}

static void test_clocks(void **state)
{
	int64_t before = clock_now_ms();

	(void)state;
	assert_true(clock_now_ms() >= before);
	assert_true(clock_wall_ms() > INT64_C(1700000000000));
	/* Whoever sets the wall clock moves no deadline. */
	before = clock_now_ms();
	set_back = 3600;
	assert_true(clock_now_ms() >= before);
	assert_true(clock_now_ms() < before + 3600000);
	set_back = 0;
}

static void test_read(void **state)
{
	static const struct {
		const char *text, *format;
		int64_t want;
	} rows[] = {
		{ "2026_06_16 22:35:02", "%Y_%m_%d %H:%M:%S", INT64_C(1781649302000) },
		{ "2026_06_16 22:35:02.5", "%Y_%m_%d %H:%M:%S", INT64_C(1781649302000) },
		{ "2026_06_16", "%Y_%m_%d %H:%M:%S", 0 },
		{ "2026_13_16 22:35:02", "%Y_%m_%d %H:%M:%S", 0 },
		{ "", "%Y_%m_%d %H:%M:%S", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_int(rows[i].text, clock_read(rows[i].text, rows[i].format),
			  rows[i].want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_until),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_clocks),
		cmocka_unit_test(test_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
