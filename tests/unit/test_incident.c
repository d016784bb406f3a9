/* What is said of failures: their start, their changes, their end, and nothing between.
 */
#include "fake_log.h"

#include "report/incident.h"

#define HOUR 3600000

static struct incidents all;

/* One round in which these fail: "key=message;…". */
static void round_of(const char *failures, int64_t now)
{
	auto_free char *copy = xstrdup(failures);
	char *rest = copy, *entry;

	buf_done(&said);
	incidents_begin(&all);
	while ((entry = strsep(&rest, ";")) != NULL) {
		char *msg = strchr(entry, '=');
		struct err err = { 0 };

		if (msg == NULL) { /* not looked at */
			incidents_hold(&all, entry);
			continue;
		}
		*msg++ = '\0';
		err_set(&err, ERR_UNAVAILABLE, "%s", msg);
		snprintf(err.request, sizeof(err.request), "r%d", (int)(now % 1000));
		incidents_report(&all, LOG_WARN, entry, &err, "files stay", now);
	}
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
	round_of("vault=503", 1001);
	assert_string_equal(buf_str(&said), "2 failure: 503 what=vault consequence=files "
					    "stay request=r1 failures=1\n");
	for (int i = 0; i < 5; i++) {
		round_of("vault=503", 2000 + i); /* another request, the same failure */
		assert_string_equal(buf_str(&said), "");
	}
	round_of("vault=refused", 3007);
	assert_string_equal(buf_str(&said), "2 failure: refused what=vault consequence="
					    "files stay request=r7 failures=7\n");
	round_of("", 91001);
	assert_string_equal(buf_str(&said),
			    "1 recovered: vault no longer fails, after 7 failures "
			    "what=vault failures=7 lasted=1m30s\n");
	round_of("", 91002);
	assert_string_equal(buf_str(&said), "");
	/* A new failure starts from one. */
	round_of("vault=503", 92001);
	assert_non_null(strstr(buf_str(&said), "failures=1\n"));
	round_of("", 92002);
	assert_non_null(strstr(buf_str(&said), "after 1 failure what=vault"));
}

/* A failure that lasts is said again each hour. */
static void test_reminder(void **state)
{
	(void)state;
	round_of("vault=503", 0);
	round_of("vault=503", HOUR - 1);
	assert_string_equal(buf_str(&said), "");
	round_of("vault=503", HOUR);
	assert_non_null(strstr(buf_str(&said), "failures=3\n"));
	round_of("vault=503", 2 * HOUR - 1);
	assert_string_equal(buf_str(&said), "");
	round_of("vault=503", 2 * HOUR);
	assert_non_null(strstr(buf_str(&said), "failures=5\n"));
}

static void test_several(void **state)
{
	char many[1024] = "";

	(void)state;
	round_of("a=403;b=404;c=403", 0);
	assert_non_null(strstr(buf_str(&said), "what=a"));
	assert_non_null(strstr(buf_str(&said), "what=b"));
	assert_non_null(strstr(buf_str(&said), "what=c"));
	round_of("c=403;a=403", 1); /* in any order */
	assert_string_equal(buf_str(&said),
			    "1 recovered: b no longer fails, after 1 failure "
			    "what=b failures=1 lasted=1ms\n");
	for (int i = 0; i < 50; i++)
		snprintf(many + strlen(many), sizeof(many) - strlen(many), "k%d=x;", i);
	round_of(many, 2);
	assert_int_equal(all.count, 50);
	round_of(many, 3);
	assert_string_equal(buf_str(&said), "");
}

/* The rounds for two lists in turn, with one end: each failure counts once. */
static void test_two_lists(void **state)
{
	(void)state;
	round_of("vault=503;vault=refused;a=404;b=403", 0);
	assert_null(strstr(buf_str(&said), "refused"));
	round_of("a;vault=503;a=404;vault=503;b", 1000);
	assert_string_equal(buf_str(&said), "");
	round_of("", 2000);
	check_holds("said", buf_str(&said), "vault no longer fails, after 2 failures");
	check_holds("said", buf_str(&said), "a no longer fails, after 2 failures");
	check_holds("said", buf_str(&said), "b no longer fails, after 1 failure ");
}

/* Only evidence ends an incident. */
static void test_held(void **state)
{
	(void)state;
	round_of("a=disabled", 0);
	round_of("a", 1000);
	assert_string_equal(buf_str(&said), "");
	round_of("b;a=disabled", 2000);
	assert_string_equal(buf_str(&said), "");
	round_of("", 3000);
	check_holds("said", buf_str(&said), "a no longer fails, after 2 failures");
}

/* Whichever object the vault's failure hit first. */
static void test_same_cause(void **state)
{
	(void)state;
	round_of("vault=secret 'a': 429", 0);
	round_of("vault=secret 'b': 429", 1000);
	assert_string_equal(buf_str(&said), "");
	round_of("vault=secret 'b': 503", 2000);
	check_holds("said", buf_str(&said), "secret 'b': 503");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_one, tear_down),
		cmocka_unit_test_teardown(test_reminder, tear_down),
		cmocka_unit_test_teardown(test_several, tear_down),
		cmocka_unit_test_teardown(test_two_lists, tear_down),
		cmocka_unit_test_teardown(test_held, tear_down),
		cmocka_unit_test_teardown(test_same_cause, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
