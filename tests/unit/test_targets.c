/* The entries of AKVSYNC_NOTIFY. */
#include "unit.h"

#include <signal.h>

#include "base/buf.h"
#include "deliver/target.h"

/* The list as one line: [first:]signal>process or signal@pidfile. */
static void draw(const struct targets *all, struct buf *out)
{
	for (size_t i = 0; i < all->count; i++) {
		const struct target *t = &all->items[i];

		buf_printf(out, "%s%s%d%s%s", i ? " " : "", t->on_first ? "first:" : "",
			   t->signal, t->process ? ">" : "@",
			   t->process ? t->process : t->pidfile);
	}
}

static void test_accepted(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "", "" },
		{ " ; \n;", "" },
		{ "signal=HUP,process=nginx", "1>nginx" },
		{ "signal=SIGHUP,process=nginx", "1>nginx" },
		{ "signal=hup,process=nginx", "1>nginx" },
		{ "signal=1,process=nginx", "1>nginx" },
		{ "signal=10,process=a;signal=USR2,process=b", "10>a 12>b" },
		{ "signal=INT,process=a;signal=QUIT,process=a;signal=TERM,process=a;"
		  "signal=WINCH,process=a",
		  "2>a 3>a 15>a 28>a" },
		{ "signal=HUP,pidfile=/run/app.pid", "1@/run/app.pid" },
		{ "  signal=HUP , pidfile=/run/a,b=c.pid ;", "1@/run/a,b=c.pid" },
		{ "on=first,signal=HUP,process=a", "first:1>a" },
		{ "on=first,on=first, signal=HUP,process=a\nsignal=HUP,process=a",
		  "first:1>a 1>a" },
		{ "signal=HUP,process=a;signal=HUP,process=a", "1>a" }, /* said twice */
		{ "signal=HUP,process=a b", "1>a b" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf struct buf drawn = BUF_INIT(1000);
		struct targets all;
		struct err err = { 0 };

		check_ok(rows[i].text, targets_parse(&all, rows[i].text, &err), &err);
		draw(&all, &drawn);
		targets_done(&all);
		check_text(rows[i].text, buf_str(&drawn), rows[i].want);
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *cause;
	} rows[] = {
		{ "nginx", "expected an action" },
		{ "signal=HUP,process=a;nginx", "entry 'nginx'" },
		{ "signal=HUP", "does not say whom" },
		{ "signal=", "does not say whom" },
		{ "signal=HUP,", "expected process=NAME or pidfile=PATH" },
		{ "signal=HUP,process", "expected process=NAME" },
		{ "signal=HUP,process=", "expected process=NAME" },
		{ "signal=HUP,pidfile=", "expected process=NAME" },
		{ "signal=HUP,=x", "expected process= or pidfile=" },
		{ "signal=HUP,name=x", "not 'name='" },
		{ "signal=HUP,process=/usr/bin/x", "without '/'" },
		{ "signal=HUP,pidfile=run/app.pid", "absolute path" },
		{ "signal=HUP,process=a,b", "entries are separated by ';'" },
		{ "signal=HUP,process=a,signal=USR1,process=b", "separated by ';'" },
		{ "signal=HUP,pidfile=/run/a.pid,on=first", "on=first, stands in front" },
		{ "process=a,signal=HUP", "unknown word 'process='" },
		/* Signals that tell an app nothing, or are none. */
		{ "signal=KILL,process=a", "'KILL' is not a signal to notify with" },
		{ "signal=9,process=a", "is not a signal" },
		{ "signal=STOP,process=a", "is not a signal" },
		{ "signal=0,process=a", "is not a signal" },
		{ "signal=65,process=a", "is not a signal" },
		{ "signal=-1,process=a", "is not a signal" },
		{ "signal=4294967297,process=a", "is not a signal" },
		{ "signal=SIG1,process=a", "is not a signal" },
		{ "signal=SIGSIGHUP,process=a", "is not a signal" },
		{ "signal=,process=a", "is not a signal" },
		{ "signal=HUPX,process=a", "is not a signal" },
		/* Options. */
		{ "on=first", "an action is missing" },
		{ "on=first,", "expected an action" },
		{ "on=always,signal=HUP,process=a", "on=always is not known" },
		{ "on=,signal=HUP,process=a", "is not known" },
		{ "On=first,signal=HUP,process=a", "unknown word 'On='" },
		{ "signal=HUP,process=a;;=", "unknown word '='" },
		/* Ways that are not built yet. */
		{ "http=POST http://127.0.0.1/", "'http=' is not supported yet" },
		{ "touch=/x", "'touch=' is not supported yet" },
		{ "exec=/bin/x a=b", "'exec=' is not supported yet" },
		{ "exit=88", "'exit=' is not supported yet" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct targets all = { 0 };
		struct err err = { 0 };

		check_err(rows[i].text, targets_parse(&all, rows[i].text, &err), &err,
			  ERR_CONFIG, rows[i].cause);
		check(rows[i].text, strncmp(err.msg, "AKVSYNC_NOTIFY: entry '", 23) == 0);
		check(rows[i].text, all.items == NULL);
	}
}

static void test_none(void **state)
{
	struct targets all;
	struct err err = { 0 };

	(void)state;
	check_ok("NULL", targets_parse(&all, NULL, &err), &err);
	assert_int_equal(all.count, 0);
	targets_done(&all);
}

/* The text is the entry's identity on the volume. */
static void test_text(void **state)
{
	struct targets all;
	struct err err = { 0 };

	(void)state;
	check_ok("two",
		 targets_parse(&all,
			       " on=first,signal=HUP,process=a ;\tsignal=1,"
			       "process=b",
			       &err),
		 &err);
	assert_string_equal(all.items[0].text, "on=first,signal=HUP,process=a");
	assert_string_equal(all.items[1].text, "signal=1,process=b");
	targets_done(&all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
