/* Random delays: their bounds, their spread, and that a seed repeats them. */
#include "unit.h"

#include "base/backoff.h"

static void test_seed(void **state)
{
	static const char *const seeds[] = { "", "a", "b", "ab", "ba", "a\1" };
	uint64_t first[ARRAY_LEN(seeds)];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(seeds); i++) {
		struct jitter one, two;

		jitter_seed(&one, seeds[i], strlen(seeds[i]));
		jitter_seed(&two, seeds[i], strlen(seeds[i]));
		first[i] = (uint64_t)jitter_between(&one, 0, INT64_MAX / 2);
		check(seeds[i],
		      first[i] == (uint64_t)jitter_between(&two, 0, INT64_MAX / 2));
		for (size_t j = 0; j < i; j++)
			check(seeds[i], first[i] != first[j]);
	}
}

static void test_between(void **state)
{
	struct jitter j = { 1 };
	bool hit[5] = { false };

	(void)state;
	for (int i = 0; i < 1000; i++) {
		int64_t n = jitter_between(&j, -2, 2);

		assert_in_range(n + 2, 0, 4);
		hit[n + 2] = true;
	}
	for (int i = 0; i < 5; i++)
		assert_true(hit[i]);
	assert_int_equal(jitter_between(&j, 7, 7), 7);
	assert_int_equal(jitter_between(&j, 7, 3), 7);
	assert_int_equal(jitter_between(&j, 0, 0), 0);
}

static void test_around(void **state)
{
	static const struct {
		int64_t value;
		int percent;
		int64_t low, high;
	} rows[] = {
		{ 300000, 20, 240000, 360000 },
		{ 1000, 20, 800, 1200 },
		{ 7, 20, 6, 8 },
		{ 0, 20, 0, 0 },
		{ 1000, 0, 1000, 1000 },
		{ INT64_C(7) * 86400000, 20, INT64_C(483840000), INT64_C(725760000) },
	};
	struct jitter j = { 1 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t least = INT64_MAX, most = 0;

		for (int n = 0; n < 2000; n++) {
			int64_t got = jitter_around(&j, rows[i].value, rows[i].percent);

			assert_true(got >= rows[i].low && got <= rows[i].high);
			least = got < least ? got : least;
			most = got > most ? got : most;
		}
		/* Both sides are used, nearly up to the edge. */
		assert_true(least - rows[i].low <= (rows[i].high - rows[i].low) / 20);
		assert_true(rows[i].high - most <= (rows[i].high - rows[i].low) / 20);
	}
}

static void test_backoff(void **state)
{
	struct backoff b = BACKOFF_INIT(500, 8000);
	struct jitter j = { 3 };
	int64_t last = 500;
	bool capped = false;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		int64_t delay = backoff_next(&b, &j);

		assert_in_range(delay, 500, last * 3 < 8000 ? last * 3 : 8000);
		capped |= delay > 7500;
		last = delay;
	}
	assert_true(capped);
	backoff_reset(&b);
	assert_in_range(backoff_next(&b, &j), 500, 1500);
}

/* Clients that failed together do not come back together, not even the first time. */
static void test_first_delay_is_random(void **state)
{
	struct jitter j = { 5 };
	int64_t least = INT64_MAX, most = 0;

	(void)state;
	for (int i = 0; i < 200; i++) {
		struct backoff b = BACKOFF_INIT(500, 8000);
		int64_t delay = backoff_next(&b, &j);

		assert_in_range(delay, 500, 1500);
		least = delay < least ? delay : least;
		most = delay > most ? delay : most;
	}
	assert_true(least < 600 && most > 1400);
}

static void test_cap_below_base(void **state)
{
	struct backoff b = BACKOFF_INIT(1000, 1000);
	struct jitter j = { 5 };

	(void)state;
	for (int i = 0; i < 10; i++)
		assert_int_equal(backoff_next(&b, &j), 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_seed),
		cmocka_unit_test(test_between),
		cmocka_unit_test(test_around),
		cmocka_unit_test(test_backoff),
		cmocka_unit_test(test_first_delay_is_random),
		cmocka_unit_test(test_cap_below_base),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
