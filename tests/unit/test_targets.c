/* The entries of AKVSYNC_NOTIFY. */
#include "unit.h"

#include <signal.h>

#include "base/buf.h"
#include "base/redact.h"
#include "deliver/targets.h"

static void draw_list(const char *before, char *const *list, struct buf *out)
{
	for (size_t i = 0; list && list[i]; i++)
		buf_printf(out, "%s%s", before, list[i]);
}

/* One target as one word after another, without spaces around what it has not. */
static void draw_target(const struct target *t, struct buf *out)
{
	buf_printf(out, "%s", t->on_first ? "first:" : "");
	for (size_t i = 0; i < t->filters.count; i++)
		buf_printf(out, "~%s", t->filters.items[i]);
	if (t->process)
		buf_printf(out, "%d>%s", t->signal, t->process);
	if (t->pidfile)
		buf_printf(out, "%d@%s", t->signal, t->pidfile);
	if (t->url)
		buf_printf(out, "%s %s%s%s %d-%d", t->method, t->url,
			   t->socket ? " over " : "", t->socket ? t->socket : "",
			   t->status_min, t->status_max);
	draw_list(" +", t->headers, out);
	if (t->header_file)
		buf_printf(out, " +<%s", t->header_file);
	if (t->path)
		buf_printf(out, "touch %s", t->path);
	if (t->argv)
		buf_printf(out, "%s", t->kind->before ? "ask" : "run");
	draw_list(" ", t->argv, out);
	if (t->code)
		buf_printf(out, "exit %d", t->code);
	if (t->timeout_ms != t->kind->timeout_ms)
		buf_printf(out, " in %lld", (long long)t->timeout_ms);
}

/* The list as one line. */
static void draw(const struct targets *all, struct buf *out)
{
	for (size_t i = 0; i < all->count; i++) {
		buf_text(out, i ? " | " : "");
		draw_target(&all->items[i], out);
	}
	for (size_t i = 0; i < all->precheck_count; i++) {
		buf_text(out, " ? ");
		draw_target(&all->prechecks[i], out);
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
		{ "signal=sighup,process=nginx", "1>nginx" },
		{ "signal=hup,process=nginx", "1>nginx" },
		{ "signal=1,process=nginx", "1>nginx" },
		{ "signal=10,process=a;signal=USR2,process=b", "10>a | 12>b" },
		{ "signal=INT,process=a;signal=QUIT,process=a;signal=TERM,process=a;"
		  "signal=WINCH,process=a",
		  "2>a | 3>a | 15>a | 28>a" },
		{ "signal=HUP,pidfile=/run/app.pid", "1@/run/app.pid" },
		{ "  signal=HUP , pidfile=/run/a,b=c.pid ;", "1@/run/a,b=c.pid" },
		{ "on=first,signal=HUP,process=a", "first:1>a" },
		{ "on=first,on=first, signal=HUP,process=a\nsignal=HUP,process=a",
		  "first:1>a | 1>a" },
		{ "signal=HUP,process=a;signal=HUP,process=a", "1>a" }, /* said twice */
		{ "signal=HUP,process=a b", "1>a b" },
		/* Filters. */
		{ "on=tls/*,signal=HUP,process=a", "~tls/*1>a" },
		{ "on=tls/*, on=db , on=first,signal=HUP,process=a",
		  "first:~db~tls/*1>a" },
		{ "on=[f]irst,signal=HUP,process=a", "~[f]irst1>a" },
		{ "on=tls/,on=db//,touch=/x", "~db~tlstouch /x" },
		/* Requests. */
		{ "http=POST http://127.0.0.1:8080/-/reload",
		  "POST http://127.0.0.1:8080/-/reload 200-299" },
		{ "http=GET  https://[::1]:8443/x?a=b,c=d;",
		  "GET https://[::1]:8443/x?a=b,c=d 200-299" },
		{ "http=GET http://shop_1.a-b:65535?c=@d",
		  "GET http://shop_1.a-b:65535?c=@d 200-299" },
		{ "http=GET http://[fe80::1%25eth0]:1/",
		  "GET http://[fe80::1%25eth0]:1/ 200-299" },
		{ "status=204,timeout=3s,http=PUT http://a/",
		  "PUT http://a/ 204-204 in 3000" },
		{ "status=200-399,http=DELETE http://a", "DELETE http://a 200-399" },
		{ "header=X-A: b, c,header=X-D:e,http=PATCH http://a/",
		  "PATCH http://a/ 200-299 +X-A: b, c +X-D:e" },
		{ "header-file=/etc/h,http=POST http://a/",
		  "POST http://a/ 200-299 +</etc/h" },
		{ "http=POST http+unix://%2Frun%2fapp.sock/-/reload",
		  "POST http://localhost/-/reload over /run/app.sock 200-299" },
		{ "http=POST http+unix://%2Frun%2Fa%20b",
		  "POST http://localhost over /run/a b 200-299" },
		{ "\x1eheader=Cookie: a=1; b=2,http=POST "
		  "http://a/\x1esignal=HUP,process=a",
		  "POST http://a/ 200-299 +Cookie: a=1; b=2 | 1>a" },
		{ "header=A: 1,http=GET http://a;header=A: 2,http=GET http://a",
		  "GET http://a 200-299 +A: 1 | GET http://a 200-299 +A: 2" },
		/* Files, programs, ends. */
		{ "touch=/run/a b", "touch /run/a b" },
		{ "exec=/usr/bin/redis-cli  CONFIG SET a=b,c",
		  "run /usr/bin/redis-cli CONFIG SET a=b,c" },
		{ "on=first,timeout=1m,exec=/bin/true", "first:run /bin/true in 60000" },
		{ "exit=88", "exit 88" },
		{ "exit=1;exit=255;exit=9", "exit 1 | exit 255 | exit 9" },
		{ "precheck=exec /bin/nginx -t;exit=88", "exit 88 ? ask /bin/nginx -t" },
		{ "on=tls,timeout=5s,precheck=exec  /x", " ? ~tlsask /x in 5000" },
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
		{ "nginx", "expected an action such as signal=HUP,process=NAME" },
		{ "exit", "expected an action such as exit=CODE" },
		{ "on=tls,http", "expected an action such as http=METHOD URL" },
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
		{ "signal=HUP,pidfile=/run/a.pid,on=first", "on=first, stand in front" },
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
		{ "on=frist,signal=HUP,process=a", "did you mean on=first?" },
		{ "on=First,signal=HUP,process=a", "did you mean on=first?" },
		{ "on=,signal=HUP,process=a", "on= takes 'first', or a pattern" },
		{ "on=/tls/*,signal=HUP,process=a", "a pattern for paths in the volume" },
		{ "on=./tls/*,touch=/x", "no path in the volume" },
		{ "on=tls//a,touch=/x", "no path in the volume" },
		{ "on=tls/../a,touch=/x", "no path in the volume" },
		{ "on=//,touch=/x", "a pattern for paths in the volume" },
		{ "On=first,signal=HUP,process=a", "unknown word 'On='" },
		{ "signal=HUP,process=a;;=", "unknown word '='" },
		{ "timeout=5s,signal=HUP,process=a",
		  "timeout= has no meaning for signal=" },
		{ "timeout=5s,touch=/x", "timeout= has no meaning for touch=" },
		{ "timeout=5,exec=/x", "timeout= takes a duration" },
		{ "timeout=1h,exec=/x", "from 100ms to 10m" },
		{ "timeout=0,exec=/x", "from 100ms to 10m" },
		{ "status=200,exec=/x", "status= has no meaning for exec=" },
		{ "header-file=/x,touch=/x", "header-file= has no meaning for touch=" },
		{ "header=A: b,touch=/x", "header= has no meaning for touch=" },
		/* Requests. */
		{ "http=", "http= is empty" },
		{ "http=http://127.0.0.1/", "begins with a method" },
		{ "http=post http://127.0.0.1/", "begins with a method" },
		{ "http=HEAD http://127.0.0.1/", "begins with a method" },
		{ "http=POST", "does not begin with http://" },
		{ "http=POST ftp://a/", "does not begin with http://" },
		{ "http=POST http:/a", "does not begin with http://" },
		{ "http=POST http:///a", "names no host" },
		{ "http=POST http://a/b c", "white space" },
		{ "http=POST http://u:p@a/", "holds a user" },
		{ "http=POST http://a/,status=204", "stand in front" },
		{ "http=POST http+unix://run/app.sock", "with %2F for each '/'" },
		{ "http=POST http+unix://%2Fa%00b/", "with %2F for each '/'" },
		{ "http=POST http+unix:///run/app.sock", "names no host: the path of" },
		{ "http=POST http:///run/app.sock", "names no host" },
		{ "exec=/bin/sh -c \"echo a\"", "\" is no quote here" },
		{ "exec='/bin/a b'", "absolute path" },
		{ "precheck=exec /bin/sh -c 'exit 1'", "' is no quote here" },
		{ "http=POST http+unix://%40abstract/x", "with %2F for each '/'" },
		{ "http=POST http://a:0/", "no host with a port" },
		{ "http=POST http://a:65536/", "no host with a port" },
		{ "http=POST http://a:b/", "no host with a port" },
		{ "http=POST http://a:/", "no host with a port" },
		{ "http=POST http://a:80:90/", "no host with a port" },
		{ "http=POST http://:80/", "no host with a port" },
		{ "http=POST http://::1/", "no host with a port" },
		{ "http=POST http://[::1/", "no host with a port" },
		{ "http=POST http://[::1]80/", "no host with a port" },
		{ "http=POST http://[]/", "no host with a port" },
		{ "http=POST http://a\\b/", "no host with a port" },
		{ "http=POST http://%31/", "no host with a port" },
		{ "http=POST http://user:p/w@a/", "no host with a port" },
		{ "http=POST http://a/#part", "holds a '#'" },
		{ "status=99,http=POST http://a", "status= takes a status" },
		{ "status=299-200,http=POST http://a", "status= takes a status" },
		{ "status=2xx,http=POST http://a", "status= takes a status" },
		{ "header=A,http=POST http://a", "header= takes 'Name: value'" },
		{ "header=A:,http=POST http://a", "header= takes 'Name: value'" },
		{ "header=A b: c,http=POST http://a", "header= takes 'Name: value'" },
		{ "header-file=h,http=POST http://a", "one absolute path" },
		{ "header-file=/a,header-file=/b,http=POST http://a",
		  "one absolute path" },
		/* Files, programs, ends. */
		{ "touch=", "touch= is empty" },
		{ "touch=x", "absolute path of a file" },
		{ "touch=/x/", "absolute path of a file" },
		{ "touch=/x,on=first", "stand in front" },
		{ "exec=", "exec= is empty" },
		{ "exec=bin/x a=b", "absolute path" },
		{ "exec=sh -c 'x'", "absolute path" },
		{ "exit=", "exit= is empty" },
		{ "exit=0", "ends with code 0 for other reasons" },
		{ "exit=2", "for other reasons" },
		{ "exit=8", "for other reasons" },
		{ "exit=143", "for other reasons" },
		{ "exit=256", "from 1 to 255" },
		{ "exit=-1", "from 1 to 255" },
		{ "exit=x", "from 1 to 255" },
		{ "on=first,exit=88", "leave out on=first" },
		{ "precheck=/bin/x", "expected precheck=exec" },
		{ "precheck=http POST http://a", "expected precheck=exec" },
		{ "precheck=exec x", "absolute path" },
		{ "on=first,precheck=exec /x", "leave out on=first" },
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

/* The text is the entry's identity in the log and on the volume. */
static void test_text(void **state)
{
	static const struct {
		const char *text, *first, *second;
	} rows[] = {
		{ " on=first,signal=HUP,process=a ;\tsignal=1,process=b",
		  "on=first,signal=HUP,process=a", "signal=1,process=b" },
		{ "header=A: MARK,http=GET http://a;header=A: 2,http=GET http://a",
		  "header=A: (hidden),http=GET http://a",
		  "header=A: (hidden),http=GET http://a #2" },
		{ "http=GET http://a?MARK;http=GET http://a?b",
		  "http=GET http://a?(hidden)", "http=GET http://a?(hidden) #2" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct targets all;
		struct err err = { 0 };

		check_ok(rows[i].text, targets_parse(&all, rows[i].text, &err), &err);
		check_text(rows[i].text, all.items[0].text, rows[i].first);
		check_text(rows[i].text, all.items[1].text, rows[i].second);
		targets_done(&all);
	}
}

/* However an entry is mistyped, MARK is in no message and in nothing that is shown. */
static void test_secrets_are_hidden(void **state)
{
	static const char *const rows[] = {
		"header=Authorization: Bearer MARK,http=POST http://a/",
		"header=Authorization: Bearer a,MARK,http=POST http://a/",
		"header=Authorization: Bearer a;MARK=b,http=POST http://a/",
		"header=Authorization: Bearer MARK,http=post http://a/",
		"header=Authorization: Bearer MARK",
		"header=Authorization Bearer MARK,http=POST http://a/",
		"header=MARK,http=POST http://a/",
		"header=Bearer MARK: x,http=POST http://a/",
		"header:Authorization: Bearer MARK,http=POST http://a/",
		"headers=Authorization: Bearer MARK,http=POST http://a/",
		"Header=Authorization: Bearer MARK,http=POST http://a/",
		" header =Authorization: Bearer MARK,http=POST http://a/",
		"on=first, header=Authorization: Bearer MARK,http=POST http://a/",
		"header-file=Authorization: MARK,http=POST http://a/",
		"http=POST http://user:MARK@a/",
		"http=POST http://a/?token=MARK",
		"http=POST http://a/#token=MARK",
		"http=POST http://user:MARK/more@a/",
		"http=POST http://user:a/MARK@a/",
		"http=POST http://user:MARK?b@a/",
		"http=POST http://user:MARK#b@a/",
		"signal=HUP,http://user:MARK@a/?b=c",
		"signal=HUP,http://user:MARK@a/",
		"signal=HUP,header=A: MARK",
		"signal=HUP,https://a/?token=MARK",
		"http=POST http://a/?x=1,token=MARK",
		"exec=/usr/bin/curl http://user:MARK@a/?sig=MARK",
		"header=A: b,header=C: MARK,exec=/x",
		"\x1eheader=Cookie: a=1; b=MARK,http=POST http://a/",
		"\x1ehttp=POST http://a/?a=1;b=MARK",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf struct buf shown = BUF_INIT(4096);
		struct targets all = { 0 };
		struct err err = { 0 };

		if (targets_parse(&all, rows[i], &err) == 0)
			for (size_t k = 0; k < all.count; k++) {
				buf_text(&shown, all.items[k].text);
				all.items[k].kind->describe(&all.items[k], &shown);
			}
		redact_entries(rows[i], &shown);
		check(rows[i], strstr(err.msg, "MARK") == NULL);
		check(rows[i], strstr(buf_str(&shown), "MARK") == NULL);
		targets_done(&all);
	}
}

/* What is no secret is shown as it is. */
static void test_the_rest_is_shown(void **state)
{
	static const char *const rows[] = {
		"on=first,signal=HUP,process=nginx",
		"header-file=/etc/token,status=204,http=POST http://127.0.0.1:80/a/@b",
		"exec=/bin/x a=b,c=d; touch=/x",
		"\x1eprecheck=exec /bin/x\x1e"
		"exit=88",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf struct buf shown = BUF_INIT(4096);

		redact_entries(rows[i], &shown);
		check_text(rows[i], buf_str(&shown), rows[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_secrets_are_hidden),
		cmocka_unit_test(test_the_rest_is_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
