/* The command line of exec. */
#include "unit.h"

#include <signal.h>

#include "exec/arguments.h"

#define ARGUMENTS_MAX 16

/* Words with spaces between them; the copy lives as long as *words. */
static int parse(struct arguments *out, char *words[static ARGUMENTS_MAX], char *text,
		 struct err *err)
{
	int count = 0;

	for (char *word = strtok_r(text, " ", &text); word && count < ARGUMENTS_MAX - 1;
	     word = strtok_r(NULL, " ", &text))
		words[count++] = word;
	words[count] = NULL;
	return arguments_parse(out, count, words, err);
}

static void test_defaults(void **state)
{
	char text[] = "-- app -x -- --all", *words[ARGUMENTS_MAX];
	struct arguments a;
	struct err err;

	(void)state;
	assert_int_equal(parse(&a, words, text, &err), 0);
	assert_string_equal(a.command[0], "app");
	assert_string_equal(a.command[3], "--all");
	assert_null(a.command[4]);
	assert_int_equal(a.restart.policy, RESTART_POLICY_RESTART);
	assert_int_equal(a.restart.debounce_ms, 2000);
	assert_int_equal(a.restart.grace_ms, 10000);
	assert_int_equal(a.restart.min_uptime_ms, 1000);
	assert_int_equal(a.stop_signal, SIGTERM);
	assert_false(a.rules.all || a.rules.trim_newline || a.rules.keep_identity);
	assert_false(a.kill_group);
	arguments_done(&a);
}

static void test_options(void **state)
{
	char text[] = "--env=A=akvsync:a --env B=akvsync:b#c=d --all=X_ --trim newline "
		      "--grace=5s --on-change=exit:7 --stop-signal=SIGQUIT --kill-group "
		      "--keep-identity -- x";
	char *words[ARGUMENTS_MAX];
	struct arguments a;
	struct err err;

	(void)state;
	check_ok(text, parse(&a, words, text, &err), &err);
	assert_int_equal(a.rules.wish_count, 2);
	assert_string_equal(a.rules.wishes[0].name, "A");
	assert_string_equal(a.rules.wishes[1].name, "B");
	assert_string_equal(a.rules.wishes[1].reference, "akvsync:b#c=d");
	assert_true(a.rules.all);
	assert_string_equal(a.rules.prefix, "X_");
	assert_true(a.rules.trim_newline);
	assert_int_equal(a.restart.grace_ms, 5000);
	assert_int_equal(a.restart.policy, RESTART_POLICY_EXIT);
	assert_int_equal(a.change_exit, 7);
	assert_int_equal(a.stop_signal, SIGQUIT);
	assert_true(a.kill_group && a.rules.keep_identity);
	arguments_done(&a);
}

static void test_changes(void **state)
{
	static const struct {
		const char *text;
		enum restart_policy policy;
		int signal, code;
	} rows[] = {
		{ "--on-change=restart -- x", RESTART_POLICY_RESTART, 0, 88 },
		{ "--on-change=ignore -- x", RESTART_POLICY_IGNORE, 0, 88 },
		{ "--on-change=exit -- x", RESTART_POLICY_EXIT, 0, 88 },
		{ "--on-change=exit:0 -- x", RESTART_POLICY_EXIT, 0, 0 },
		{ "--on-change=exit:255 -- x", RESTART_POLICY_EXIT, 0, 255 },
		{ "--on-change signal:HUP -- x", RESTART_POLICY_SIGNAL, SIGHUP, 88 },
		{ "--on-change=signal:usr1 -- x", RESTART_POLICY_SIGNAL, SIGUSR1, 88 },
		{ "--on-change=signal:12 -- x", RESTART_POLICY_SIGNAL, 12, 88 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *text = xstrdup(rows[i].text);
		char *words[ARGUMENTS_MAX];
		struct arguments a;
		struct err err;

		check_ok(rows[i].text, parse(&a, words, text, &err), &err);
		check_int(rows[i].text, a.restart.policy, rows[i].policy);
		check_int(rows[i].text, a.change_signal, rows[i].signal);
		check_int(rows[i].text, a.change_exit, rows[i].code);
		arguments_done(&a);
	}
}

static void test_mistakes(void **state)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{ "", "the command to run is missing" },
		{ "--all", "the command to run is missing" },
		{ "--", "the command to run is missing" },
		{ "app", "'--' has to stand before" },
		{ "--all app -- x", "'--' has to stand before" },
		{ "-e -- x", "unknown option '-e'" },
		{ "--kill-grup -- x", "did you mean --kill-group?" },
		{ "--env -- x", "--env takes NAME=" },
		{ "--env=A -- x", "--env takes NAME=" },
		{ "--env==akvsync:a -- x", "--env takes NAME=" },
		{ "--grace=1 -- x", "--grace takes a duration" },
		{ "--grace=2h -- x", "--grace takes a duration" },
		{ "--debounce -- x", "--debounce takes a duration" },
		{ "--min-uptime=0 -- x", "--min-uptime takes a duration" },
		{ "--on-change=restart:1 -- x", "--on-change takes" },
		{ "--on-change=exit:256 -- x", "--on-change takes" },
		{ "--on-change=exit: -- x", "--on-change takes" },
		{ "--on-change=signal -- x", "--on-change takes" },
		{ "--on-change=signal:STOP -- x", "--on-change takes" },
		{ "--stop-signal=9 -- x", "--stop-signal takes" },
		{ "--kill-group=1 -- x", "--kill-group takes no value" },
		{ "--trim=space -- x", "--trim takes newline" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *text = xstrdup(rows[i].text);
		char *words[ARGUMENTS_MAX];
		struct arguments a;
		struct err err = { 0 };

		check_err(rows[i].text, parse(&a, words, text, &err), &err, ERR_USAGE,
			  rows[i].says);
		arguments_done(&a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_mistakes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
