// LDFLAGS: -Wl,--wrap=syscall
/* Programs that are run: what they get, how they end, and what they said. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "deliver/hook.h"

#define TIMEOUT_MS 20000

static int refusal; /* of pidfd_open(2); 0: it works */

long __real_syscall(long number, long a, long b, long c, long d, long e, long f);
long __wrap_syscall(long number, long a, long b, long c, long d, long e, long f);
long __wrap_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	if (number != SYS_pidfd_open || refusal == 0)
		return __real_syscall(number, a, b, c, d, e, f);
	errno = refusal;
	return -1;
}

/* Waits for the end as the program does: for the descriptors and the deadline. */
static void finish(struct hook *h)
{
	while (!hook_run(h, clock_now_ms())) {
		int fds[2 * HOOKS_MAX];
		unsigned count = hooks_fds(fds);
		struct pollfd wait[2 * HOOKS_MAX];

		assert_in_range(count, 1, 2 * HOOKS_MAX);
		for (unsigned i = 0; i < count; i++)
			wait[i] = (struct pollfd){ .fd = fds[i], .events = POLLIN };
		(void)poll(wait, count, clock_ms_until(hook_deadline(h), clock_now_ms()));
	}
}

static struct hook *start_program(const char *program, const char *one, const char *two,
				  const char *three, int64_t timeout_ms)
{
	const char *argv[] = { program, one, two, three, NULL };
	struct hook_order order = { .argv = (char *const *)(uintptr_t)argv,
				    .timeout_ms = timeout_ms,
				    .generation = "..g1",
				    .dir = "/secrets",
				    .changed = "a\nb" };
	struct hook *h = NULL;
	struct err err = { 0 };

	check_ok(two, hook_start(&h, &order, clock_now_ms(), &err), &err);
	return h;
}

static struct hook *start(const char *script, int64_t timeout_ms)
{
	return start_program("/bin/sh", "-c", script, NULL, timeout_ms);
}

static void check_ends(void)
{
	static const struct {
		const char *script;
		int64_t timeout_ms;
		const char *cause; /* NULL: it worked */
	} rows[] = {
		{ "exit 0", TIMEOUT_MS, NULL },
		{ "echo x; exit 0", TIMEOUT_MS, NULL },
		{ "exit 3", TIMEOUT_MS, "'/bin/sh' ended with code 3" },
		{ "echo one; echo two >&2; exit 1", TIMEOUT_MS, "code 1; it said: two" },
		{ "printf 'a\\033[1m\\n\\n'; exit 1", TIMEOUT_MS, "it said: a?[1m" },
		{ "kill -TERM $$", TIMEOUT_MS, "was ended by signal 15" },
		{ "kill -KILL 0", TIMEOUT_MS, "was ended by signal 9" },
		{ "sleep 1000", 50, "did not end within 50ms and was killed" },
		{ "trap '' TERM HUP INT; sleep 1000 & wait", 50, "was killed" },
		{ "while :; do echo yes; done", 200, "was killed; it said: yes" },
		/* What it leaves behind does not keep it open. */
		{ "sleep 1000 & exit 0", TIMEOUT_MS, NULL },
		{ "setsid sleep 2 & exit 0", TIMEOUT_MS, NULL },
		{ "exec >&- 2>&-; exit 0", TIMEOUT_MS, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct hook *h = start(rows[i].script, rows[i].timeout_ms);
		struct err err = { 0 };

		finish(h);
		if (rows[i].cause == NULL)
			check_ok(rows[i].script, hook_result(h, &err), &err);
		else
			check_err(rows[i].script, hook_result(h, &err), &err, ERR_IO,
				  rows[i].cause);
		hook_free(h);
	}
}

static void test_ends(void **state)
{
	static const int refusals[] = { 0, EPERM, ENOSYS, EMFILE };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		refusal = refusals[i];
		check_ends();
	}
	refusal = 0;
}

/* What a program prints. */
static void check_prints(struct hook *h, const char *row, const char *want)
{
	finish(h);
	check_text(row, hook_output(h), want);
	hook_free(h);
}

static void check_says(const char *script, const char *want)
{
	check_prints(start(script, TIMEOUT_MS), script, want);
}

static void test_surroundings(void **state)
{
	sigset_t blocked, before;
	int leaked = open("/dev/null", O_RDONLY); /* as a library opens it */

	(void)state;
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigaddset(&blocked, SIGPIPE);
	sigprocmask(SIG_BLOCK, &blocked, &before);
	sigaction(SIGHUP, &(struct sigaction){ .sa_handler = SIG_IGN }, NULL);
	setenv("AZURE_CLIENT_SECRET", "planted", 1);
	setenv("AKVSYNC_NOTIFY", "planted", 1);
	/* The shell adds some of its own. */
	check_says(
		"env | grep -v '^PWD=\\|^_=\\|^SHLVL=\\|^OLDPWD=' | LC_ALL=C sort",
		"AKVSYNC_CHANGED=a\nAKVSYNC_DIR=/secrets\nAKVSYNC_GENERATION=..g1\n"
		"HOME=/\n"
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\nb\n");
	/* Not by the shell, which sets its own mask.  Behind the last zeros are signals
	 * of the C library. */
	check_prints(start_program("/bin/grep", "-c", "Sig\\(Blk\\|Ign\\):.*0000000$",
				   "/proc/self/status", TIMEOUT_MS),
		     "signals", "2\n");
	check_says("ls /proc/self/fd | wc -l", "4\n"); /* and the one of ls */
	check_says("/bin/cat; echo end", "end\n");
	check_says("[ $$ = $(ps -o pgid= -p $$) ] && echo leads", "leads\n");
	sigprocmask(SIG_SETMASK, &before, NULL);
	sigaction(SIGHUP, &(struct sigaction){ .sa_handler = SIG_DFL }, NULL);
	close(leaked);
}

static void test_cannot_run(void **state)
{
	static const struct {
		const char *path, *cause;
	} rows[] = {
		{ "/nonexistent/x", "No such file or directory; the program, and" },
		{ "/etc/passwd", "Permission denied; may uid" },
		{ "/tmp", "Permission denied" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *argv[] = { (char *)(uintptr_t)rows[i].path, NULL };
		struct hook_order order = { .argv = argv, .timeout_ms = TIMEOUT_MS };
		struct hook *h = NULL;
		struct err err = { 0 };
		int fds[2 * HOOKS_MAX];

		check_err(rows[i].path, hook_start(&h, &order, 0, &err), &err, ERR_IO,
			  rows[i].cause);
		check_int(rows[i].path, hooks_fds(fds), 0);
	}
}

static void test_output_is_bounded(void **state)
{
	struct hook *h = start("head -c 300000 /dev/zero | tr '\\0' x", TIMEOUT_MS);
	char line[HOOK_LINE_LEN];
	const char *rest;
	size_t total = 0;

	(void)state;
	finish(h);
	rest = hook_output(h);
	assert_int_equal(strlen(rest), HOOK_OUTPUT_MAX);
	while (hook_line(&rest, line))
		total += strlen(line);
	assert_int_equal(total, HOOK_OUTPUT_MAX);
	hook_free(h);
}

/* Two that end at the same time: the one that is looked at first is told of as well. */
static void test_reaped_for_another(void **state)
{
	struct hook *a = start("sleep 0.2", TIMEOUT_MS), *b = start("exit 0", TIMEOUT_MS);
	struct err err = { 0 };

	(void)state;
	finish(b);
	while (hook_deadline(a) > clock_now_ms()) {
		poll(NULL, 0, 10);
		assert_true(hook_run(b, clock_now_ms()));
	}
	assert_true(hook_run(a, clock_now_ms()));
	check_ok("a", hook_result(a, &err), &err);
	hook_free(a);
	hook_free(b);
}

static void test_below_a_parent_that_ignores_children(void **state)
{
	struct hook *h;
	struct err err = { 0 };

	(void)state;
	sigaction(SIGCHLD, &(struct sigaction){ .sa_handler = SIG_IGN }, NULL);
	h = start("exit 5", TIMEOUT_MS);
	finish(h);
	check_err("code", hook_result(h, &err), &err, ERR_IO, "ended with code 5");
	hook_free(h);
}

static void test_no_more_than_there_is_room_for(void **state)
{
	static char sleep_path[] = "/bin/sleep", seconds[] = "1000";
	char *argv[] = { sleep_path, seconds, NULL };
	struct hook_order order = { .argv = argv, .timeout_ms = TIMEOUT_MS };
	struct hook *all[HOOKS_MAX], *more = NULL;
	struct err err = { 0 };
	int fds[2 * HOOKS_MAX];

	(void)state;
	for (int i = 0; i < HOOKS_MAX; i++)
		check_ok("one", hook_start(&all[i], &order, 0, &err), &err);
	assert_int_equal(hooks_fds(fds), 2 * HOOKS_MAX);
	check_err("more", hook_start(&more, &order, 0, &err), &err, ERR_IO,
		  "run already");
	assert_true(err.retry_after_ms > 0);
	for (int i = 0; i < HOOKS_MAX; i++)
		hook_free(all[i]);
	assert_int_equal(hooks_fds(fds), 0);
}

static bool is_running(pid_t pid)
{
	char path[64], what = 'Z';
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "r");
	if (f == NULL)
		return false;
	if (fscanf(f, "%*d %*s %c", &what) != 1)
		what = 'Z';
	fclose(f);
	return what != 'Z';
}

/* Freeing one that runs kills what it started. */
static void test_freed_while_it_runs(void **state)
{
	struct hook *h = start("sleep 1000 & echo $!; wait", TIMEOUT_MS);
	pid_t child;

	(void)state;
	while (strchr(hook_output(h), '\n') == NULL)
		assert_false(hook_run(h, clock_now_ms()));
	child = (pid_t)strtol(hook_output(h), NULL, 10);
	assert_true(is_running(child));
	hook_free(h);
	for (int i = 0; i < 1000 && is_running(child); i++)
		poll(NULL, 0, 10);
	assert_false(is_running(child));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_surroundings),
		cmocka_unit_test(test_cannot_run),
		cmocka_unit_test(test_output_is_bounded),
		cmocka_unit_test(test_reaped_for_another),
		cmocka_unit_test(test_below_a_parent_that_ignores_children),
		cmocka_unit_test(test_no_more_than_there_is_room_for),
		cmocka_unit_test(test_freed_while_it_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
