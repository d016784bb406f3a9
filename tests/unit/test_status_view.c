/* What a sidecar says of itself is read, whatever of it is missing or wrong. */
#include "unit.h"

#include "base/buf.h"
#include "base/json.h"
#include "command/status_view.h"

#define UNKNOWN STATUS_UNKNOWN
#define TIME_S INT64_C(1795928400) /* 2026-11-29T05:00:00Z */

static struct status_view view_of(const char *text)
{
	struct status_view view;
	struct err err;

	check_ok(text, status_view_read(text, strlen(text), &view, &err), &err);
	return view;
}

static void test_all(void **state)
{
	struct status_view v = view_of(
		"{\"format\":1,\"version\":\"0.1.0\",\"time\":\"2026-11-29T05:00:00Z\","
		"\"startedAt\":\"2026-11-29T05:00:01Z\",\"ready\":"
		"true,"
		"\"reason\":\"ok\",\"directory\":\"/"
		"d\",\"generation\":\"..g\",\"publishedAt\":"
		"\"2026-11-29T05:00:02Z\",\"pollIntervalSeconds\":60,"
		"\"maxStalenessSeconds\":"
		"600,\"nextPollAt\":\"2026-11-29T05:00:03Z\",\"lastSync\":{\"at\":"
		"\"2026-11-29T05:00:04Z\",\"status\":\"held\",\"durationSeconds\":0.5},"
		"\"lastSuccessAt\":\"2026-11-29T05:00:05Z\",\"consecutiveFailures\":7,"
		"\"newer\":[{}],\"objects\":[{\"object\":\"a\",\"kind\":\"secret\","
		"\"version\":"
		"\"01\",\"state\":\"stale\",\"changedAt\":\"2026-11-29T05:00:06Z\","
		"\"confirmedAt\":null,\"expiresAt\":\"2026-11-29T05:00:07Z\",\"error\":"
		"{\"kind\":\"vault\",\"error\":\"unavailable\",\"message\":\"m\","
		"\"since\":"
		"\"2026-11-29T05:00:08Z\",\"count\":3}},{\"object\":\"b\",\"error\":null}"
		"],"
		"\"vaults\":[{\"name\":\"v\",\"url\":\"u\",\"requests\":12,\"throttled\":"
		"1,"
		"\"concurrencyLimit\":2,\"pausedUntil\":\"2026-11-29T05:00:09Z\"}],"
		"\"tokens\":"
		"[{\"resource\":\"r\",\"expiresAt\":\"2026-11-29T05:00:10Z\"}],"
		"\"notify\":"
		"[{\"target\":\"t\",\"successes\":1,\"failures\":2,\"lastSuccessAt\":"
		"\"2026-11-29T05:00:11Z\",\"failing\":true}],\"failing\":[{\"kind\":"
		"\"vault\","
		"\"name\":\"v\",\"error\":\"e\",\"message\":\"m\",\"consequence\":\"c\","
		"\"since\":\"2026-11-29T05:00:12Z\",\"count\":4,\"request\":\"q\"}]}\n");

	(void)state;
	check_text("version", v.version, "0.1.0");
	check_text("reason", v.reason, "ok");
	check_text("directory", v.directory, "/d");
	check_text("generation", v.generation, "..g");
	check_int("ready", v.ready, true);
	check_int("time", v.time_s, TIME_S);
	check_int("started", v.started_s, TIME_S + 1);
	check_int("published", v.published_s, TIME_S + 2);
	check_int("next poll", v.next_poll_s, TIME_S + 3);
	check_int("last at", v.last_at_s, TIME_S + 4);
	check_text("last status", v.last_status, "held");
	check("took", v.last_took_s == 0.5);
	check_int("last success", v.last_success_s, TIME_S + 5);
	check_int("interval", v.poll_interval_s, 60);
	check_int("staleness", v.max_staleness_s, 600);
	check_int("in a row", v.failures_in_row, 7);
	check_int("objects", v.object_count, 2);
	check_text("object", v.objects[0].object, "a");
	check_text("version", v.objects[0].version, "01");
	check_text("state", v.objects[0].state, "stale");
	check_int("changed", v.objects[0].changed_s, TIME_S + 6);
	check_int("confirmed", v.objects[0].confirmed_s, UNKNOWN);
	check_int("expires", v.objects[0].expires_s, TIME_S + 7);
	check_int("failing", v.objects[0].failing, true);
	check_text("error", v.objects[0].error.message, "m");
	check_int("since", v.objects[0].error.since_s, TIME_S + 8);
	check_int("count", v.objects[0].error.count, 3);
	check_int("not failing", v.objects[1].failing, false);
	check_text("vault", v.vaults[0].name, "v");
	check_int("requests", v.vaults[0].requests, 12);
	check_int("throttled", v.vaults[0].throttled, 1);
	check_int("limit", v.vaults[0].limit, 2);
	check_int("paused", v.vaults[0].paused_until_s, TIME_S + 9);
	check_text("token", v.tokens[0].resource, "r");
	check_int("token", v.tokens[0].expires_s, TIME_S + 10);
	check_text("target", v.targets[0].target, "t");
	check_int("successes", v.targets[0].successes, 1);
	check_int("failures", v.targets[0].failures, 2);
	check_int("last success", v.targets[0].last_success_s, TIME_S + 11);
	check_int("failing", v.targets[0].failing, true);
	check_text("kind", v.failing[0].kind, "vault");
	check_text("name", v.failing[0].name, "v");
	check_text("error", v.failing[0].error, "e");
	check_text("consequence", v.failing[0].consequence, "c");
	check_text("request", v.failing[0].request, "q");
	check_int("since", v.failing[0].since_s, TIME_S + 12);
	check_int("count", v.failing[0].count, 4);
	check_int("left out", v.left_out, 0);
	status_view_done(&v);
}

/* Absent, null, or of another type. */
static void test_unknown(void **state)
{
	static const char *const rows[] = {
		"{\"format\":1}",
		"{\"format\":1,\"ready\":null,\"time\":null,\"objects\":null,"
		"\"lastSync\":null,"
		"\"vaults\":null,\"failing\":null}",
		"{\"format\":1,\"ready\":1,\"time\":5,\"version\":[],\"objects\":{\"a\":{"
		"}},"
		"\"lastSync\":[1],\"vaults\":\"x\",\"tokens\":7,\"notify\":true,"
		"\"failing\":{},"
		"\"pollIntervalSeconds\":\"60\",\"consecutiveFailures\":-1}",
		"{\"format\":1,\"ready\":\"true\",\"time\":\"now\",\"objects\":[1,null,"
		"\"x\",[]],"
		"\"lastSync\":{\"at\":{},\"status\":1,\"durationSeconds\":1e999},"
		"\"failing\":"
		"[[{}]],\"pollIntervalSeconds\":1e300,\"consecutiveFailures\":-1e300}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct status_view v = view_of(rows[i]);

		check_int(rows[i], v.ready, false);
		check_text(rows[i], v.version, NULL);
		check_text(rows[i], v.last_status, NULL);
		check_int(rows[i], v.time_s, UNKNOWN);
		check_int(rows[i], v.last_at_s, UNKNOWN);
		check(rows[i], v.last_took_s < 0);
		check_int(rows[i], v.poll_interval_s, UNKNOWN);
		check_int(rows[i], v.failures_in_row, UNKNOWN);
		check_int(rows[i],
			  v.object_count + v.vault_count + v.token_count +
				  v.target_count + v.failing_count,
			  0);
		status_view_done(&v);
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{ "", "no status of a sidecar: not JSON" },
		{ "ok\n", "no status of a sidecar: not JSON" },
		{ "{\"format\":1", "no status of a sidecar: not JSON" },
		{ "{\"format\":1}{}", "no status of a sidecar: not JSON" },
		{ "{\"format\":1,\"version\":\"a\\u0000b\"}", "NUL" },
		{ "[]", "no status of a sidecar" },
		{ "1", "no status of a sidecar" },
		{ "null", "no status of a sidecar" },
		{ "{}", "no status of a sidecar" },
		{ "{\"format\":null}", "no status of a sidecar" },
		{ "{\"format\":\"1\"}", "no status of a sidecar" },
		{ "{\"format\":0}", "no status of a sidecar" },
		{ "{\"format\":-1}", "no status of a sidecar" },
		{ "{\"format\":2,\"ready\":true}", "has format 2, and this akvsync" },
		{ "{\"format\":1e300}", "has format 1000000000," },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct status_view v;
		struct err err;

		check_err(rows[i].text,
			  status_view_read(rows[i].text, strlen(rows[i].text), &v, &err),
			  &err, ERR_GARBLED, rows[i].says);
	}
}

static void test_time(void **state)
{
	static const struct {
		const char *text;
		int64_t want;
	} rows[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2026-11-29T05:00:00Z", TIME_S },
		{ "2026-11-29T05:00:00.999Z", TIME_S },
		{ "2028-02-29T00:00:00Z", INT64_C(1835395200) },
		{ "9999-12-31T23:59:59Z", INT64_C(253402300799) },
		{ "0001-01-01T00:00:00Z", INT64_C(-62135596800) },
		{ "2026-11-29T05:00:00", UNKNOWN },
		{ "2026-11-29T05:00:00+01:00", UNKNOWN },
		{ "2026-11-29 05:00:00Z", UNKNOWN },
		{ "2026-11-29T05:00:00ZZ", UNKNOWN },
		{ "2026-13-01T00:00:00Z", UNKNOWN },
		{ "2026-00-01T00:00:00Z", UNKNOWN },
		{ "2026-01-32T00:00:00Z", UNKNOWN },
		{ "2026-01-01T24:00:00Z", UNKNOWN },
		{ "2026-01-01T00:60:00Z", UNKNOWN },
		{ "+026-01-01T00:00:00Z", UNKNOWN },
		{ "10000-01-01T00:00:00Z", UNKNOWN },
		{ "2026-11-29", UNKNOWN },
		{ "2026", UNKNOWN },
		{ "", UNKNOWN },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_int(rows[i].text, status_view_time(rows[i].text), rows[i].want);
	check_int("NULL", status_view_time(NULL), UNKNOWN);
}

/* {"format":1,"objects":[{},{},...]}, with so many of a piece, which may not end so. */
static void check_many(const char *piece, size_t count, size_t objects, size_t left_out,
		       const char *refused)
{
	auto_buf struct buf text = BUF_INIT(8 * 1024 * 1024);
	struct status_view v;
	struct err err;
	int result;

	buf_text(&text, "{\"format\":1,\"objects\":[0");
	for (size_t i = 0; i < count; i++)
		buf_text(&text, piece);
	buf_text(&text, "]}");
	result = status_view_read(buf_str(&text), text.len, &v, &err);
	if (refused != NULL) {
		check_err(piece, result, &err, ERR_GARBLED, refused);
		return;
	}
	check_ok(piece, result, &err);
	check_int(piece, v.object_count, objects);
	check_int(piece, v.left_out, left_out);
	status_view_done(&v);
}

static void test_bounds(void **state)
{
	(void)state;
	check_many(",{}", 1000, 1000, 0, NULL);
	check_many(",{}", 3000, STATUS_ENTRIES_MAX, 3000 - STATUS_ENTRIES_MAX, NULL);
	check_many(",{}", 100000, 0, 0, "too large");
	check_many(",1", 200000, 0, 0, "too large");
	check_many("          ", 500000, 0, 0, "too large");
	check_many(",[", 60000, 0, 0, "not JSON");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),     cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_time),
		cmocka_unit_test(test_bounds),
	};

	json_global_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
