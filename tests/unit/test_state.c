/* The picture of the state, and what is made of it: metrics, status, page. */
#include "fake_log.h"

#include <stdio.h>

#include "azure/token.h"
#include "report/metrics.h"
#include "report/metrics_table.h"
#include "report/page.h"
#include "report/status.h"

#define NOW 100000
#define WALL INT64_C(1790000000000)

static struct state picture;
static struct incidents incidents;

static void begin(void)
{
	incidents_done(&incidents);
	state_done(&picture);
	state_init(&picture, 1000);
}

static struct view view_of(void)
{
	return (struct view){ .state = &picture,
			      .incidents = &incidents,
			      .now = NOW,
			      .wall_ms = WALL,
			      .ready = true,
			      .reason = "ok",
			      .host = "shop-1",
			      .dir = "/mnt/secrets",
			      .poll_interval_ms = 60000,
			      .next_poll_at = CLOCK_NEVER,
			      .process = { -1, -1, -1, -1 } };
}

static struct state_vault *shop(void)
{
	return state_vault(&picture, "shop.example", "shop", "https://shop.example");
}

static void see(const char *path, const char *version, size_t files, bool confirmed)
{
	state_object_seen(&picture,
			  &(struct state_sighting){ .path = path,
						    .name = path,
						    .version = version,
						    .vault = shop(),
						    .files = files,
						    .confirmed = confirmed },
			  NOW, WALL);
}

static void ask(const char *purpose, int status, enum http_failure failure, int64_t ms)
{
	state_requested(&picture, shop(),
			&(struct http_seen){ .purpose = purpose,
					     .host = "shop.example",
					     .status = status,
					     .failure = failure,
					     .took_ms = ms });
}

static void test_objects_come_stay_and_go(void **arg)
{
	(void)arg;
	begin();
	state_objects_begin(&picture);
	see("b", "1", 1, true);
	see("a", "", 0, false);
	state_objects_end(&picture);
	assert_int_equal(picture.object_count, 2);
	assert_string_equal(picture.objects[0].path, "a");
	assert_int_equal(picture.objects[0].freshness, OBJECT_MISSING);
	assert_int_equal(picture.objects[1].freshness, OBJECT_UP_TO_DATE);
	assert_int_equal(picture.objects[1].confirmed_at, NOW);

	state_objects_begin(&picture);
	see("b", "1", 1, false);
	state_objects_end(&picture);
	assert_int_equal(picture.object_count, 1);
	assert_int_equal(picture.objects[0].freshness, OBJECT_STALE);
	/* When it was confirmed last is not forgotten. */
	assert_int_equal(picture.objects[0].confirmed_at, NOW);
}

static void test_requests_are_counted_by_kind_and_code(void **arg)
{
	(void)arg;
	begin();
	shop();
	ask("secret", 200, HTTP_OK, 30);
	ask("secret", 200, HTTP_OK, 30);
	ask("secret", 429, HTTP_OK, 1);
	ask("list", 0, HTTP_TIMEOUT, 10001);
	ask(TOKEN_PURPOSE, 400, HTTP_OK, 5);
	ask("unknown", 200, HTTP_OK, 5);
	assert_int_equal(shop()->requests, 4);
	assert_int_equal(shop()->throttled, 1);
	assert_int_equal(shop()->codes[REQUEST_SECRET].items[0].count, 2);
	assert_int_equal(shop()->codes[REQUEST_LIST].items[0].failure, HTTP_TIMEOUT);
	assert_int_equal(picture.token_codes.items[0].status, 400);
	assert_int_equal(shop()->durations.count, 4);
	assert_int_equal(shop()->durations.up_to[2], 2); /* 25 to 50 ms */
}

/* However many different statuses a hostile server sends. */
static void test_codes_are_bounded(void **arg)
{
	(void)arg;
	begin();
	shop();
	for (int status = 100; status < 600; status++)
		ask("secret", status, HTTP_OK, 1);
	assert_int_equal(shop()->codes[REQUEST_SECRET].others, 500 - STATE_CODES);
}

static void test_syncs_and_staleness(void **arg)
{
	(void)arg;
	begin();
	assert_int_equal(state_staleness_ms(&picture, 5000), 4000);
	state_synced(&picture, SYNC_PUBLISHED, true, 20, 6000);
	assert_int_equal(state_staleness_ms(&picture, 7000), 1000);
	state_synced(&picture, SYNC_PARTIAL, false, 20, 8000);
	state_synced(&picture, SYNC_HELD, false, 20, 9000);
	assert_int_equal(picture.failures_in_a_row, 2);
	assert_int_equal(state_staleness_ms(&picture, 9000), 3000);
	state_synced(&picture, SYNC_UNCHANGED, true, 20, 10000);
	assert_int_equal(picture.failures_in_a_row, 0);
}

static void test_tokens_targets_and_rotations(void **arg)
{
	(void)arg;
	begin();
	state_token(&picture, "https://vault", STATE_NEVER);
	assert_int_equal(picture.token_count, 0);
	state_token(&picture, "https://vault", 5);
	state_token(&picture, "https://vault", 6);
	assert_int_equal(picture.token_count, 1);
	assert_int_equal(picture.tokens[0].expires_at, 6);
	state_notified(&picture, "a", true, 1);
	state_notified(&picture, "b", false, 2);
	state_notified(&picture, "a", false, 3);
	assert_int_equal(picture.target_count, 2);
	assert_true(picture.targets[0].failing);
	assert_int_equal(picture.targets[0].last_success, 1);
	state_forget_target(&picture, 0);
	assert_string_equal(picture.targets[0].text, "b");
	state_object_seen(&picture,
			  &(struct state_sighting){ .path = "a",
						    .name = "a",
						    .version = "2",
						    .vault = shop(),
						    .files = 1,
						    .confirmed = true,
						    .rotated = true,
						    .created_unix_s = WALL / 1000 - 40 },
			  NOW, WALL);
	assert_int_equal(picture.rotations, 1);
	assert_int_equal(picture.rotation_delays.sum_ms, 40000);
}

/* ---- what is made of it ---- */

static void check_metrics(const char *row, const struct view *v, const char *holds)
{
	auto_buf struct buf out = BUF_INIT(1 << 20);

	metrics_write(v, METRICS_PROMETHEUS, &out);
	check_holds(row, buf_str(&out), holds);
}

/* The clock was set back to the time when it began: no time is before that. */
static void test_a_time_before_1970(void **arg)
{
	struct view v = view_of();
	auto_buf struct buf out = BUF_INIT(1 << 20);

	(void)arg;
	begin();
	v.wall_ms = 50;
	check_metrics("start", &v, "\nprocess_start_time_seconds 0.000\n");
	v.wall_ms = 99500;
	check_metrics("half a second", &v, "\nprocess_start_time_seconds 0.500\n");
	v.wall_ms = 50;
	status_write(&v, &out);
	check_holds("status", buf_str(&out), "\"startedAt\":\"1970-01-01T00:00:00Z");
}

/* Prometheus throws away all that it scraped when a label is not UTF-8. */
static void test_labels_are_utf8(void **arg)
{
	struct view v = view_of();

	(void)arg;
	begin();
	state_notified(&picture, "exec=/a\xff\xc3\xa4\xe2\x82", true, NOW);
	check_metrics("replaced", &v,
		      "{target=\"exec=/a\xef\xbf\xbd\xc3\xa4\xef\xbf\xbd\xef\xbf\xbd\","
		      "status=\"success\"} 1\n");
}

static void test_metrics_escape_and_leave_out(void **arg)
{
	struct view v = view_of();
	auto_buf struct buf out = BUF_INIT(1 << 20);

	(void)arg;
	begin();
	state_notified(&picture, "exec=\"a\\b\"\nc", true, NOW);
	metrics_write(&v, METRICS_PROMETHEUS, &out);
	check_holds("escaped", buf_str(&out),
		    "akvsync_notify_runs_total{target=\"exec=\\\"a\\\\b\\\"\\nc\","
		    "status=\"success\"} 1\n");
	/* What did not happen has no sample, and then no head either. */
	assert_null(strstr(buf_str(&out), "akvsync_last_success"));
	assert_null(strstr(buf_str(&out), "process_open_fds"));
	assert_null(strstr(buf_str(&out), "# EOF"));
}

static void test_a_histogram_adds_up(void **arg)
{
	struct view v = view_of();
	auto_buf struct buf out = BUF_INIT(1 << 20);

	(void)arg;
	begin();
	state_synced(&picture, SYNC_PUBLISHED, true, 60, NOW);
	state_synced(&picture, SYNC_UNCHANGED, true, 90000, NOW);
	metrics_write(&v, METRICS_OPENMETRICS, &out);
	check_holds("below", buf_str(&out),
		    "akvsync_sync_duration_seconds_bucket{le=\"0.05\"} 0\n"
		    "akvsync_sync_duration_seconds_bucket{le=\"0.1\"} 1\n");
	check_holds("whole", buf_str(&out),
		    "akvsync_sync_duration_seconds_bucket{le=\"60.0\"} 1\n"
		    "akvsync_sync_duration_seconds_bucket{le=\"+Inf\"} 2\n"
		    "akvsync_sync_duration_seconds_sum 90.060\n"
		    "akvsync_sync_duration_seconds_count 2\n");
	check_holds("unit", buf_str(&out),
		    "# UNIT akvsync_sync_duration_seconds seconds\n");
	check_holds("counter", buf_str(&out),
		    "# TYPE akvsync_syncs counter\nakvsync_syncs_total{status=");
	check_holds("time", buf_str(&out),
		    "akvsync_last_success_timestamp_seconds 1790000000.000\n");
	check_holds("end", buf_str(&out), "\n# EOF\n");
}

static void fail_with(enum incident_kind kind, const char *name, enum err_kind error,
		      const char *text)
{
	struct err err;

	err_set(&err, error, "%s", text);
	(void)incidents_note(&incidents, LOG_WARN, kind, name, &err, NULL, NOW - 5000);
}

static void test_the_cause_of_a_stale_object(void **arg)
{
	static const struct {
		const char *row;
		enum incident_kind kind;
		const char *name;
		bool found;
	} rows[] = {
		{ "its own", INCIDENT_OBJECT, "a", true },
		{ "another's", INCIDENT_OBJECT, "b", false },
		{ "its vault's", INCIDENT_VAULT, "shop", true },
		{ "another vault's", INCIDENT_VAULT, "other", false },
		{ "the identity's", INCIDENT_IDENTITY, NULL, true },
		{ "the volume's", INCIDENT_VOLUME, NULL, true },
		{ "a precheck's", INCIDENT_PRECHECK, "precheck=/x", true },
		{ "the app's", INCIDENT_NOTIFY, "signal=HUP", false },
	};

	(void)arg;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct view v = view_of();

		begin();
		see("a", "1", 1, false);
		fail_with(rows[i].kind, rows[i].name, ERR_UNAVAILABLE, "no answer");
		check(rows[i].row,
		      (view_cause(&v, &picture.objects[0]) != NULL) == rows[i].found);
	}
}

static void test_status(void **arg)
{
	struct view v = view_of();
	auto_buf struct buf out = BUF_INIT(1 << 20);

	(void)arg;
	begin();
	see("a", "1", 1, false);
	fail_with(INCIDENT_VAULT, "shop", ERR_UNAVAILABLE, "no \"answer\"");
	status_write(&v, &out);
	check_holds("head", buf_str(&out),
		    "{\"format\":1,\"version\":\"" AKVSYNC_VERSION
		    "\",\"time\":\"2026-09-21T14:13:20Z\"");
	check_holds("never", buf_str(&out), "\"lastSync\":null,\"lastSuccessAt\":null");
	check_holds("object", buf_str(&out),
		    "\"state\":\"stale\",\"changedAt\":null,\"confirmedAt\":null,"
		    "\"expiresAt\":null,\"error\":{\"kind\":\"vault\",\"error\":"
		    "\"unavailable\",\"message\":\"no \\\"answer\\\"\",\"since\":"
		    "\"2026-09-21T14:13:15Z\",\"count\":1}}");
}

static void check_page(const char *row, const struct view *v, const char *holds)
{
	auto_buf struct buf out = BUF_INIT(4 << 20);

	page_write(v, &out);
	check_holds(row, buf_str(&out), holds);
	check_holds(row, buf_str(&out), "</body></html>\n");
	check(row, strstr(buf_str(&out), "<script") == NULL);
}

static void test_the_page_escapes(void **arg)
{
	struct view v = view_of();

	(void)arg;
	begin();
	v.host = v.dir = v.reason = v.generation = "<script>'\"&</script>";
	see("<script>'\"&</script>", "<script>'\"&</script>", 1, true);
	state_notified(&picture, "<script>'\"&</script>", true, NOW);
	state_token(&picture, "<script>'\"&</script>", NOW);
	fail_with(INCIDENT_OBJECT, "<script>'\"&</script>", ERR_UNAVAILABLE,
		  "<script>'\"&</script>");
	check_page("escaped", &v, "&lt;script&gt;&#39;&quot;&amp;&lt;/script&gt;");
}

/* The first line says whether anybody is needed. */
static void test_the_page_says_whether_a_person_is_needed(void **arg)
{
	static const struct {
		const char *row;
		enum err_kind fails; /* ERR_NONE: nothing */
		int64_t for_ms;
		bool ready, young;
		int64_t expires_in_s; /* 0: it does not */
		const char *holds;
	} rows[] = {
		{ "well", ERR_NONE, 0, true, true, 0,
		  "<h1 class=\"yes\">\u2713 All is well: nobody is needed</h1>" },
		{ "far", ERR_NONE, 0, true, true, 31 * 86400, "\u2713 All is well" },
		{ "soon", ERR_NONE, 0, true, true, 29 * 86400,
		  "<h1 class=\"old\">! A person is needed soon: 1 object expires</h1>" },
		{ "expired", ERR_NONE, 0, true, true, -1, "1 object expires</h1>" },
		{ "passes", ERR_UNAVAILABLE, 1000, true, true, 0,
		  "<h1 class=\"old\">! Nobody is needed yet: 1 thing fails</h1>" },
		{ "lasts", ERR_UNAVAILABLE, 180000, true, true, 0,
		  "<h1 class=\"no\">\u00d7 This needs a person: 1 thing fails</h1>" },
		{ "does not pass", ERR_DENIED, 1000, true, true, 0,
		  "\u00d7 This needs a person: 1 thing fails</h1>" },
		{ "starts", ERR_NONE, 0, false, true, 0,
		  "! Nobody is needed yet: not ready</h1>\n<p><b>Not ready</b>" },
		{ "never gets ready", ERR_NONE, 0, false, false, 0,
		  "\u00d7 This needs a person: not ready</h1>" },
	};

	(void)arg;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct view v = view_of();
		struct err err;

		begin();
		v.now = 1000000;
		v.ready = rows[i].ready;
		picture.started_at = v.now - (rows[i].young ? 1000 : 999000);
		see("a", "1", 1, true);
		if (rows[i].expires_in_s != 0)
			picture.objects[0].expires_unix_s =
				WALL / 1000 + rows[i].expires_in_s;
		if (rows[i].fails != ERR_NONE) {
			err_set(&err, rows[i].fails, "no");
			(void)incidents_note(&incidents, LOG_WARN, INCIDENT_OBJECT, "a",
					     &err, NULL, v.now - rows[i].for_ms);
		}
		check_page(rows[i].row, &v, rows[i].holds);
	}
}

/* Each kind of failure has its advice, which is that of the manual. */
static void test_the_page_advises(void **arg)
{
	(void)arg;
	for (int kind = INCIDENT_OBJECT; kind <= INCIDENT_SECRET; kind++) {
		struct view v = view_of();

		begin();
		fail_with((enum incident_kind)kind, "a", ERR_DENIED, "refused; grant it");
		check_page(incident_word((enum incident_kind)kind), &v,
			   "refused; grant it</p><p>What to do: ");
	}
}

static void test_the_page_has_times_in_words(void **arg)
{
	static const struct {
		int64_t changed_unix_ms;
		const char *holds;
	} rows[] = {
		{ WALL - 119999, "\">119 seconds ago</time>" },
		{ WALL - 120000, "\">2 minutes ago</time>" },
		{ WALL - 7199999, "\">119 minutes ago</time>" },
		{ WALL - 47 * 3600000, "\">47 hours ago</time>" },
		{ WALL - INT64_C(48) * 3600000,
		  "title=\"2026-09-19 14:13:20 UTC\">2 days ago" },
		/* The clock was set back. */
		{ WALL + 3600000,
		  "</td><td><time title=\"2026-09-21 14:13:20 UTC\">0 seconds ago" },
		{ 0, "</td><td>never</td>" },
	};

	(void)arg;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct view v = view_of();

		begin();
		see("a", "1", 1, true);
		picture.objects[0].changed_unix_ms = rows[i].changed_unix_ms;
		check_page(rows[i].holds, &v, rows[i].holds);
	}
}

/* Those that matter come first, and the page ends whole. */
static void test_the_page_of_very_many(void **arg)
{
	struct view v = view_of();
	auto_buf struct buf out = BUF_INIT(4 << 20);
	char path[600];

	(void)arg;
	begin();
	for (int i = 0; i < 1000; i++) {
		snprintf(path, sizeof(path), "%03d%0*d", i, 500, 7);
		see(path, "1", i == 999 ? 0 : 1, i < 990);
		if (i < 990)
			fail_with(INCIDENT_OBJECT, path, ERR_DENIED, path);
	}
	page_write(&v, &out);
	assert_true(out.len < 2 << 20);
	check_holds("rest", buf_str(&out), " more: <a href=\"/status\">/status</a></p>");
	check_holds("end", buf_str(&out), "</body></html>\n");
	incidents_done(&incidents);
	buf_done(&out);
	page_write(&v, &out);
	assert_true(strstr(buf_str(&out), "<b>999") < strstr(buf_str(&out), "<b>000"));
}

static int clean(void **arg)
{
	(void)arg;
	incidents_done(&incidents);
	state_done(&picture);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_objects_come_stay_and_go),
		cmocka_unit_test(test_requests_are_counted_by_kind_and_code),
		cmocka_unit_test(test_codes_are_bounded),
		cmocka_unit_test(test_syncs_and_staleness),
		cmocka_unit_test(test_tokens_targets_and_rotations),
		cmocka_unit_test(test_a_time_before_1970),
		cmocka_unit_test(test_labels_are_utf8),
		cmocka_unit_test(test_metrics_escape_and_leave_out),
		cmocka_unit_test(test_a_histogram_adds_up),
		cmocka_unit_test(test_the_cause_of_a_stale_object),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_the_page_escapes),
		cmocka_unit_test(test_the_page_says_whether_a_person_is_needed),
		cmocka_unit_test(test_the_page_advises),
		cmocka_unit_test(test_the_page_has_times_in_words),
		cmocka_unit_test(test_the_page_of_very_many),
	};

	return cmocka_run_group_tests(tests, NULL, clean);
}
