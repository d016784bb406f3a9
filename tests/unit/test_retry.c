/* Which answers are worth another try, and the delays that services name. */
#include "unit.h"

#include "net/retry.h"

static void test_statuses(void **state)
{
	static const int passing[] = { 100, 202, 204, 301, 302, 307, 408, 409,
				       410, 421, 423, 424, 425, 429, 449, 499,
				       500, 501, 502, 503, 504, 511, 520, 599 };
	static const int final[] = { 200, 400, 401, 403, 404, 405, 411, 413,
				     414, 415, 416, 422, 431, 451, 498 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(passing); i++)
		if (!status_passes(passing[i]))
			fail_msg("%d passes", passing[i]);
	for (size_t i = 0; i < ARRAY_LEN(final); i++)
		if (status_passes(final[i]))
			fail_msg("%d does not pass", final[i]);
}

#define NOW "Sun, 06 Nov 1994 08:49:37 GMT"
#define NOW_S 784111777
#define IN_2_S "Sun, 06 Nov 1994 08:49:39 GMT"
#define IN_10_MIN "Sun, 06 Nov 1994 08:59:37 GMT"
#define BEFORE "Sun, 06 Nov 1994 08:49:30 GMT"
#define HUGE_NUMBER "99999999999999999999999999"

static void test_delays(void **state)
{
	static const struct {
		const char *row;
		struct retry_headers headers;
		int ms;
	} rows[] = {
		{ "none", { 0 }, 0 },
		/* Seconds and milliseconds. */
		{ "seconds", { .after = "2" }, 2000 },
		{ "ms", { .ms = "1500" }, 1500 },
		{ "x-ms", { .x_ms = "2500" }, 2500 },
		{ "zero", { .after = "0" }, 0 },
		{ "a part of a second", { .after = "1.25" }, 1250 },
		{ "a part of a millisecond", { .ms = "1.9" }, 1 },
		{ "blanks", { .after = "  7 \r\n" }, 7000 },
		/* The order of the headers. */
		{ "ms first", { .ms = "1", .x_ms = "2", .after = "3" }, 1 },
		{ "then x-ms", { .x_ms = "2", .after = "3" }, 2 },
		{ "zero is an answer", { .ms = "0", .after = "3" }, 0 },
		{ "past garbage", { .ms = "soon", .x_ms = "-2", .after = "3" }, 3000 },
		{ "past nothing", { .ms = "", .x_ms = " ", .after = "3" }, 3000 },
		/* Dates count from the server's clock. */
		{ "a date", { .after = IN_2_S, .date = NOW }, 2000 },
		{ "by a clock ahead", { .after = IN_10_MIN, .date = IN_2_S }, 300000 },
		{ "by a clock behind", { .after = NOW, .date = BEFORE }, 7000 },
		{ "without Date, by ours", { .after = IN_2_S }, 2000 },
		{ "with a Date of no sense", { .after = IN_2_S, .date = "today" }, 2000 },
		{ "a date gone by", { .after = BEFORE, .date = NOW }, 0 },
		{ "of RFC 850",
		  { .after = "Sunday, 06-Nov-94 08:49:39 GMT", .date = NOW },
		  2000 },
		{ "of asctime",
		  { .after = "Sun Nov  6 08:49:39 1994", .date = NOW },
		  2000 },
		{ "a date in ms", { .ms = IN_2_S, .date = NOW }, 0 },
		/* Never longer than the bound, whatever is written. */
		{ "the bound", { .after = "300" }, 300000 },
		{ "past it", { .after = "301" }, 300000 },
		{ "past an int", { .after = "2147484" }, 300000 },
		{ "past 64 bits", { .after = HUGE_NUMBER }, 300000 },
		{ "ms past 64 bits", { .ms = HUGE_NUMBER ".9" }, 300000 },
		{ "x-ms past 64 bits", { .x_ms = HUGE_NUMBER }, 300000 },
		{ "a date past it", { .after = IN_10_MIN, .date = NOW }, 300000 },
		{ "a date of another age",
		  { .after = "Fri, 31 Dec 9999 23:59:59 GMT", .date = NOW },
		  300000 },
		/* Not a delay. */
		{ "negative", { .after = "-5" }, 0 },
		{ "negative and huge", { .after = "-" HUGE_NUMBER }, 0 },
		{ "signed", { .after = "+5" }, 0 },
		{ "a word", { .after = "later" }, 0 },
		{ "a unit", { .after = "5s" }, 0 },
		{ "hexadecimal", { .after = "0x10" }, 0 },
		{ "an exponent", { .after = "1e3" }, 0 },
		{ "two numbers", { .after = "5, 6" }, 0 },
		{ "a point", { .after = "." }, 0 },
		{ "empty", { .after = "" }, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_int(rows[i].row, retry_after(&rows[i].headers, NOW_S), rows[i].ms);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_statuses),
		cmocka_unit_test(test_delays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
