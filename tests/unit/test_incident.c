/* What is said of failures: their start, their changes, their end, and nothing between.
 */
#include "fake_log.h"

#include <time.h>

#include "report/incident.h"

#define HOUR 3600000

static struct incidents all;

/* How these tests write the kind into the name: see mark(). */
static enum incident_kind kind_of(const char *name)
{
	static const struct {
		const char *name;
		enum incident_kind kind;
	} kinds[] = {
		{ "#identity", INCIDENT_IDENTITY },
		{ "#token", INCIDENT_TOKEN_ENDPOINT },
		{ "#volume", INCIDENT_VOLUME },
		{ "#set", INCIDENT_SET },
	};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(name, kinds[i].name) == 0)
			return kinds[i].kind;
	return name[0] == '@'   ? INCIDENT_VAULT
	       : name[0] == '*' ? INCIDENT_LIST
	       : name[0] == '-' ? INCIDENT_LEFT_OUT
	       : name[0] == '~' ? INCIDENT_VALIDITY
	       : name[0] == '+' ? INCIDENT_GONE
				: INCIDENT_OBJECT;
}

static const char *name_of(const char *name)
{
	return name[0] == '#' ? NULL : name + strspn(name, "@*-~+");
}

/*
 * One round: "name=message" fails, "name?" is held, "name!" is confirmed; entries are
 * separated by ';'.  A name begins with @ for a vault, * for a list, - for what is left
 * out, ~ for what is not valid, + for what is gone, # for what there is one of.
 */
static void mark(const char *marks, int64_t now)
{
	auto_free char *copy = xstrdup(marks);
	char *rest = copy, *entry;

	while ((entry = strsep(&rest, ";")) != NULL) {
		char *end = entry + strcspn(entry, "=?!"), sign = *end;
		struct err err = { 0 };

		*end = '\0';
		if (sign == '?')
			incidents_hold(&all, kind_of(entry), name_of(entry));
		if (sign == '!')
			incidents_confirm(&all, kind_of(entry), name_of(entry));
		if (sign != '=')
			continue;
		err_set(&err, ERR_UNAVAILABLE, "%s", end + 1);
		snprintf(err.request, sizeof(err.request), "r%d", (int)(now % 1000));
		incidents_report(&all, LOG_WARN, kind_of(entry), name_of(entry), &err,
				 "files stay", now);
	}
}

static void round_of(const char *marks, int64_t now)
{
	buf_done(&said);
	incidents_begin(&all);
	mark(marks, now);
	incidents_end(&all, now);
}

static int tear_down(void **state)
{
	(void)state;
	incidents_done(&all);
	buf_done(&said);
	return 0;
}

static void test_one(void **state)
{
	(void)state;
	round_of("", 0);
	assert_string_equal(buf_str(&said), "");
	round_of("a=503", 1001);
	assert_string_equal(buf_str(&said), "2 failure: 503 what=a kind=object "
					    "consequence=files stay request=r1 "
					    "failures=1\n");
	for (int i = 0; i < 5; i++) {
		round_of("a=503", 2000 + i); /* another request, the same failure */
		assert_string_equal(buf_str(&said), "");
	}
	round_of("a=refused", 3007);
	assert_string_equal(buf_str(&said), "2 failure: refused what=a kind=object "
					    "consequence=files stay request=r7 "
					    "failures=7\n");
	round_of("a!", 91001);
	assert_string_equal(buf_str(&said),
			    "1 recovered: a no longer fails, after 7 failures "
			    "what=a kind=object failures=7 lasted=1m30s\n");
	round_of("a!", 91002);
	assert_string_equal(buf_str(&said), "");
	/* A new failure starts from one. */
	round_of("a=503", 92001);
	check_holds("said", buf_str(&said), "failures=1\n");
	round_of("a!", 92002);
	check_holds("said", buf_str(&said), "after 1 failure what=a");
}

/* How each kind is told of, at its beginning, its end, and when nobody asks any more. */
static void test_kinds(void **state)
{
	static const struct {
		const char *name, *fails, *ends, *goes;
	} rows[] = {
		{ "tls/web.pem", "2 failure: x what=tls/web.pem kind=object ",
		  "1 recovered: tls/web.pem no longer fails, after 1 failure "
		  "what=tls/web.pem kind=object failures=1 lasted=5ms\n",
		  "1 withdrawn: tls/web.pem is no longer asked for; it had failed once "
		  "what=tls/web.pem kind=object failures=1 lasted=5ms\n" },
		{ "*list of secrets like 'a*'",
		  "2 failure: x what=list of secrets like 'a*' kind=list ",
		  "1 recovered: list of secrets like 'a*' no longer fails, ",
		  "1 withdrawn: list of secrets like 'a*' is no longer asked for; " },
		{ "-a", "2 failure: x what=a kind=left-out ",
		  "1 recovered: a has room for all its objects, after 1 round what=a ",
		  "1 withdrawn: a is no longer asked for; it had left objects out "
		  "once " },
		{ "~a", "2 not-valid: x what=a kind=validity ",
		  "1 valid: a is valid, after 1 round what=a ",
		  "1 withdrawn: a is no longer asked for; it had not been valid once " },
		{ "+a", "2 failure: x what=a kind=gone ",
		  "1 recovered: a has all objects that there are files of, after 1 round "
		  "what=a ",
		  "1 withdrawn: a is no longer asked for; it had lacked objects once " },
		{ "@shop-kv", "2 failure: x what=vault 'shop-kv' kind=vault ",
		  "1 recovered: vault 'shop-kv' no longer fails, after 1 failure ",
		  "1 withdrawn: vault 'shop-kv' is no longer asked for; it had failed "
		  "once what=vault 'shop-kv' kind=vault " },
		{ "#token", "2 failure: x what=token endpoint kind=token-endpoint ",
		  "1 recovered: token endpoint no longer fails, ",
		  "1 withdrawn: token endpoint is no longer asked for; it had failed " },
		{ "#identity", "2 failure: x what=identity kind=identity ",
		  "1 recovered: identity no longer fails, ",
		  "1 withdrawn: identity is no longer asked for; " },
		{ "#volume", "2 failure: x what=publish kind=volume ",
		  "1 recovered: publish no longer fails, ",
		  "1 withdrawn: publish is no longer asked for; " },
		{ "#set", "2 set-held: x what=set kind=set consequence=files stay ",
		  "1 set-released: set is no longer held back, after 1 round what=set "
		  "kind=set failures=1 lasted=5ms\n",
		  "1 withdrawn: set is no longer asked for; it had been held back "
		  "once " },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *fails = xasprintf("%s=x", rows[i].name);
		auto_free char *confirmed = xasprintf("%s!", rows[i].name);

		round_of(fails, 0);
		check_holds(rows[i].name, buf_str(&said), rows[i].fails);
		round_of(confirmed, 5);
		check_holds(rows[i].name, buf_str(&said), rows[i].ends);
		round_of(fails, 10);
		round_of("", 15);
		check_holds(rows[i].name, buf_str(&said), rows[i].goes);
		assert_int_equal(all.count, 0);
	}
}

/* The same name in several kinds: ten incidents, each with its own beginning and end. */
static void test_same_name(void **state)
{
	(void)state;
	round_of(
		"publish=a;identity=b;token endpoint=c;vault 'v'=d;-publish=e;*publish=f;"
		"#volume=g;#identity=h;#token=i;@v=j",
		0);
	for (char c = 'a'; c <= 'j'; c++) {
		char line[16];

		snprintf(line, sizeof(line), "failure: %c ", c);
		check_holds("said", buf_str(&said), line);
	}
	round_of("publish=a;identity!;token endpoint=c;vault 'v'=d;-publish!;*publish=f;"
		 "#volume!;#identity=h;#token=i;@v!",
		 1);
	assert_string_equal(
		buf_str(&said),
		"1 recovered: identity no longer fails, after 1 failure what=identity "
		"kind=object failures=1 lasted=1ms\n"
		"1 recovered: publish has room for all its objects, after 1 round "
		"what=publish kind=left-out failures=1 lasted=1ms\n"
		"1 recovered: vault 'v' no longer fails, after 1 failure what=vault 'v' "
		"kind=vault failures=1 lasted=1ms\n"
		"1 recovered: publish no longer fails, after 1 failure what=publish "
		"kind=volume failures=1 lasted=1ms\n");
	assert_int_equal(all.count, 6);
}

/* A crowded table: no incident is taken for another one's, of the same or another name.
 */
static void test_crowd(void **state)
{
	char entry[64];

	(void)state;
	incidents_begin(&all);
	for (int i = 0; i < 500; i++)
		for (const char *kind = "@-* "; *kind; kind++) {
			snprintf(entry, sizeof(entry), "%c%d=x", *kind, i);
			mark(entry + (*kind == ' '), 0);
			buf_done(&said);
		}
	incidents_end(&all, 0);
	assert_int_equal(all.count, 2000);
	incidents_begin(&all);
	for (int i = 0; i < 500; i++) {
		snprintf(entry, sizeof(entry), "%d!;@%d?;-%d?;*%d?", i, i, i, i);
		mark(entry, 0);
	}
	incidents_end(&all, 0);
	assert_int_equal(all.count, 1500);
	for (size_t i = 0; i < all.count; i++)
		assert_int_not_equal(all.items[i]->kind, INCIDENT_OBJECT);
}

/* The same failure means something else once files are there. */
static void test_consequence(void **state)
{
	struct err err = { 0 };

	(void)state;
	for (int i = 0; i < 4; i++) {
		buf_done(&said);
		incidents_begin(&all);
		err_set(&err, ERR_DENIED, "403");
		incidents_report(&all, LOG_WARN, INCIDENT_OBJECT, "a", &err,
				 i < 2 ? "no files yet" : "files stay", i);
		incidents_end(&all, i);
		check_int("said", said.len > 0, i % 2 == 0);
	}
	check_text("said", buf_str(&said), "");
}

/* A failure that lasts is said again each hour; an object may stay expired for months. */
static void test_reminder(void **state)
{
	(void)state;
	round_of("@v=503", 0);
	round_of("@v=503", HOUR - 1);
	assert_string_equal(buf_str(&said), "");
	round_of("@v=503", HOUR);
	check_holds("said", buf_str(&said), "failures=3\n");
	round_of("@v=503", 2 * HOUR - 1);
	assert_string_equal(buf_str(&said), "");
	round_of("@v=503", 2 * HOUR);
	check_holds("said", buf_str(&said), "failures=5\n");
	round_of("@v!", 2 * HOUR);
	round_of("~a=expired", 2 * HOUR);
	check_holds("said", buf_str(&said), "not-valid: expired");
	round_of("~a=expired", 9 * HOUR);
	assert_string_equal(buf_str(&said), "");
	round_of("~a=disabled", 9 * HOUR);
	check_holds("said", buf_str(&said), "not-valid: disabled");
}

/* ---- what is not reported in rounds ---- */

static bool note(enum incident_kind kind, const char *name, const char *msg, int64_t now)
{
	struct err err;

	err_set(&err, ERR_IO, "%s", msg);
	return incidents_note(&all, LOG_WARN, kind, name, &err, "files of before", now);
}

static void test_apart(void **state)
{
	(void)state;
	assert_true(note(INCIDENT_NOTIFY, "t", "nobody among 7 processes", 0));
	assert_false(note(INCIDENT_NOTIFY, "t", "nobody among 12 processes", 1000));
	assert_true(note(INCIDENT_NOTIFY, "t", "not permitted to signal 12", 2000));
	assert_false(note(INCIDENT_NOTIFY, "t", "not permitted to signal 13", 3000));
	assert_true(note(INCIDENT_NOTIFY, "u", "not permitted to signal 13", 3000));
	assert_true(note(INCIDENT_NOTIFY, "t", "not permitted to signal 1x", 4000));
	assert_true(note(INCIDENT_NOTIFY, "t", "not permitted to signal", 5000));
	assert_false(
		note(INCIDENT_NOTIFY, "t", "not permitted to signal", 5000 + HOUR - 1));
	assert_true(note(INCIDENT_NOTIFY, "t", "not permitted to signal", 5000 + HOUR));
	assert_string_equal(buf_str(&said), ""); /* the caller logs */
	/* Rounds neither end nor change it. */
	round_of("a=503", 6000);
	round_of("a!", 7000);
	assert_int_equal(all.count, 2);
	buf_done(&said);
	incidents_close(&all, INCIDENT_NOTIFY, "none", true, 8000);
	assert_string_equal(buf_str(&said), "");
	incidents_close(&all, INCIDENT_NOTIFY, "t", true, 8000);
	assert_string_equal(buf_str(&said),
			    "1 recovered: notify 't' no longer fails, after 8 failures "
			    "what=notify 't' kind=notify failures=8 lasted=8s\n");
	buf_done(&said);
	incidents_close(&all, INCIDENT_NOTIFY, "u", false, 8000);
	check_holds("removed", buf_str(&said), "1 withdrawn: notify 'u'");
	assert_int_equal(all.count, 0);
}

/* Nothing happens to a file that stays as it is, and yet it is told every hour. */
static void test_apart_is_reminded_of(void **state)
{
	(void)state;
	assert_true(note(INCIDENT_CONFIGURATION, NULL, "AKVSYNC_DIR: no", 0));
	round_of("", HOUR - 1);
	assert_string_equal(buf_str(&said), "");
	round_of("", HOUR);
	assert_string_equal(buf_str(&said), "2 configuration-refused: AKVSYNC_DIR: no "
					    "what=configuration file kind=configuration "
					    "consequence=files of before failures=1\n");
	round_of("", 2 * HOUR - 1);
	assert_string_equal(buf_str(&said), "");
	round_of("", 2 * HOUR);
	check_holds("again", buf_str(&said), "configuration-refused");
}

/* A target is tried again and again: the line of a try says more than a round knows. */
static void test_a_target_is_reminded_of_by_its_tries(void **state)
{
	(void)state;
	assert_true(note(INCIDENT_NOTIFY, "t", "nobody", 0));
	round_of("", HOUR);
	assert_string_equal(buf_str(&said), "");
	assert_true(note(INCIDENT_NOTIFY, "t", "nobody", HOUR));
}

static void test_told(void **state)
{
	auto_buf struct buf text = BUF_INIT(16 * 1024);
	char name[8];

	(void)state;
	incidents_tell(&all, 0, &text);
	assert_string_equal(buf_str(&text), "");
	round_of("a=secret 'a': 404;@v=503", 1000);
	note(INCIDENT_NOTIFY, "t", "notify 't': nobody", 2000);
	note(INCIDENT_CONFIGURATION, NULL, "AKVSYNC_DIR: no", 2000);
	incidents_tell(&all, 2000 + HOUR + 65000, &text);
	assert_string_equal(buf_str(&text),
			    "\nnotify 't' has failed for 1h: nobody"
			    "\nconfiguration file has been refused for 1h: "
			    "AKVSYNC_DIR: no"
			    "\nvault 'v' has failed for 1h: 503"
			    "\na has failed for 1h: secret 'a': 404");
	buf_truncate(&text, 0);
	incidents_tell(&all, 2000 + 125000, &text);
	check_holds("minutes", buf_str(&text), "notify 't' has failed for 2m: nobody");
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "t%d", i);
		note(INCIDENT_NOTIFY, name, "nobody", 2000);
	}
	buf_truncate(&text, 0);
	incidents_tell(&all, 2000, &text);
	check_holds("many", buf_str(&text), "\nand 14 more: see the log");
}

static void test_several(void **state)
{
	char many[1024] = "";

	(void)state;
	round_of("a=403;b=404;c=403", 0);
	check_holds("said", buf_str(&said), "what=a");
	check_holds("said", buf_str(&said), "what=b");
	check_holds("said", buf_str(&said), "what=c");
	round_of("c=403;a=403;b!", 1); /* in any order */
	assert_string_equal(buf_str(&said),
			    "1 recovered: b no longer fails, after 1 failure "
			    "what=b kind=object failures=1 lasted=1ms\n");
	for (int i = 0; i < 50; i++)
		snprintf(many + strlen(many), sizeof(many) - strlen(many), "k%d=x;", i);
	round_of(many, 2);
	assert_int_equal(all.count, 50);
	round_of(many, 3);
	assert_string_equal(buf_str(&said), "");
}

/* Every mark after every other one, in one round: the strongest wins, in any order. */
static void test_marks(void **state)
{
	static const struct {
		const char *marks, *event; /* "": it stays open and nothing is said */
		int failures;
	} rows[] = {
		{ "", "withdrawn", 1 },
		{ "a!", "recovered", 1 },
		{ "a?", "", 1 },
		{ "a=x", "", 2 },
		{ "a!;a?", "", 1 },
		{ "a?;a!", "", 1 },
		{ "a!;a=x", "", 2 },
		{ "a=x;a!", "", 2 },
		{ "a?;a=x", "", 2 },
		{ "a=x;a?", "", 2 },
		{ "a=x;a=y;a=z", "", 2 },
		{ "a!;a!", "recovered", 1 },
		{ "b!;b?", "withdrawn", 1 },
		{ "a?;a!;a=x;a?;a!", "", 2 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		round_of("a=x", 0);
		round_of(rows[i].marks, 1);
		if (rows[i].event[0] == '\0') {
			check_text(rows[i].marks, buf_str(&said), "");
			check_int(rows[i].marks, all.items[0]->count, rows[i].failures);
			check_int(rows[i].marks, all.count, 1);
		} else {
			check_holds(rows[i].marks, buf_str(&said), rows[i].event);
			check_holds(rows[i].marks, buf_str(&said), "failures=1 ");
			check_int(rows[i].marks, all.count, 0);
		}
		incidents_done(&all);
	}
}

/* The rounds for two lists in turn, with one end: each failure counts once. */
static void test_two_lists(void **state)
{
	(void)state;
	round_of("@v=503;@v=refused;a=404;b=403", 0);
	assert_null(strstr(buf_str(&said), "refused"));
	round_of("a?;@v=503;a=404;@v=503;b?", 1000);
	assert_string_equal(buf_str(&said), "");
	round_of("@v!;a!;b!", 2000);
	check_holds("said", buf_str(&said), "'v' no longer fails, after 2 failures");
	check_holds("said", buf_str(&said), "a no longer fails, after 2 failures");
	check_holds("said", buf_str(&said), "b no longer fails, after 1 failure ");
}

/* An object that leaves the list while it fails does not work again. */
static void test_withdrawn(void **state)
{
	(void)state;
	round_of("a=404;b=404", 0);
	round_of("a=404;b=404", 1);
	round_of("b=404", 2);
	assert_string_equal(buf_str(&said), "1 withdrawn: a is no longer asked for; it "
					    "had failed 2 times "
					    "what=a kind=object failures=2 lasted=2ms\n");
	/* When it comes back it is new. */
	round_of("a=404;b=404", 3);
	check_holds("said", buf_str(&said), "what=a kind=object consequence=files stay");
}

/* Whichever object the vault's failure hit first. */
static void test_same_cause(void **state)
{
	(void)state;
	round_of("@v=secret 'a': 429", 0);
	round_of("@v=secret 'b': 429", 1000);
	assert_string_equal(buf_str(&said), "");
	round_of("@v=secret 'b': 503", 2000);
	check_holds("said", buf_str(&said), "secret 'b': 503");
}

/* Thousands at a time, of which some end in each round, and every one is found again. */
static void test_many(void **state)
{
	struct err err = { .kind = ERR_NOTFOUND, .msg = "404" };
	struct timespec from, to;
	int64_t used_ms;
	char name[32];

	(void)state;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	for (int round = 0; round < 10; round++) {
		incidents_begin(&all);
		for (int i = 0; i < 20000; i++) {
			snprintf(name, sizeof(name), "object-%d", i);
			if (i % 10 == round)
				incidents_confirm(&all, INCIDENT_OBJECT, name);
			else
				incidents_report(&all, LOG_WARN, INCIDENT_OBJECT, name,
						 &err, NULL, 0);
			buf_done(&said);
		}
		incidents_end(&all, 0);
		assert_int_equal(all.count, 18000);
		buf_done(&said);
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	for (size_t i = 0; i < all.count; i++)
		assert_in_range(all.items[i]->count, 1, 9);
	used_ms =
		(to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000;
	print_message("200000 marks of 20000 incidents: %lld ms of CPU\n",
		      (long long)used_ms);
	/* A look at all of them for each mark takes minutes. */
	assert_true(used_ms < 20000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_one, tear_down),
		cmocka_unit_test_teardown(test_kinds, tear_down),
		cmocka_unit_test_teardown(test_same_name, tear_down),
		cmocka_unit_test_teardown(test_crowd, tear_down),
		cmocka_unit_test_teardown(test_reminder, tear_down),
		cmocka_unit_test_teardown(test_consequence, tear_down),
		cmocka_unit_test_teardown(test_apart, tear_down),
		cmocka_unit_test_teardown(test_apart_is_reminded_of, tear_down),
		cmocka_unit_test_teardown(test_a_target_is_reminded_of_by_its_tries,
					  tear_down),
		cmocka_unit_test_teardown(test_told, tear_down),
		cmocka_unit_test_teardown(test_several, tear_down),
		cmocka_unit_test_teardown(test_marks, tear_down),
		cmocka_unit_test_teardown(test_two_lists, tear_down),
		cmocka_unit_test_teardown(test_withdrawn, tear_down),
		cmocka_unit_test_teardown(test_same_cause, tear_down),
		cmocka_unit_test_teardown(test_many, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
