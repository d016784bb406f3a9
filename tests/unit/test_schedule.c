/* When the next round starts, and when init gives up. */
#include "unit.h"

#include <math.h>

#include "run/schedule.h"

#define POLL 300000

static struct jitter jitter = { 1 };

static struct round_result outcome(enum err_kind worst, bool try_soon, int retry_after_ms)
{
	return (struct round_result){ .failures = { .try_soon = try_soon,
						    .retry_after_ms = retry_after_ms,
						    .worst = { .kind = worst } } };
}

static void test_delay(void **state)
{
	/* After one round of a fresh schedule. */
	static const struct {
		const char *row;
		enum err_kind worst;
		bool transient, synced;
		int retry_after_ms;
		int64_t least, most;
	} rows[] = {
		{ "all is well", ERR_NONE, false, true, 0, 240000, 360000 },
		{ "a new list has no room", ERR_NONE, true, true, 0, 1000, 3000 },
		{ "denied, but synced", ERR_DENIED, false, true, 0, 240000, 360000 },
		{ "denied, not synced", ERR_DENIED, false, false, 0, 1000, 3000 },
		{ "not found, not synced", ERR_NOTFOUND, false, false, 0, 1000, 3000 },
		{ "unreachable", ERR_UNAVAILABLE, true, true, 0, 1000, 3000 },
		{ "token refused", ERR_IDENTITY, true, false, 0, 1000, 3000 },
		{ "throttled", ERR_UNAVAILABLE, true, true, 45000, 46000, 48000 },
		{ "throttled a little", ERR_UNAVAILABLE, true, true, 10, 1010, 3010 },
		{ "throttled, not synced", ERR_UNAVAILABLE, true, false, 3600000, 3601000,
		  3603000 },
		{ "denied, and told when", ERR_DENIED, false, true, 3600000, 3600000,
		  3600000 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (int n = 0; n < 200; n++) {
			struct round_result r = outcome(rows[i].worst, rows[i].transient,
							rows[i].retry_after_ms);
			struct schedule s;
			int64_t delay;

			schedule_init(&s, POLL);
			s.polling = true;
			delay = schedule_next(&s, &r, rows[i].synced, &jitter);
			check(rows[i].row, delay >= rows[i].least);
			check(rows[i].row, delay <= rows[i].most);
		}
}

/* The delay that one vault asks for: its own requests wait for it in any case, those to
 * other vaults wait no longer than for a poll once a set is there. */
static void test_delay_of_a_vault(void **state)
{
	struct round_result r = outcome(ERR_UNAVAILABLE, true, 0);
	struct schedule s;

	(void)state;
	r.failures.vault_retry_after_ms = 3600000;
	schedule_init(&s, POLL);
	assert_in_range(schedule_next(&s, &r, true, &jitter), POLL, POLL + 3000);
	schedule_init(&s, POLL);
	assert_in_range(schedule_next(&s, &r, false, &jitter), 3601000, 3603000);
	r.failures.try_soon = false;
	schedule_init(&s, POLL);
	assert_in_range(schedule_next(&s, &r, true, &jitter), POLL, 2 * POLL);
	/* Who gives tokens asks for all. */
	r.failures.retry_after_ms = 3600000;
	assert_int_equal(schedule_next(&s, &r, true, &jitter), 3600000);
}

/* The first poll of pods that started together is spread over a whole interval. */
static void test_first_poll(void **state)
{
	int64_t least = INT64_MAX, most = 0;

	(void)state;
	for (int n = 0; n < 500; n++) {
		struct round_result r = outcome(ERR_NONE, false, 0);
		struct schedule s;
		int64_t delay;

		schedule_init(&s, POLL);
		delay = schedule_next(&s, &r, true, &jitter);
		least = delay < least ? delay : least;
		most = delay > most ? delay : most;
		delay = schedule_next(&s, &r, true, &jitter);
		assert_true(delay >= 240000 && delay <= 360000);
	}
	assert_true(least >= 150000 && least < 165000);
	assert_true(most <= 450000 && most > 435000);
}

/* A poll comes halfway to the end of an object, with jitter, but not sooner than a part
 * of the interval and never later than without the end. */
static void test_expiry(void **state)
{
	static const struct {
		const char *row;
		int64_t expires_in_ms, interval_ms, least, most;
	} rows[] = {
		{ "no end", 0, POLL, 240000, 360000 },
		{ "far away", 10 * POLL, POLL, 240000, 360000 },
		{ "halfway", 360000, POLL, 144000, 216000 },
		{ "half is half the interval", 300000, POLL, 120000, 180000 },
		{ "soon", 30000, POLL, 120000, 180000 },
		{ "at once", 1, POLL, 120000, 180000 },
		{ "a long interval", 1, 3600000, 1440000, 2160000 },
		{ "half is less than ten seconds", 1, 16000, 8000, 12000 },
		{ "the interval is", 1, 2000, 1600, 2400 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct round_result r = outcome(ERR_NONE, false, 0);
		int64_t least = INT64_MAX, most = 0;
		int64_t tenth = (rows[i].most - rows[i].least) / 10;

		r.expires_in_ms = rows[i].expires_in_ms;
		for (int n = 0; n < 500; n++) {
			struct schedule s;
			int64_t delay;

			schedule_init(&s, rows[i].interval_ms);
			s.polling = true;
			delay = schedule_next(&s, &r, true, &jitter);
			least = delay < least ? delay : least;
			most = delay > most ? delay : most;
		}
		check(rows[i].row, least >= rows[i].least);
		check(rows[i].row, least < rows[i].least + tenth);
		check(rows[i].row, most <= rows[i].most);
		check(rows[i].row, most > rows[i].most - tenth);
	}
}

/*
 * The pods of a deployment, each with a jitter of its own, share an object with an end:
 * they poll more often before it, but the vault gets at most so many times as many polls
 * as in steady state.
 */
#define PODS 300
#define PEAK 8
/* Before the end, in seconds: all pods start; steady state is measured; the peak is. */
#define START_S (24 * 3600)
#define STEADY_FROM_S (12 * 3600)
#define STEADY_TO_S (6 * 3600)
#define LOOK_S (30 * 60)

/* polls[s]: how many of them come in that second before the end. */
static void simulate(int64_t interval_ms, unsigned salt, unsigned polls[START_S + 1])
{
	for (unsigned i = 0; i < PODS; i++) {
		unsigned seed[] = { salt, i };
		struct round_result r = outcome(ERR_NONE, false, 0);
		struct jitter own;
		struct schedule s;

		jitter_seed(&own, seed, sizeof(seed));
		schedule_init(&s, interval_ms);
		r.expires_in_ms = START_S * 1000LL;
		while (r.expires_in_ms > 0) {
			polls[r.expires_in_ms / 1000]++;
			r.expires_in_ms -= schedule_next(&s, &r, true, &own);
		}
	}
}

/* The most that come in one of the buckets, of so many seconds each. */
static unsigned most_in(const unsigned *polls, int seconds, int bucket_s)
{
	unsigned most = 0;

	for (int from = 0; from + bucket_s <= seconds; from += bucket_s) {
		unsigned sum = 0;

		for (int s = from; s < from + bucket_s; s++)
			sum += polls[s];
		most = sum > most ? sum : most;
	}
	return most;
}

static void test_peak_before_an_expiry(void **state)
{
	static const int intervals_s[] = { 20, 60, 300, 900, 3600 };

	(void)state;
	for (size_t i = 0; i < 5 * ARRAY_LEN(intervals_s); i++) {
		int interval_s = intervals_s[i / 5];
		/* Enough for some polls in steady state. */
		int bucket_s = interval_s > 300 ? interval_s / 15 : 20;
		auto_free unsigned *polls = xcalloc(START_S + 1, sizeof(*polls));
		auto_free char *row = xasprintf("300 pods, interval %d s", interval_s);
		double steady, peak;

		simulate(interval_s * 1000LL, (unsigned)i, polls);
		steady = (double)most_in(polls + STEADY_TO_S, STEADY_FROM_S - STEADY_TO_S,
					 STEADY_FROM_S - STEADY_TO_S) /
			 (STEADY_FROM_S - STEADY_TO_S);
		peak = (double)most_in(polls, LOOK_S, bucket_s) / bucket_s;
		print_message("%s: %.2f polls a second; before the expiry %.2f for %d s, "
			      "which is %.1f times as many, and %u in the worst second\n",
			      row, steady, peak, bucket_s, peak / steady,
			      most_in(polls, LOOK_S, 1));
		check(row, fabs(steady * interval_s - PODS) < 0.1 * PODS);
		check(row, peak > steady);
		check(row, peak <= PEAK * steady);
	}
}

/* Failures come less and less often, never past a minute; a success forgets them. */
static void test_backoff(void **state)
{
	struct round_result bad = outcome(ERR_UNAVAILABLE, true, 0);
	struct round_result good = outcome(ERR_NONE, false, 0);
	int64_t most = 0;
	struct schedule s;

	(void)state;
	schedule_init(&s, POLL);
	for (int i = 0; i < 200; i++) {
		int64_t delay = schedule_next(&s, &bad, true, &jitter);

		assert_in_range(delay, 1000, 60000);
		most = delay > most ? delay : most;
	}
	assert_true(most > 50000);
	schedule_next(&s, &good, true, &jitter);
	assert_in_range(schedule_next(&s, &bad, true, &jitter), 1000, 3000);
}

/* A retry after a failure is never later than a poll would be. */
static void test_short_poll(void **state)
{
	struct round_result bad = outcome(ERR_UNAVAILABLE, true, 0);
	struct schedule s;

	(void)state;
	schedule_init(&s, 1000);
	for (int i = 0; i < 50; i++)
		assert_in_range(schedule_next(&s, &bad, true, &jitter), 1000, 1000);
}

static void test_gives_up(void **state)
{
	/* After so many rounds in a row with this as their worst failure; 0: never. */
	static const struct {
		enum err_kind worst;
		int rounds;
	} rows[] = {
		{ ERR_NONE, 0 },        { ERR_USAGE, 1 },  { ERR_CONFIG, 1 },
		{ ERR_IDENTITY, 0 },    { ERR_DENIED, 0 }, { ERR_NOTFOUND, 2 },
		{ ERR_UNAVAILABLE, 0 }, { ERR_IO, 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct round_result r = outcome(rows[i].worst, false, 0);
		struct schedule s;

		schedule_init(&s, POLL);
		for (int round = 1; round < 10; round++) {
			schedule_next(&s, &r, false, &jitter);
			assert_int_equal(schedule_gives_up(&s, &r),
					 rows[i].rounds && round >= rows[i].rounds);
		}
	}
}

/* Two rounds in a row, not two in all. */
static void test_not_found_is_confirmed(void **state)
{
	struct round_result missing = outcome(ERR_NOTFOUND, false, 0);
	struct round_result down = outcome(ERR_UNAVAILABLE, true, 0);
	struct schedule s;

	(void)state;
	schedule_init(&s, POLL);
	schedule_next(&s, &missing, false, &jitter);
	schedule_next(&s, &down, false, &jitter);
	schedule_next(&s, &missing, false, &jitter);
	assert_false(schedule_gives_up(&s, &missing));
	schedule_next(&s, &missing, false, &jitter);
	assert_true(schedule_gives_up(&s, &missing));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_delay),
		cmocka_unit_test(test_delay_of_a_vault),
		cmocka_unit_test(test_expiry),
		cmocka_unit_test(test_peak_before_an_expiry),
		cmocka_unit_test(test_first_poll),
		cmocka_unit_test(test_backoff),
		cmocka_unit_test(test_short_poll),
		cmocka_unit_test(test_gives_up),
		cmocka_unit_test(test_not_found_is_confirmed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
