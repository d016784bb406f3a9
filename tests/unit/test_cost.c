/* What pods cost a vault: shares of its limit, bursts, the bill, and the fixes. */
#include "unit.h"

#include <math.h>

#include "sync/cost.h"

#define WEEK_MS (INT64_C(7) * 86400000)
#define NO_ERROR NULL

static void check_near(const char *row, const char *what, double got, double want)
{
	if (fabs(got - want) > 1e-6 * fmax(1, fabs(want)))
		fail_msg("'%s': %s is %.9g, not %.9g", row, what, got, want);
}

static void test_of_one_vault(void **state)
{
	static const struct {
		const char *row;
		struct cost_load load;
		struct cost_terms terms;
		int64_t interval_s;
		struct cost want;
	} rows[] = {
		{ "nothing but the start: all is pinned",
		  { .start = { 5 }, .anonymous = 1 },
		  { .pods = 100 },
		  300,
		  { .start = 6,
		    .burst = 600,
		    .burst_share = 0.15,
		    .burst_price = 0.0015 } },
		{ "three secrets of 300 pods",
		  { .poll = { 3 }, .start = { 3 }, .anonymous = 1 },
		  { .pods = 300 },
		  300,
		  { .poll = 3,
		    .start = 4,
		    .per_second = 3,
		    .share = 0.0075,
		    .burst = 1200,
		    .burst_share = 0.3,
		    .month = 23.652,
		    .burst_price = 0.0027 } },
		{ "exactly half of the limit",
		  { .poll = { 2 }, .start = { 2 } },
		  { .pods = 100 },
		  1,
		  { .poll = 2,
		    .start = 2,
		    .per_second = 200,
		    .share = 0.5,
		    .burst = 200,
		    .burst_share = 0.05,
		    .month = 1576.8,
		    .burst_price = 0.0006 } },
		{ "a little more than half",
		  { .poll = { 1 } },
		  { .pods = 201 },
		  1,
		  { .poll = 1,
		    .per_second = 201,
		    .share = 0.5025,
		    .month = 1584.684,
		    .interval_ms = 2000,
		    .vaults = 2 } },
		{ "more than all of it, and a burst that does not fit",
		  { .poll = { 10 }, .start = { 9 }, .anonymous = 1 },
		  { .pods = 1000 },
		  10,
		  { .poll = 10,
		    .start = 10,
		    .per_second = 1000,
		    .share = 2.5,
		    .burst = 10000,
		    .burst_share = 2.5,
		    .burst_s = 25,
		    .month = 7884,
		    .burst_price = 0.027,
		    .interval_ms = 50000,
		    .vaults = 5,
		    .pods_at_once = 200 } },
		{ "no interval is long enough",
		  { .poll = { 1000 } },
		  { .pods = 1000000 },
		  WEEK_MS / 1000,
		  { .poll = 1000,
		    .per_second = 1e9 / 604800,
		    .share = 1e9 / 604800 / 400,
		    .month = 1e9 * 0.000003 * 2628000 / 604800,
		    .vaults = 9 } },
		{ "pods cannot be cut in pieces: one fits into half of the limit",
		  { .poll = { 120 } },
		  { .pods = 4 },
		  1,
		  { .poll = 120,
		    .per_second = 480,
		    .share = 1.2,
		    .month = 3784.32,
		    .interval_ms = 3000,
		    .vaults = 4 } },
		{ "the largest numbers that can be asked for",
		  { .poll = { 1000000 }, .start = { 1000000 } },
		  { .pods = COST_PODS_MAX, .limit = 1, .window_s = 86400 },
		  1,
		  { .poll = 1000000,
		    .start = 1000000,
		    .per_second = 1e12,
		    .share = 8.64e16,
		    .burst = 1e12,
		    .burst_share = 1e12,
		    .burst_s = 8.64e16,
		    .month = 7884e9,
		    .burst_price = 3e6,
		    .vaults = 172800000000000000,
		    .is_pod_high = true } },
		{ "one pod is more than one window",
		  { .start = { 5000 } },
		  { .pods = 1 },
		  300,
		  { .start = 5000,
		    .burst = 5000,
		    .burst_share = 1.25,
		    .burst_s = 12.5,
		    .burst_price = 0.015 } },
		{ "keys have their own limit, with weights",
		  { .poll = { [COST_OTHER] = 8,
			      [COST_RSA_2048] = 4,
			      [COST_RSA_4096] = 1 } },
		  { .pods = 100 },
		  100,
		  { .poll = 13,
		    .per_second = 13,
		    .share = 0.03, /* 4 / 400 + 1 / 50, more than 8 / 400 */
		    .month = 13 * 2628000.0 * 0.000003 + 2628000.0 * 0.000012 } },
		{ "of secrets and keys the busier ones count",
		  { .poll = { [COST_OTHER] = 8, [COST_EC_HSM] = 1 } },
		  { .pods = 100 },
		  100,
		  { .poll = 9,
		    .per_second = 9,
		    .share = 0.02,
		    .month = 8 * 2628000.0 * 0.000003 + 2628000.0 * 0.000015 } },
		{ "a limit of the command line is one for all",
		  { .poll = { [COST_OTHER] = 8, [COST_RSA_4096_HSM] = 2 },
		    .start = { 10 },
		    .anonymous = 2 },
		  { .pods = 100, .limit = 200, .window_s = 5 },
		  100,
		  { .poll = 10,
		    .start = 12,
		    .per_second = 10,
		    .share = 0.25,
		    .burst = 1200,
		    .burst_share = 6,
		    .burst_s = 30,
		    .month = 8 * 2628000.0 * 0.000003 + 2 * 2628000.0 * 0.000015,
		    .burst_price = 0.003,
		    .pods_at_once = 12 } },
		{ "a price of the command line, too",
		  { .poll = { [COST_OTHER] = 1, [COST_EC] = 1 }, .start = { 2 } },
		  { .pods = 10, .price = 20000, .has_price = true },
		  10,
		  { .poll = 2,
		    .start = 2,
		    .per_second = 2,
		    .share = 0.0025,
		    .burst = 20,
		    .burst_share = 0.005,
		    .month = 10.512,
		    .burst_price = 0.00004 } },
		{ "a price of nothing",
		  { .poll = { 1 } },
		  { .pods = 10, .has_price = true },
		  10,
		  { .poll = 1, .per_second = 1, .share = 0.0025 } },
		{ "a Managed HSM has no limit here, and no price of a request",
		  { .poll = { [COST_RSA_2048] = 9 },
		    .start = { [COST_RSA_2048] = 9 },
		    .is_hsm = true },
		  { .pods = 1000 },
		  1,
		  { .poll = 9,
		    .start = 9,
		    .per_second = 9000,
		    .share = -1,
		    .burst = 9000,
		    .burst_share = -1 } },
		{ "unless both are given",
		  { .poll = { [COST_RSA_2048] = 1 }, .is_hsm = true },
		  { .pods = 10,
		    .limit = 100,
		    .window_s = 1,
		    .price = 10000,
		    .has_price = true },
		  10,
		  { .poll = 1, .per_second = 1, .share = 0.01, .month = 2.628 } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct cost *want = &rows[i].want;
		struct cost got;

		cost_count(&rows[i].load, &rows[i].terms, rows[i].interval_s * 1000,
			   WEEK_MS, &got);
		check_int(rows[i].row, got.poll, want->poll);
		check_int(rows[i].row, got.start, want->start);
		check_near(rows[i].row, "per second", got.per_second, want->per_second);
		if (want->share < 0)
			check(rows[i].row, got.share < 0 && got.burst_share < 0);
		else
			check_near(rows[i].row, "share", got.share, want->share);
		check_near(rows[i].row, "burst", got.burst, want->burst);
		if (want->burst_share >= 0)
			check_near(rows[i].row, "share of the burst", got.burst_share,
				   want->burst_share);
		check_near(rows[i].row, "seconds", got.burst_s, want->burst_s);
		check_near(rows[i].row, "bill", got.month, want->month);
		check_near(rows[i].row, "price of the burst", got.burst_price,
			   want->burst_price);
		check_int(rows[i].row, got.interval_ms, want->interval_ms);
		check_int(rows[i].row, got.vaults, want->vaults);
		check_int(rows[i].row, got.pods_at_once, want->pods_at_once);
		check(rows[i].row, got.is_pod_high == want->is_pod_high);
	}
}

/* The interval that is named is enough, and one second less is not. */
static void test_the_shortest_interval(void **state)
{
	(void)state;
	for (uint64_t poll = 1; poll < 40; poll++)
		for (int64_t pods = 7; pods < 100000; pods = pods * 3 + 1) {
			const struct cost_load load = { .poll = { poll } };
			const struct cost_terms terms = { .pods = pods };
			struct cost cost, then;

			cost_count(&load, &terms, 1000, WEEK_MS, &cost);
			if (cost.vaults == 0)
				continue;
			cost_count(&load, &terms, cost.interval_ms, WEEK_MS, &then);
			check("enough", then.share <= 0.5 + 1e-9 && then.vaults == 0);
			if (cost.interval_ms == 1000)
				continue;
			cost_count(&load, &terms, cost.interval_ms - 1000, WEEK_MS,
				   &then);
			check("not longer than needed", then.share > 0.5);
		}
}

/* Whoever does what the report says is not told to do it again. */
static void test_the_fixes_are_enough(void **state)
{
	(void)state;
	for (uint64_t poll = 1; poll < 300; poll = poll * 2 + 1)
		for (int64_t pods = 2; pods < 100000; pods = pods * 3 + 1) {
			const struct cost_load load = { .poll = { poll },
							.start = { poll },
							.anonymous = 1 };
			struct cost_terms terms = { .pods = pods };
			struct cost cost, then;
			double polls;

			cost_count(&load, &terms, 2000, WEEK_MS, &cost);
			polls = fmin(cost.share, COST_SHARE_HIGH);
			if (cost.vaults > 0 && !cost.is_pod_high) {
				terms.pods = (pods + cost.vaults - 1) / cost.vaults;
				cost_count(&load, &terms, 2000, WEEK_MS, &then);
				check("vaults", then.vaults == 0);
			}
			if (cost.pods_at_once == 0)
				continue;
			terms.pods = cost.pods_at_once;
			cost_count(&load, &terms, 2000, WEEK_MS, &then);
			check("pods at once", then.burst_share + polls <= 1 + 1e-9);
			terms.pods++;
			cost_count(&load, &terms, 2000, WEEK_MS, &then);
			check("no more pods", then.burst_share + polls > 1);
		}
}

static void test_tokens(void **state)
{
	static const struct {
		const char *row;
		unsigned tokens;
		int64_t interval_ms;
		double want;
	} rows[] = {
		{ "each half an hour", 1, 300000, 100 / 1800.0 },
		{ "with each poll that comes more rarely", 1, 3600000, 100 / 3600.0 },
		{ "of two clouds", 2, 300000, 200 / 1800.0 },
		{ "none", 0, 300000, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_near(rows[i].row, "tokens",
			   cost_tokens(rows[i].tokens,
				       &(struct cost_terms){ .pods = 100 },
				       rows[i].interval_ms),
			   rows[i].want);
}

static void test_the_class_of_a_key(void **state)
{
	static const struct {
		const char *kty;
		size_t n; /* characters of base64url */
		enum cost_class class;
	} rows[] = {
		{ "RSA", 342, COST_RSA_2048 },
		{ "RSA", 512, COST_RSA_3072 },
		{ "RSA", 683, COST_RSA_4096 },
		{ "RSA-HSM", 342, COST_RSA_2048_HSM },
		{ "RSA-HSM", 512, COST_RSA_3072_HSM },
		{ "RSA-HSM", 683, COST_RSA_4096_HSM },
		{ "EC", 0, COST_EC },
		{ "EC-HSM", 0, COST_EC_HSM },
		{ "new", 0, COST_RSA_2048 },
		{ NULL, 0, COST_RSA_2048 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_int(rows[i].kty ? rows[i].kty : "none",
			  cost_of_key(rows[i].kty, rows[i].n), rows[i].class);
}

static void test_options(void **state)
{
	static const struct {
		const char *name, *value, *err;
		struct cost_terms want;
	} rows[] = {
		{ "--pods", "300", NO_ERROR, { .pods = 300 } },
		{ "--pods", "1000000", NO_ERROR, { .pods = 1000000 } },
		{ "--pods",
		  "1000001",
		  "--pods takes a number of pods, 1 to 1000000, such as --pods 300, not "
		  "'1000001'",
		  { 0 } },
		{ "--pods", "0", "1 to 1000000", { 0 } },
		{ "--pods", "", "1 to 1000000", { 0 } },
		{ "--pods", "-3", "1 to 1000000", { 0 } },
		{ "--pods", "3.5", "1 to 1000000", { 0 } },
		{ "--pods", "3 ", "1 to 1000000", { 0 } },
		{ "--limit", "4000/10", NO_ERROR, { .limit = 4000, .window_s = 10 } },
		{ "--limit", "1/1", NO_ERROR, { .limit = 1, .window_s = 1 } },
		{ "--limit", "4000", "REQUESTS/SECONDS", { 0 } },
		{ "--limit", "4000/", "REQUESTS/SECONDS", { 0 } },
		{ "--limit", "/10", "REQUESTS/SECONDS", { 0 } },
		{ "--limit", "0/10", "REQUESTS/SECONDS", { 0 } },
		{ "--limit", "10/0", "REQUESTS/SECONDS", { 0 } },
		{ "--limit", "10/10/10", "REQUESTS/SECONDS", { 0 } },
		{ "--limit", "10/10s", "REQUESTS/SECONDS", { 0 } },
		{ "--price", "0.03", NO_ERROR, { .price = 30000, .has_price = true } },
		{ "--price", "0", NO_ERROR, { .price = 0, .has_price = true } },
		{ "--price", "12", NO_ERROR, { .price = 12000000, .has_price = true } },
		{ "--price", "0.000001", NO_ERROR, { .price = 1, .has_price = true } },
		{ "--price", "0.0000001", "at most six decimals", { 0 } },
		{ "--price", ".03", "at most six decimals", { 0 } },
		{ "--price", "3.", "at most six decimals", { 0 } },
		{ "--price", "0.-3", "at most six decimals", { 0 } },
		{ "--price", "-1", "at most six decimals", { 0 } },
		{ "--price", "1e3", "at most six decimals", { 0 } },
		{ "--price", "0,03", "at most six decimals", { 0 } },
		{ "--price", "$1", "at most six decimals", { 0 } },
	};
	struct cost_terms terms;
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *row = xasprintf("%s %s", rows[i].name, rows[i].value);
		int got;

		terms = (struct cost_terms){ 0 };
		got = cost_read_option(&terms, rows[i].name, rows[i].value, &err);
		if (rows[i].err != NO_ERROR) {
			check_err(row, got, &err, ERR_USAGE, rows[i].err);
			continue;
		}
		check_ok(row, got, &err);
		check_int(row, terms.pods, rows[i].want.pods);
		check_int(row, terms.limit, rows[i].want.limit);
		check_int(row, terms.window_s, rows[i].want.window_s);
		check_int(row, terms.price, rows[i].want.price);
		check_int(row, terms.has_price, rows[i].want.has_price);
	}
}

static void test_options_together(void **state)
{
	struct err err;

	(void)state;
	check_ok("none", cost_check_terms(&(struct cost_terms){ 0 }, &err), &err);
	check_ok("all",
		 cost_check_terms(&(struct cost_terms){ .pods = 1,
							.limit = 1,
							.window_s = 1,
							.has_price = true },
				  &err),
		 &err);
	check_err(
		"limit",
		cost_check_terms(&(struct cost_terms){ .limit = 1, .window_s = 1 }, &err),
		&err, ERR_USAGE, "--limit says nothing without");
	check_err("price",
		  cost_check_terms(&(struct cost_terms){ .has_price = true }, &err), &err,
		  ERR_USAGE, "--price says nothing without");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_of_one_vault),
		cmocka_unit_test(test_the_shortest_interval),
		cmocka_unit_test(test_the_fixes_are_enough),
		cmocka_unit_test(test_tokens),
		cmocka_unit_test(test_the_class_of_a_key),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_options_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
