/* The tables that metrics and the manual are made from: what their readers rely on. */
#include "unit.h"

#include <ctype.h>
#include <string.h>

#include "report/events.h"
#include "report/metrics_table.h"

static bool ends(const char *text, const char *end)
{
	size_t len = strlen(text), n = strlen(end);

	return len >= n && strcmp(text + len - n, end) == 0;
}

/* One line of plain text, without what the formats of Prometheus would escape and what
 * would end a cell of a table. */
static void check_plain(const char *text)
{
	assert_true(*text != '\0');
	for (; *text; text++) {
		assert_true(isascii(*text) && isprint(*text));
		assert_null(strchr("\"\\|`", *text));
	}
}

static void test_metrics(void **state)
{
	(void)state;
	for (size_t i = 0; i < METRICS; i++) {
		const struct metric *m = &metrics[i];
		const char *end = m->type == METRIC_COUNTER ? "_total" : "";
		auto_free char *unit = xasprintf("_%s%s", m->unit ? m->unit : "", end);

		assert_non_null(m->name);
		check_plain(m->help);
		check_plain(m->bad);
		assert_true(ends(m->bad, "."));
		/* https://prometheus.io/docs/practices/naming/ */
		assert_int_equal(ends(m->name, "_total"), m->type == METRIC_COUNTER);
		assert_true(m->unit == NULL || ends(m->name, unit));
		assert_true(m->unit != NULL || !ends(m->name, "_seconds"));
		assert_null(strchr(m->labels, ' '));
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(m->name, metrics[k].name);
	}
	assert_string_equal(metrics[METRIC_READY].name, "akvsync_ready");
	assert_string_equal(metrics[METRIC_SYNCS].name, "akvsync_syncs_total");
	assert_string_equal(metrics[METRIC_PROCESS_START_TIME].name,
			    "process_start_time_seconds");
	assert_string_equal(metric_type_word(METRIC_HISTOGRAM), "histogram");
}

static void test_events(void **state)
{
	(void)state;
	for (const struct event *e = events; e->name; e++) {
		check_plain(e->levels);
		check_plain(e->meaning);
		check_plain(e->action);
		assert_true(ends(e->meaning, "."));
		assert_true(ends(e->action, ".") || ends(e->action, "?"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_metrics),
		cmocka_unit_test(test_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
