/* Which processes a name means, and which of those get a signal. */
#include "facts.h"

#include "deliver/match.h"
#include "deliver/program.h"

static bool is_named(const char *comm, const char *exe, const char *arguments,
		     const char *name)
{
	auto_proc struct proc p = facts(comm, exe, arguments);

	return match_name(&p, name);
}

static void test_names(void **state)
{
	static const struct {
		const char *comm, *exe, *arguments, *name;
		bool matches;
	} rows[] = {
		/* Each of the names, and no part or pattern of one. */
		{ "nginx", "nginx", "nginx:", "nginx", true },
		{ "nginx", NULL, NULL, "nginx", true },
		{ "worker", "shop", "worker", "shop", true },
		{ "worker", "shop-1.2", "/opt/shop", "shop", true },
		{ "worker", "shop-1.2", "/opt/shop", "worker", true },
		{ "nginx", "nginx", "nginx", "ngin", false },
		{ "nginx", "nginx", "nginx", "nginx2", false },
		{ "nginx", "nginx", "nginx", "*", false },
		{ "", NULL, NULL, "nginx", false },
		/* comm is cut: the whole name decides where it can be read. */
		{ "payment-service", "payment-service-worker",
		  "/app/payment-service-worker", "payment-service-api", false },
		{ "payment-service", "payment-service-api", "/app/payment-service-api",
		  "payment-service-api", true },
		{ "payment-service", NULL, "/app/payment-service-worker",
		  "payment-service-api", false },
		{ "payment-service", NULL, "/app/payment-service-api",
		  "payment-service-api", true },
		{ "payment-service", "payment-service-worker", NULL,
		  "payment-service-api", false },
		{ "payment-service", NULL, NULL, "payment-service-api", true },
		{ "payment-service", "app", "app", "payment-service-api", false },
		{ "payment-servic", NULL, NULL, "payment-service-api", false },
		/* A name as long as comm is not the start of a longer one. */
		{ "payment-service", "payment-service", "x", "payment-service", true },
		{ "payment-service", "app", "app", "payment-service", true },
		{ "payment-service", NULL, NULL, "payment-service", true },
		{ "payment-service", "payment-service-worker", "x", "payment-service",
		  false },
		{ "payment-service", NULL, "/app/payment-service-worker",
		  "payment-service", false },
		{ "payment-service", "lua", "lua /app/payment-service-worker",
		  "payment-service", false },
		{ "payment-service", "lua", "lua -i /app/payment-service-api",
		  "payment-service-api", true },
		{ "payment-service", "lua", "lua /app/payment-service-worker",
		  "payment-service-api", false },
		{ "payment-service", "python3.11", "python3 /app/payment-service-api",
		  "payment-service-api", true },
		/* Titles. */
		{ "gunicorn: maste", "python3.11", "gunicorn: master [shop:app]",
		  "gunicorn", true },
		{ "gunicorn: maste", "python3.11", "gunicorn: master [shop:app]", "shop",
		  false },
		{ "payment-service", "python3.11", "payment-service-api: master",
		  "payment-service-api", true },
		/* Scripts. */
		{ "python3", "python3.11", "python3 shop.py", "shop.py", true },
		{ "python3", "python3.11", "python3 /app/shop.py", "shop.py", true },
		{ "python3", "python3.11", "python3 shop.py", "python3", true },
		{ "python3", "python3.11", "python3 shop.py", "shop", false },
		{ "python3", "python3.11", "python3 watch.py shop.py", "shop.py", false },
		{ "vim", "vim", "vim shop.py", "shop.py", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (is_named(rows[i].comm, rows[i].exe, rows[i].arguments,
			     rows[i].name) != rows[i].matches)
			fail_msg("row %zu: '%s' as '%s'", i, rows[i].arguments,
				 rows[i].name);
}

static void test_scripts(void **state)
{
	static const struct {
		const char *exe, *arguments, *script;
	} rows[] = {
		{ "python3.11", "python3 -u shop.py --debug", "shop.py" },
		{ "python3.11", "python3 -u -m shop --port 80", "shop" },
		{ "python3.11", "/usr/bin/python3 -um shop.web", "shop.web" },
		{ "python3.11", "python3 -W error -X dev shop.py", "shop.py" },
		{ "python3.11", "python3 -c pass shop.py", NULL },
		{ "python3.11", "python3 -uc pass shop.py", NULL },
		{ "python3.11", "python3", NULL },
		{ "python3.11", "shop -u /app/shop.py", "/app/shop.py" },
		{ NULL, "pypy3.9 shop.py", "shop.py" },
		{ "node", "node --inspect server.js", "server.js" },
		{ "node", "node --inspect=0.0.0.0:9229 -r ./trace.js server.js",
		  "server.js" },
		{ "node", "node --max-old-space-size=512 dist/server.js",
		  "dist/server.js" },
		{ "node", "node -e 1 server.js", NULL },
		{ "node", "node --eval 1 server.js", NULL },
		{ "java", "java -Xmx1g -Dx=y -jar /app/shop.jar", "/app/shop.jar" },
		{ "java", "java -cp a.jar:b.jar com.example.Shop arg",
		  "com.example.Shop" },
		{ "java", "java -p mods -m shop/com.example.Shop",
		  "shop/com.example.Shop" },
		{ "dash", "sh ./run.sh", "./run.sh" },
		{ "dash", "/bin/sh /app/shop", "/app/shop" },
		{ "bash", "bash -eo pipefail run.sh", "run.sh" },
		{ "bash", "bash -e -o pipefail run.sh", "run.sh" },
		{ "dash", "sh -c ./shop", NULL },
		{ "dash", "sh -ec ./shop", NULL },
		{ "busybox", "busybox sh run.sh", "run.sh" },
		{ "busybox", "sh run.sh", "run.sh" },
		{ "ruby3.1", "ruby -I lib shop.rb", "shop.rb" },
		{ "ruby3.1", "ruby -rdate -Ilib shop.rb", "shop.rb" },
		{ "ruby3.1", "ruby -ne p shop.rb", NULL },
		{ "perl", "perl -Mstrict -w shop.pl", "shop.pl" },
		{ "perl", "perl -lane print shop.pl", NULL },
		{ "php8.2", "php -d x=y artisan queue:work", "artisan" },
		{ "dotnet", "dotnet exec Shop.dll", "Shop.dll" },
		{ "dotnet", "dotnet Shop.dll", "Shop.dll" },
		{ "nginx", "nginx -c shop.conf", NULL },
		{ "php-fpm8.2", "php-fpm8.2 shop", NULL },
		{ "pythonish", "pythonish shop.py", NULL },
		{ NULL, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_proc struct proc p = facts("", rows[i].exe, rows[i].arguments);

		check_text(rows[i].arguments, program_script(&p), rows[i].script);
	}
}

static void test_shells(void **state)
{
	static const struct {
		const char *exe;
		bool shell;
	} rows[] = {
		{ "sh", true },       { "dash", true },    { "bash", true },
		{ "ash", true },      { "ksh", true },     { "zsh", true },
		{ "zsh-5.9", false }, { "busybox", true }, { "python3", false },
		{ "bun", false },     { "ssh", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_proc struct proc p = facts("", rows[i].exe, "shop");

		check_int(rows[i].exe, program_is_shell(&p), rows[i].shell);
	}
}

/* Processes of one name, and who of them gets the signal. */
static void test_roles(void **state)
{
	enum { ENDS = EFFECT_ENDS, NOTHING, UNSURE, HANDLED };
	enum { SHELL = 1, AT_A_DISTANCE = 2 };
	static const struct {
		const char *row;
		struct {
			int effect, flags;
			int above; /* the index, from 1; 0: none */
		} all[4];
		const char *roles; /* Signalled, Covered, Wrapper */
	} rows[] = {
		{ "one", { { HANDLED, 0, 0 } }, "S" },
		{ "one without a handler", { { ENDS, 0, 0 } }, "S" },
		{ "a shell script", { { HANDLED, SHELL, 0 } }, "S" },
		{ "a master and workers",
		  { { HANDLED, 0, 0 }, { HANDLED, 0, 1 }, { ENDS, 0, 1 } },
		  "SCC" },
		{ "a worker of a worker",
		  { { HANDLED, 0, 2 }, { HANDLED, 0, 3 }, { HANDLED, 0, 0 } },
		  "CCS" },
		{ "two of them", { { HANDLED, 0, 0 }, { HANDLED, 0, 0 } }, "SS" },
		{ "another program stands between",
		  { { HANDLED, 0, 0 }, { HANDLED, AT_A_DISTANCE, 1 } },
		  "SS" },
		{ "a shell without a trap",
		  { { ENDS, SHELL, 0 }, { HANDLED, 0, 1 } },
		  "WS" },
		{ "the app is still starting",
		  { { ENDS, SHELL, 0 }, { ENDS, 0, 1 } },
		  "WS" },
		{ "a shell, something else, and the app",
		  { { ENDS, SHELL, 0 }, { HANDLED, AT_A_DISTANCE, 1 } },
		  "WS" },
		{ "a shell with a trap",
		  { { HANDLED, SHELL, 0 }, { HANDLED, 0, 1 } },
		  "WS" },
		{ "the trap restarts it",
		  { { HANDLED, SHELL, 0 }, { ENDS, 0, 1 } },
		  "SC" },
		{ "perhaps it handles it itself",
		  { { HANDLED, SHELL, 0 }, { UNSURE, 0, 1 } },
		  "SC" },
		{ "a subshell", { { HANDLED, SHELL, 0 }, { ENDS, SHELL, 1 } }, "SC" },
		{ "a subshell and the app",
		  { { HANDLED, SHELL, 0 }, { ENDS, SHELL, 1 }, { HANDLED, 0, 2 } },
		  "WWS" },
		{ "a shell that ignores it",
		  { { NOTHING, SHELL, 0 }, { HANDLED, 0, 1 } },
		  "WS" },
		{ "both ignore it", { { NOTHING, SHELL, 0 }, { NOTHING, 0, 1 } }, "SC" },
		{ "a launcher and workers",
		  { { ENDS, 0, 0 },
		    { HANDLED, 0, 1 },
		    { HANDLED, 0, 2 },
		    { HANDLED, 0, 1 } },
		  "WSCS" },
		{ "a launcher of Go", { { UNSURE, 0, 0 }, { HANDLED, 0, 1 } }, "WS" },
		{ "a master of Go", { { UNSURE, 0, 0 }, { UNSURE, 0, 1 } }, "SC" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t count = strlen(rows[i].roles);
		struct match all[4] = { 0 };
		char roles[5] = "";

		for (size_t k = 0; k < count; k++) {
			int above = rows[i].all[k].above;

			all[k].effect = (enum effect)rows[i].all[k].effect;
			all[k].shell = rows[i].all[k].flags & SHELL;
			all[k].above = above ? (size_t)above - 1 : MATCH_NONE;
			all[k].is_parent =
				above && !(rows[i].all[k].flags & AT_A_DISTANCE);
		}
		match_choose(all, count);
		for (size_t k = 0; k < count; k++)
			roles[k] = "SCW"[all[k].role];
		check_text(rows[i].row, roles, rows[i].roles);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_scripts),
		cmocka_unit_test(test_shells),
		cmocka_unit_test(test_roles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
