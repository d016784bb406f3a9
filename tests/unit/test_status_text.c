/* The report for people: what each line says, and in which colour. */
#include "unit.h"

#include "base/buf.h"
#include "base/json.h"
#include "command/status_text.h"

#define START "{\"format\":1,\"time\":\"2026-11-29T05:00:00Z\""
#define AT(time) "\"2026-11-29T" time "Z\""
#define OBJECT(more) START ",\"objects\":[{\"object\":\"db\"" more "}]"
#define ERROR_404 ",\"error\":{\"kind\":\"object\",\"message\":\"404\"}"
#define RED(text) "\x1b[31m" text "\x1b[0m"
#define YELLOW(text) "\x1b[33m" text "\x1b[0m"

static const struct table_look plain, coloured = { .colour = true };

static void write_of(const char *text, const struct table_look *look, struct buf *out)
{
	struct status_view view;
	struct err err;

	check_ok(text, status_view_read(text, strlen(text), &view, &err), &err);
	status_text_write(&view, look, out);
	status_view_done(&view);
}

/* Each text holds a line, or part of one. */
static void test_lines(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ START "}", "akvsync       ? in ?, started at an unknown time\n" },
		{ START ",\"version\":\"1.2\",\"directory\":\"/d\","
			"\"startedAt\":" AT("03:00:00") "}",
		  "akvsync       1.2 in /d, started 2h ago\n" },
		{ START ",\"ready\":true,\"reason\":\"ok\"}", "ready         yes\n" },
		{ START ",\"ready\":true}", "ready         yes\n" },
		{ START ",\"ready\":true,\"reason\":\"but\"}",
		  "ready         yes: but\n" },
		{ START ",\"reason\":\"held\"}", "ready         no: held\n" },
		{ START "}", "ready         no: no reason is known\n" },
		{ START "}", "generation    none yet\n" },
		{ START ",\"generation\":\"..g\",\"publishedAt\":" AT("04:59:59") "}",
		  "generation    ..g, published 1s ago\n" },
		{ START "}", "last sync     none yet\n" },
		{ START
		  ",\"lastSync\":{\"at\":" AT("04:59:01") ",\"status\":\"held\","
							  "\"durationSeconds\":0.125}}",
		  "last sync     held 59s ago, took 0.12 s\n" },
		{ START
		  ",\"lastSync\":{\"at\":" AT("04:59:00") ",\"durationSeconds\":1e9}}",
		  "last sync     ended 1m ago\n" },
		{ START ",\"lastSync\":{\"status\":\"held\",\"durationSeconds\":-1}}",
		  "last sync     held at an unknown time\n" },
		{ START "}", "last success  none since the start\n" },
		{ START ",\"lastSuccessAt\":" AT("04:00:00") "}",
		  "last success  1h ago\n" },
		{ START ",\"lastSuccessAt\":" AT("05:00:09") "}",
		  "last success  0s ago\n" },
		{ START ",\"maxStalenessSeconds\":600}",
		  "max staleness 10m; then it is not ready\n" },
		{ START "}", "next poll     under way\n" },
		{ START ",\"nextPollAt\":" AT("05:00:40") ",\"pollIntervalSeconds\":90}",
		  "next poll     in 40s; every 1m30s\n" },
		{ START
		  ",\"nextPollAt\":" AT("04:00:00") ",\"pollIntervalSeconds\":1e15}",
		  "next poll     now\n" },
		{ START "}", "failing       nothing\n" },
		{ START ",\"sandbox\":\"off\"}", "sandbox       off\n" },
		{ START ",\"consecutiveFailures\":4}",
		  "failing       0; syncs in a row that failed: 4\n" },
		{ START ",\"failing\":[{\"kind\":\"identity\",\"name\":\"\",\"error\":"
			"\"identity\",\"message\":\"AADSTS1\",\"since\":" AT(
				"04:57:00") ",\"count\":1}]}",
		  "\nFAILING\nidentity (identity) for 3m, once: AADSTS1\n" },
		{ START
		  ",\"failing\":[{\"kind\":\"kubernetes-secret\",\"name\":\"shop\"}]}",
		  "\nFAILING\nkubernetes-secret 'shop': no cause is known\n" },
		{ START ",\"failing\":[{}]}",
		  "\nFAILING\nsomething: no cause is known\n" },
		/* Objects. */
		{ OBJECT("") "}", "\ndb      -        -      -        -          -\n" },
		{ OBJECT(",\"version\":\"0123456789\",\"state\":\"stale\","
			 "\"changedAt\":" AT("04:57:00") ",\"confirmedAt\":" AT(
				 "04:59:00")) "}",
		  "\ndb      01234567  stale  3m       1m         -\n" },
		{ OBJECT(",\"expiresAt\":\"2026-12-11T05:00:00Z\"") "}", " in 12d\n" },
		{ OBJECT(",\"expiresAt\":\"2026-12-01T04:59:59Z\"") "}", " in 47h\n" },
		{ OBJECT(",\"expiresAt\":\"2026-11-26T05:00:00Z\"") "}",
		  " expired 3d ago\n" },
		{ OBJECT(",\"expiresAt\":" AT("05:00:00")) "}", " expired 0s ago\n" },
		{ OBJECT(",\"expiresAt\":\"9999-12-31T23:59:59Z\"") "}",
		  " in 2912110d\n" },
		{ OBJECT(",\"error\":{\"kind\":\"vault\",\"error\":\"unavailable\","
			 "\"message\":\"503\",\"since\":" AT(
				 "04:55:00") ",\"count\":3}") "}",
		  "\n    vault (unavailable) for 5m, 3 times: 503\n" },
		/* What the list of failures says of an object is more. */
		{ OBJECT(ERROR_404) ",\"failing\":[{\"kind\":\"object\",\"name\":\"db\","
				    "\"message\":\"404\",\"consequence\":\"its files "
				    "stay\","
				    "\"request\":\"q\"}]}",
		  "-\n    object: 404; its files stay; request q\n" },
		{ OBJECT("") ",\"failing\":[{\"kind\":\"validity\",\"name\":\"db\","
			     "\"message\":"
			     "\"expired\"}]}",
		  "-\n    validity: expired\n" },
		/* Vaults, tokens, targets. */
		{ START ",\"vaults\":[{\"name\":\"kv\",\"requests\":12,\"throttled\":1,"
			"\"concurrencyLimit\":4,\"pausedUntil\":" AT("05:00:12") "}]}",
		  "\nVAULT  REQUESTS  THROTTLED  LIMIT  PAUSED\n"
		  "kv     12        1          4      for 12s\n" },
		{ START ",\"vaults\":[{\"name\":\"kv\",\"pausedUntil\":" AT(
			  "04:00:00") "}],"
				      "\"failing\":[{\"kind\":\"vault\",\"name\":\"kv\","
				      "\"message\":\"m\"}]}",
		  "\nkv     -         -          -      -\n    vault: m\n" },
		{ START ",\"tokens\":[{\"resource\":\"https://v\",\"expiresAt\":" AT(
			  "06:30:"
			  "00") "}]}",
		  "\nTOKEN      EXPIRES\nhttps://v  in 1h\n" },
		{ START
		  ",\"notify\":[{\"target\":\"exit=88\",\"successes\":1,\"failures\":2,"
		  "\"lastSuccessAt\":" AT("04:00:00") ",\"failing\":true}],\"failing\":"
						      "[{\"kind\":\"notify\",\"name\":"
						      "\"exit=88\",\"message\":\"m\"}]}",
		  "\nexit=88  failing  1          2         1h\n    notify: m\n" },
		{ START ",\"notify\":[{\"target\":\"exit=88\"}]}",
		  "\nexit=88  ok     -          -         -\n" },
		/* A vault's failure is told of the vault alone. */
		{ OBJECT("") ",\"failing\":[{\"kind\":\"vault\",\"name\":\"db\","
			     "\"message\":"
			     "\"m\"}]}",
		  "\nFAILING\nvault 'db': m\n" },
		/* Without a time there are no ages. */
		{ "{\"format\":1,\"lastSuccessAt\":" AT("04:00:00") ",\"nextPollAt\":" AT(
			  "04:00:00") "}",
		  "last success  at an unknown time\nnext poll     at an unknown "
		  "time\n" },
		/* Of a stranger. */
		{ START ",\"reason\":\"a\\u001b[2J\\nb\\u009b\\u202e\"}",
		  "no: a?[2J?b??\n" },
		{ START
		  ",\"failing\":[{\"kind\":\"\\r\",\"name\":\"\\u0007\",\"message\":"
		  "\"\\u001b\"}]}",
		  "\n? '?': ?\n" },
		{ START ",\"vaults\":[{\"name\":\"kv\",\"requests\":9007199254740992,"
			"\"throttled\":1e308,\"concurrencyLimit\":-3}]}",
		  "\nkv     9007199254740992  -          -      -\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf struct buf out = BUF_INIT(100000);

		write_of(rows[i].text, &plain, &out);
		check_holds(rows[i].text, buf_str(&out), rows[i].want);
		check(rows[i].text, strchr(buf_str(&out), '\x1b') == NULL);
	}
}

static void test_colours(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ OBJECT(",\"state\":\"missing\"") "}", RED("missing") },
		{ OBJECT(",\"state\":\"stale\"") "}", YELLOW("stale") },
		{ OBJECT(",\"state\":\"up-to-date\",\"error\":{\"message\":\"m\"}") "}",
		  YELLOW("up-to-date") },
		{ OBJECT(",\"error\":{\"message\":\"m\"}") "}", RED("    something: m") },
		{ OBJECT(",\"expiresAt\":\"2026-12-29T04:59:59Z\"") "}",
		  YELLOW("in 29d") },
		{ OBJECT(",\"expiresAt\":\"2026-12-06T05:00:00Z\"") "}",
		  YELLOW("in 7d") },
		{ OBJECT(",\"expiresAt\":\"2026-12-06T04:59:59Z\"") "}", RED("in 6d") },
		{ OBJECT(",\"expiresAt\":\"2026-11-26T05:00:00Z\"") "}",
		  RED("expired 3d ago") },
		{ START ",\"reason\":\"held\"}", RED("ready         no: held") },
		{ START ",\"failing\":[{}]}", RED("something: no cause is known") },
		{ START ",\"notify\":[{\"target\":\"t\",\"failing\":true}]}",
		  RED("failing") },
		{ START ",\"vaults\":[{\"pausedUntil\":" AT("05:00:12") "}]}",
		  YELLOW("for 12s") },
	};
	static const char *const calm[] = {
		START
		",\"ready\":true,\"objects\":[{\"object\":\"db\",\"state\":\"up-to-"
		"date\","
		"\"expiresAt\":\"2026-12-29T05:00:00Z\"},{\"object\":\"db\",\"state\":"
		"\"newer\"}],\"tokens\":[{\"expiresAt\":" AT("05:10:00") "}]}",
		/* Polls that are rarer than tokens live. */
		START ",\"ready\":true,\"tokens\":[{\"expiresAt\":" AT("04:00:00") "}]}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf struct buf out = BUF_INIT(100000);

		write_of(rows[i].text, &coloured, &out);
		check_holds(rows[i].text, buf_str(&out), rows[i].want);
	}
	for (size_t i = 0; i < ARRAY_LEN(calm); i++) {
		auto_buf struct buf out = BUF_INIT(100000);

		write_of(calm[i], &coloured, &out);
		check(calm[i], strchr(buf_str(&out), '\x1b') == NULL);
	}
}

/* The same name thousands of times does not multiply what is said. */
static void test_same_names(void **state)
{
	static const char object[] = ",{\"object\":\"a\",\"error\":{\"message\":\"m\"}}";
	static const char cause[] = ",{\"name\":\"a\",\"message\":\"m\"}";
	auto_buf struct buf text = BUF_INIT(1000000);
	auto_buf struct buf out = BUF_INIT(16000000);

	(void)state;
	buf_text(&text, START ",\"objects\":[0");
	for (int i = 0; i < 2000; i++)
		buf_text(&text, object);
	buf_text(&text, "],\"failing\":[0");
	for (int i = 0; i < 3000; i++)
		buf_text(&text, cause);
	buf_text(&text, "]}");
	write_of(buf_str(&text), &plain, &out);
	check("bounded", out.len < 500000);
	check_holds("counted", buf_str(&out),
		    "\nand 952 more entries, which are not shown\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_colours),
		cmocka_unit_test(test_same_names),
	};

	json_global_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
