/* What a signal does to a process.  The masks are those of real programs. */
#include "facts.h"

#include <signal.h>

#include "deliver/effect.h"

#define GO UINT64_C(0xfffffffd7fc1feff)
#define GO_NOHUP UINT64_C(0xfffffffd7fc1fefe)
#define JVM UINT64_C(0x2000000101005ccf)
#define JVM_XRS UINT64_C(0x2000000101001cc8)
#define NODE UINT64_C(0x0000000100004602)
#define NODE_HUP UINT64_C(0x0000000100004603)
#define RUBY UINT64_C(0x0000000042017e4f)
#define PHP UINT64_C(0x0000000004004a07)
#define BEAM UINT64_C(0x0000000100004206)
#define PYTHON UINT64_C(0x2)
#define NGINX UINT64_C(0x0000000018016a07)
#define HUP UINT64_C(1)

static void test_effects(void **state)
{
	static const struct {
		const char *exe;
		uint64_t blocked, ignored, caught;
		int signal;
		enum effect effect;
		const char *warning; /* NULL: none */
	} rows[] = {
		{ "nginx", 0, 0, NGINX, SIGHUP, EFFECT_HANDLED, NULL },
		{ "python3.11", 0, 0, PYTHON, SIGHUP, EFFECT_ENDS, NULL },
		{ "python3.11", 0, 0, PYTHON, SIGUSR1, EFFECT_ENDS, NULL },
		{ "python3.11", 0, 0, PYTHON, SIGUSR2, EFFECT_ENDS, NULL },
		{ "python3.11", 0, 0, PYTHON, SIGTERM, EFFECT_HANDLED, NULL },
		{ "python3.11", 0, 0, PYTHON, SIGQUIT, EFFECT_HANDLED, NULL },
		{ "python3.11", 0, 0, PYTHON, SIGWINCH, EFFECT_NOTHING,
		  "7 ignores SIGWINCH" },
		{ "redis-server", 0, HUP, 0, SIGHUP, EFFECT_NOTHING, "7 ignores SIGHUP" },
		{ "shop", 0, UINT64_C(1) << 14, 0, SIGTERM, EFFECT_NOTHING,
		  "7 ignores SIGTERM" },
		{ "shop", HUP, 0, 0, SIGHUP, EFFECT_HANDLED, NULL },
		{ "shop", HUP, HUP, 0, SIGHUP, EFFECT_HANDLED, NULL },
		{ "shop", 0, 0, GO, SIGHUP, EFFECT_UNSURE, "ends the program" },
		{ "shop", 0, 0, GO, SIGUSR1, EFFECT_UNSURE, "does nothing" },
		{ "shop", 0, 0, GO, SIGTERM, EFFECT_HANDLED, NULL },
		{ "shop", 0, HUP, GO_NOHUP, SIGHUP, EFFECT_NOTHING, "7 ignores SIGHUP" },
		{ "java", 0, 0, JVM, SIGHUP, EFFECT_UNSURE, "sun.misc.Signal" },
		{ "java", 0, 0, JVM, SIGUSR1, EFFECT_ENDS, NULL },
		{ "java", 0, 0, JVM, SIGUSR2, EFFECT_UNSURE, "aborts the program" },
		{ "java", 0, 0, JVM_XRS, SIGHUP, EFFECT_ENDS, NULL },
		{ "node", 0, 0, NODE, SIGHUP, EFFECT_ENDS, NULL },
		{ "node", 0, 0, NODE_HUP, SIGHUP, EFFECT_HANDLED, NULL },
		{ "node", 0, 0, NODE, SIGUSR1, EFFECT_UNSURE, "opens a debugger" },
		{ "node", 0, 0, NODE, SIGUSR2, EFFECT_ENDS, NULL },
		{ "ruby3.1", 0, 0, RUBY, SIGHUP, EFFECT_UNSURE, "Signal.trap" },
		{ "php8.2", 0, 0, PHP, SIGUSR1, EFFECT_UNSURE, "pcntl_signal" },
		{ "php-fpm8.2", 0, 0, PHP, SIGUSR2, EFFECT_HANDLED, NULL },
		{ "beam.smp", 0, 0, BEAM, SIGUSR1, EFFECT_UNSURE, "Erlang" },
		{ "beam.smp", 0, 0, BEAM, SIGHUP, EFFECT_ENDS, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *row = xasprintf("%s %d", rows[i].exe, rows[i].signal);
		auto_proc struct proc p = facts("", rows[i].exe, NULL);
		struct err warning = { 0 };

		p.blocked = rows[i].blocked;
		p.ignored = rows[i].ignored;
		p.caught = rows[i].caught;
		check_int(row, effect_of(&p, rows[i].signal), rows[i].effect);
		effect_warn(&p, rows[i].signal, &warning);
		check_int(row, warning.kind != ERR_NONE, rows[i].warning != NULL);
		check_holds(row, warning.msg, rows[i].warning ? rows[i].warning : "");
	}
}

/* The first warning stays. */
static void test_one_warning(void **state)
{
	auto_proc struct proc p = facts("", "shop", NULL);
	struct err warning = { 0 };

	(void)state;
	p.ignored = HUP;
	effect_warn(&p, SIGHUP, &warning);
	p.pid = 8;
	effect_warn(&p, SIGHUP, &warning);
	check_holds("first", warning.msg, "process 7");
}

/* Some emulations of Linux do not say which signals a process handles. */
static void test_signals_not_shown(void **state)
{
	auto_proc struct proc p = facts("", "shop", NULL);

	(void)state;
	p.shows_signals = false;
	assert_int_equal(effect_of(&p, SIGHUP), EFFECT_HANDLED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_effects),
		cmocka_unit_test(test_one_warning),
		cmocka_unit_test(test_signals_not_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
