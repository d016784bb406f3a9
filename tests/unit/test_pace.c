/* How fast one vault is asked: after a refusal everybody waits, then goes one by one. */
#include "unit.h"

#include "sync/pace.h"

static struct jitter jitter = { 7 };

static void test_unlimited(void **state)
{
	struct pace p;

	(void)state;
	pace_init(&p);
	assert_int_equal(pace_width(&p, 100), 100);
	pace_answered(&p, 0);
	assert_int_equal(pace_width(&p, 100), 100);
	assert_true(p.open_at == 0);
}

static void test_throttled(void **state)
{
	struct pace p;
	int64_t until;

	(void)state;
	pace_init(&p);
	pace_throttled(&p, 0, &jitter, 1000);
	until = p.open_at;
	assert_true(until >= 1500 && until <= 1000 + 8000);
	assert_int_equal(pace_width(&p, 100), 1);
	/* The others of the same burst change nothing, but for a delay they name. */
	for (int i = 0; i < 9; i++)
		pace_throttled(&p, 0, &jitter, 1001);
	assert_int_equal(p.open_at, until);
	pace_throttled(&p, 60000, &jitter, 1002);
	assert_int_equal(p.open_at, 61002);
	pace_throttled(&p, 10, &jitter, 1003);
	assert_int_equal(p.open_at, 61002);
}

/* Each answer doubles the width, until there is no limit any more. */
static void test_recovers(void **state)
{
	static const size_t widths[] = { 2, 4, 8, 100, 100 };
	struct pace p;

	(void)state;
	pace_init(&p);
	for (int64_t now = 0; now < 5 * 60000; now += 60000)
		pace_throttled(&p, 0, &jitter, now);
	pace_answered(&p, p.open_at - 1); /* sent before */
	assert_int_equal(pace_width(&p, 100), 1);
	for (size_t i = 0; i < ARRAY_LEN(widths); i++) {
		pace_answered(&p, p.open_at);
		check_int("width", pace_width(&p, 100), (int64_t)widths[i]);
	}
	assert_int_equal(p.backoff.last_ms, 0);
	assert_int_equal(pace_width(&p, 0), 0);
}

/* Two pods that were throttled together do not come back together. */
static void test_apart(void **state)
{
	struct pace a, b;
	struct jitter other = { 8 };

	(void)state;
	pace_init(&a);
	pace_init(&b);
	for (int64_t now = 0; now < 3 * 60000; now += 60000) {
		pace_throttled(&a, 0, &jitter, now);
		pace_throttled(&b, 0, &other, now);
	}
	assert_true(a.open_at != b.open_at);
	/* Nor when the vault told both of them the same delay. */
	pace_throttled(&a, 30000, &jitter, 600000);
	pace_throttled(&b, 30000, &other, 600000);
	assert_true(a.open_at >= 630500 && b.open_at >= 630500);
	assert_true(a.open_at != b.open_at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unlimited),
		cmocka_unit_test(test_throttled),
		cmocka_unit_test(test_recovers),
		cmocka_unit_test(test_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
