/* The names of signals, to and from numbers. */
#include "unit.h"

#include <signal.h>

#include "base/signal_name.h"

static void test_parse(void **state)
{
	const struct {
		const char *text;
		int number; /* 0: none */
	} rows[] = {
		{ "HUP", SIGHUP },
		{ "SIGHUP", SIGHUP },
		{ "hup", SIGHUP },
		{ "sighup", SIGHUP },
		{ "SigUsr1", SIGUSR1 },
		{ "rtmin+3", 34 + 3 },
		{ "1", SIGHUP },
		{ "TERM", SIGTERM },
		{ "USR2", SIGUSR2 },
		{ "WINCH", SIGWINCH },
		{ "CONT", SIGCONT },
		{ "STKFLT", SIGSTKFLT },
		{ "RTMIN+3", 34 + 3 },
		{ "SIGRTMIN+0", 34 },
		{ "40", 40 },
		{ "KILL", 0 },
		{ "9", 0 },
		{ "STOP", 0 },
		{ "SEGV", 0 },
		{ "CHLD", 0 },
		{ "0", 0 },
		{ "65", 0 },
		{ "", 0 },
		{ "SIG", 0 },
		{ "SIG1", 0 },
		{ "SIGSIGHUP", 0 },
		{ "RTMIN+99", 0 },
		{ "HUPP", 0 },
		{ "-1", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int number = 0;

		check_int(rows[i].text, signal_name_parse(rows[i].text, &number),
			  rows[i].number ? 0 : -1);
		check_int(rows[i].text, number, rows[i].number);
	}
}

static void test_names(void **state)
{
	const struct {
		int number;
		const char *name;
	} rows[] = {
		{ SIGHUP, "HUP" }, { SIGKILL, "KILL" }, { SIGSEGV, "SEGV" },
		{ 34, "RTMIN+0" }, { 99, "99" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		check_text(rows[i].name, signal_name_of(rows[i].number).text,
			   rows[i].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
