// LDFLAGS: -Wl,--wrap=clock_gettime,--wrap=proc_read,--wrap=syscall
/* Finding and signalling real processes: children of this test, by their names. */
#include "volume.h"

#include <errno.h>
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "base/mem.h"
#include "deliver/proc.h"
#include "deliver/process.h"

/* Names that no other run of this test has: comm holds 15 characters. */
static char name_a[16], name_b[16], dir[64];

/* How much older than they are processes seem to be: most of these tests are not about
 * those that have just started. */
#define OLD_S 60
static time_t aged_s = OLD_S;

int __real_clock_gettime(clockid_t clock, struct timespec *out);
int __wrap_clock_gettime(clockid_t clock, struct timespec *out);
int __wrap_clock_gettime(clockid_t clock, struct timespec *out)
{
	int result = __real_clock_gettime(clock, out);

	if (clock == CLOCK_BOOTTIME)
		out->tv_sec += aged_s;
	return result;
}

/* A call that the system refuses, and how; 0: none.  All tests run with each. */
static const struct refusal {
	const char *name;
	long call;
	int error;
} refusals[] = {
	{ "all is there", 0, 0 },
	{ "no pidfd", SYS_pidfd_open, ENOSYS },
	{ "a pidfd is not permitted", SYS_pidfd_open, EPERM },
	{ "no signal by pidfd", SYS_pidfd_send_signal, EPERM },
};
static const struct refusal *refused = &refusals[0];

long __real_syscall(long number, long a, long b, long c, long d, long e, long f);
long __wrap_syscall(long number, long a, long b, long c, long d, long e, long f);
long __wrap_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	if (number != refused->call || refused->call == 0)
		return __real_syscall(number, a, b, c, d, e, f);
	errno = refused->error;
	return -1;
}

/* When this one is looked at for the second time, right before it is signalled, it is
 * another process. */
static struct {
	pid_t pid;    /* 0: none */
	bool renamed; /* or else it started later */
	int looks;
} replaced;

void __real_proc_read(pid_t pid, struct proc *out);
void __wrap_proc_read(pid_t pid, struct proc *out);
void __wrap_proc_read(pid_t pid, struct proc *out)
{
	__real_proc_read(pid, out);
	if (pid != replaced.pid || ++replaced.looks != 2)
		return;
	if (replaced.renamed) {
		free(out->comm);
		out->comm = xstrdup("another");
	} else {
		out->started++;
	}
}

/* A child that lives until killed; it counts HUPs it was sent in its exit status. */
struct child {
	pid_t pid;
	int stop_fd; /* a byte there ends it */
};

enum disposition { HANDLES, IGNORES, BLOCKS, DEFAULT };

static volatile sig_atomic_t hups;

static void on_hup(int signal)
{
	(void)signal;
	hups++;
}

static void take_hup(enum disposition how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	signal(SIGHUP, how == HANDLES ? on_hup : how == IGNORES ? SIG_IGN : SIG_DFL);
	if (how == BLOCKS)
		sigprocmask(SIG_BLOCK, &set, NULL);
}

static pid_t child_fork(const char *comm, enum disposition how, int ready_fd)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, comm);
		take_hup(how);
		(void)!write(ready_fd, "r", 1);
	}
	return pid;
}

/* Exits with the number of HUPs, when told to. */
static _Noreturn void live(int stop_fd)
{
	char byte;

	while (read(stop_fd, &byte, 1) < 0)
		; /* interrupted by a signal */
	_exit(hups);
}

static struct child child_start(const char *comm, enum disposition how)
{
	int stop[2], ready[2];
	struct child c;
	char byte;

	assert_int_equal(pipe(stop) | pipe(ready), 0);
	c.pid = child_fork(comm, how, ready[1]);
	if (c.pid == 0)
		live(stop[0]);
	c.stop_fd = stop[1];
	close(stop[0]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return c;
}

/* Waits until a signal is no longer pending: a second one would count as the same. */
static void child_settle(struct child c)
{
	auto_free char *path = xasprintf("/proc/%d/status", (int)c.pid);
	unsigned long long shared = 1, own = 1;

	for (int i = 0; i < 6000 && (shared | own) != 0; i++) {
		FILE *file = fopen(path, "re");
		char line[256];

		assert_non_null(file);
		while (fgets(line, sizeof(line), file)) {
			(void)sscanf(line, "ShdPnd: %llx", &shared);
			(void)sscanf(line, "SigPnd: %llx", &own);
		}
		fclose(file);
		usleep(10 * 1000);
	}
	assert_int_equal(shared | own, 0);
}

static void child_end(struct child c)
{
	(void)!write(c.stop_fd, "s", 1); /* EPIPE: it has ended already */
	close(c.stop_fd);
}

/* How many HUPs it got; -1: it was killed. */
static int child_stop(struct child c)
{
	int status;

	child_end(c);
	assert_int_equal(waitpid(c.pid, &status, 0), c.pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int set_up(void **state)
{
	(void)state;
	snprintf(name_a, sizeof(name_a), "a%d", (int)getpid());
	snprintf(name_b, sizeof(name_b), "b%d", (int)getpid());
	volume_make(dir);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	volume_remove(dir);
	return 0;
}

static struct err warning; /* of the last signal */

/* Signals all of that name; *count says how many. */
static int signal_name(const char *name, int number, int *count, struct err *err)
{
	struct process_set told = { 0 };
	int result;

	warning = (struct err){ 0 };
	result = process_signal_name(name, number, &told, &warning, err);

	if (result == 0)
		*count = (int)told.count;
	process_set_clear(&told);
	return result;
}

static void test_by_comm(void **state)
{
	struct child one = child_start(name_a, HANDLES);
	struct child two = child_start(name_a, HANDLES);
	struct child other = child_start(name_b, HANDLES);
	struct err err = { 0 };
	int count = 0;

	(void)state;
	check_ok(name_a, signal_name(name_a, SIGHUP, &count, &err), &err);
	assert_int_equal(count, 2);
	assert_int_equal(child_stop(one), 1);
	assert_int_equal(child_stop(two), 1);
	assert_int_equal(child_stop(other), 0);
}

/* In /proc/PID/stat the name stands before the state, and looks like the end of a
 * zombie's. */
static void test_name_with_a_bracket(void **state)
{
	auto_free char *name = xasprintf("%.8s) Z 1 1", name_a);
	struct child c = child_start(name, HANDLES);
	struct err err = { 0 };
	int count = 0;

	(void)state;
	check_ok(name, signal_name(name, SIGHUP, &count, &err), &err);
	assert_int_equal(count, 1);
	assert_int_equal(child_stop(c), 1);
}

/* A copy of sleep(1), under a name of its own, that ignores HUP. */
static pid_t start_copy(const char *name, const char *argv0)
{
	auto_free char *file = xasprintf("%s/%s", dir, name);
	auto_free char *copy = xasprintf("cp /bin/sleep %s", file);
	int started[2];
	pid_t pid;
	char byte;

	if (access(file, F_OK) < 0)
		assert_int_equal(system(copy), 0);
	assert_int_equal(pipe2(started, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGHUP, SIG_IGN); /* exec keeps it */
		execl(file, argv0 ? argv0 : file, "60", NULL);
		_exit(1);
	}
	close(started[1]);
	assert_int_equal(read(started[0], &byte, 1), 0); /* exec has closed it */
	close(started[0]);
	return pid;
}

static void end_copy(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* Two programs whose names are equal where comm is cut. */
static void test_long_name(void **state)
{
	char api[64], worker[64], cut[16];
	struct err err = { 0 };
	int count = 0;
	pid_t pids[2];

	(void)state;
	snprintf(api, sizeof(api), "pay-%d-service-api", (int)getpid());
	snprintf(worker, sizeof(worker), "pay-%d-service-worker", (int)getpid());
	snprintf(cut, sizeof(cut), "%.15s", api);
	pids[0] = start_copy(api, NULL);
	pids[1] = start_copy(worker, "worker");
	check_ok(api, signal_name(api, SIGHUP, &count, &err), &err);
	assert_int_equal(count, 1);
	check_ok(worker, signal_name(worker, SIGHUP, &count, &err), &err);
	assert_int_equal(count, 1);
	check_err(cut, signal_name(cut, SIGHUP, &count, &err), &err, ERR_IO,
		  "no process named");
	end_copy(pids[0]);
	check_err(api, signal_name(api, SIGHUP, &count, &err), &err, ERR_IO,
		  "no process named");
	end_copy(pids[1]);
}

/* A shell script of our own name; exec makes comm, exe and argv[0] differ. */
static void test_by_argv0(void **state)
{
	/* A shell looks for signals between two commands, not behind the last. */
	static const char script[] = "trap 'exit 7' HUP; echo; read line; true";
	char argv0[64];
	int in[2], out[2], status, count = 0;
	struct err err = { 0 };
	pid_t pid;
	char byte;

	(void)state;
	snprintf(argv0, sizeof(argv0), "/opt/app/%s", name_a);
	assert_int_equal(pipe(in) | pipe(out), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(in[0], 0);
		dup2(out[1], 1);
		close(in[1]);
		execl("/bin/sh", argv0, "-c", script, NULL);
		_exit(1);
	}
	assert_int_equal(read(out[0], &byte, 1), 1); /* the trap is set */
	check_err(argv0, signal_name(argv0, SIGHUP, &count, &err), &err, ERR_IO,
		  "no process named");
	check_ok(name_a, signal_name(name_a, SIGHUP, &count, &err), &err);
	assert_int_equal(count, 1);
	close(in[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 7);
	close(in[0]);
	close(out[0]);
	close(out[1]);
}

/* By the executable's name, also when it was replaced while it runs. */
static void test_by_exe(void **state)
{
	auto_free char *file = xasprintf("%s/%s", dir, name_b);
	auto_free char *link = xasprintf("%s/link", dir); /* comm is of this one */
	struct err err = { 0 };
	int count = 0;
	pid_t pid;

	(void)state;
	end_copy(start_copy(name_b, NULL));
	assert_int_equal(symlink(name_b, link), 0);
	pid = start_copy("link", "worker");
	for (int deleted = 0; deleted < 2; deleted++) {
		if (deleted)
			assert_int_equal(unlink(file), 0);
		check_ok(name_b, signal_name(name_b, SIGHUP, &count, &err), &err);
		assert_int_equal(count, 1);
	}
	end_copy(pid);
}

/* The master, not its workers. */
static void test_parent_only(void **state)
{
	int stop[2], ready[2], status, count = 0;
	struct err err = { 0 };
	char bytes[3];
	pid_t master;

	(void)state;
	assert_int_equal(pipe(stop) | pipe(ready), 0);
	master = child_fork(name_a, HANDLES, ready[1]);
	if (master == 0) {
		pid_t worker[2];
		int sum = 0;

		for (int i = 0; i < 2; i++) {
			worker[i] = child_fork(name_a, HANDLES, ready[1]);
			if (worker[i] == 0)
				live(stop[0]);
		}
		for (int i = 0; i < 2; i++) {
			while (waitpid(worker[i], &status, 0) < 0)
				;
			sum += WEXITSTATUS(status);
		}
		_exit(hups * 10 + sum);
	}
	for (int i = 0; i < 3; i++)
		assert_int_equal(read(ready[0], &bytes[i], 1), 1);
	check_ok(name_a, signal_name(name_a, SIGHUP, &count, &err), &err);
	assert_int_equal(count, 1);
	assert_int_equal(write(stop[1], "ss", 2), 2);
	close(stop[1]);
	close(stop[0]);
	assert_int_equal(waitpid(master, &status, 0), master);
	assert_int_equal(WEXITSTATUS(status), 10);
	close(ready[0]);
	close(ready[1]);
}

/* An app that has not set up its handler would end by HUP, USR1 or USR2: not sent. */
static void test_disposition(void **state)
{
	static const struct {
		const char *row;
		enum disposition how;
		int signal;
		bool sent;
		int hups; /* -1: it ended */
		bool warned;
	} rows[] = {
		{ "handled", HANDLES, SIGHUP, true, 1, false },
		{ "ignored", IGNORES, SIGHUP, true, 0, true },
		{ "blocked, for signalfd", BLOCKS, SIGHUP, true, 0, false },
		{ "default", DEFAULT, SIGHUP, false, 0, false },
		{ "another handled", HANDLES, SIGUSR1, false, 0, false },
		{ "another handled", HANDLES, SIGUSR2, false, 0, false },
		{ "to end it on purpose", DEFAULT, SIGTERM, true, -1, false },
		{ "ignored by default", DEFAULT, SIGWINCH, true, 0, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct child c = child_start(name_a, rows[i].how);
		struct err err = { 0 };
		int count = 0;
		int result = signal_name(name_a, rows[i].signal, &count, &err);

		if (rows[i].sent)
			check_ok(rows[i].row, result, &err);
		else
			check_err(rows[i].row, result, &err, ERR_IO,
				  "does not handle SIG");
		check_int(rows[i].row, warning.kind != ERR_NONE, rows[i].warned);
		check_int(rows[i].row, child_stop(c), rows[i].hups);
	}
}

static void test_nobody(void **state)
{
	char self[32] = "";
	struct child zombie = child_start(name_a, HANDLES);
	struct err err = { 0 };
	int count = 7;
	siginfo_t info;

	(void)state;
	check_err("none", signal_name(name_b, SIGHUP, &count, &err), &err, ERR_IO,
		  "shareProcessNamespace");
	check_holds("none", err.msg, " processes (looked at each one's command name");
	/* Never itself. */
	prctl(PR_GET_NAME, self);
	prctl(PR_SET_NAME, name_b);
	check_err("self", signal_name(name_b, SIGHUP, &count, &err), &err, ERR_IO,
		  "no process named");
	prctl(PR_SET_NAME, self);
	/* Nor one that has ended, and waits for its parent. */
	child_end(zombie);
	assert_int_equal(waitid(P_PID, (id_t)zombie.pid, &info, WEXITED | WNOWAIT), 0);
	check_err("zombie", signal_name(name_a, SIGHUP, &count, &err), &err, ERR_IO,
		  "no process named");
	assert_int_equal(waitpid(zombie.pid, NULL, 0), zombie.pid);
	assert_int_equal(count, 7);
}

static void *live_on(void *stop_fd)
{
	live(*(int *)stop_fd);
}

/* A program whose first thread has ended lives on in the others, though it looks like a
 * zombie. */
static void test_first_thread_ended(void **state)
{
	int stop[2], ready[2], count = 0;
	struct err err = { 0 };
	pthread_t thread;
	struct child c;
	char stat[256];

	(void)state;
	assert_int_equal(pipe(stop) | pipe(ready), 0);
	c.stop_fd = stop[1];
	c.pid = child_fork(name_a, HANDLES, ready[1]);
	if (c.pid == 0) {
		pthread_create(&thread, NULL, live_on, &stop[0]);
		pthread_exit(NULL);
	}
	do {
		char path[64];
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%d/stat", (int)c.pid);
		f = fopen(path, "r");
		assert_non_null(f);
		assert_non_null(fgets(stat, sizeof(stat), f));
		fclose(f);
	} while (strstr(stat, ") Z ") == NULL);
	check_ok("its thread", signal_name(name_a, SIGHUP, &count, &err), &err);
	assert_int_equal(count, 1);
	assert_int_equal(child_stop(c), 1);
	close(stop[0]);
	close(ready[0]);
	close(ready[1]);
}

/* Who took the signal does not get it again, unless the pid is another process's now. */
static void test_told(void **state)
{
	struct child c = child_start(name_a, HANDLES);
	struct process_set told = { 0 };
	struct err err = { 0 };

	(void)state;
	for (int i = 0; i < 3; i++)
		check_ok("told",
			 process_signal_name(name_a, SIGHUP, &told, &warning, &err),
			 &err);
	assert_int_equal(told.count, 1);
	assert_int_equal(child_stop(c), 1);
	c = child_start(name_a, HANDLES);
	told.items[0] = (struct process_seen){ c.pid, told.items[0].started - 1 };
	check_ok("reused", process_signal_name(name_a, SIGHUP, &told, &warning, &err),
		 &err);
	assert_int_equal(told.count, 2);
	assert_int_equal(child_stop(c), 1);
	process_set_clear(&told);
}

/* A name is never a pattern, a part, or a number. */
static void test_no_pattern(void **state)
{
	struct child c = child_start(name_a, HANDLES);
	char number[16];
	struct err err = { 0 };
	int count;

	(void)state;
	snprintf(number, sizeof(number), "%d", (int)c.pid);
	check_int("number", signal_name(number, SIGHUP, &count, &err), -1);
	check_int("part", signal_name(name_a + 1, SIGHUP, &count, &err), -1);
	check_int("star", signal_name("*", SIGHUP, &count, &err), -1);
	assert_int_equal(child_stop(c), 0);
}

static int signal_file(const char *text, struct err *err)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/pid", dir);
	if (text)
		volume_write(dir, "pid", text);
	else
		unlink(path);
	*err = (struct err){ 0 };
	warning = (struct err){ 0 };
	return process_signal_pidfile(path, SIGHUP, &warning, err);
}

static void test_pidfile(void **state)
{
	static const char *const around[][2] = {
		{ "", "" },     { "", "\n" },  { " \n", " \n" },
		{ "", "\r\n" }, { "", " 13" }, { "", "\n/data\n1795887193\n5432\n" }
	};
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(around); i++) {
		struct child c = child_start(name_a, HANDLES);
		char text[32];

		snprintf(text, sizeof(text), "%s%d%s", around[i][0], (int)c.pid,
			 around[i][1]);
		check_ok(text, signal_file(text, &err), &err);
		assert_int_equal(child_stop(c), 1);
		/* The process is gone now. */
		check_err("stale", signal_file(text, &err), &err, ERR_IO,
			  "does not exist");
	}
}

static void test_bad_pidfile(void **state)
{
	auto_free char *self = xasprintf("%d", (int)getpid());
	auto_free char *blanks = xasprintf("%d%5000s", (int)getppid(), "");
	static const char *const rows[] = {
		"",
		"\n",
		"0",
		"-1",
		"abc",
		"12x",
		"x\n12",
		"0x10",
		"+5",
		"2147483648",
		"99999999999999999999999999",
	};
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_err(rows[i], signal_file(rows[i], &err), &err, ERR_IO,
			  "does not hold a process number");
	check_err("missing", signal_file(NULL, &err), &err, ERR_IO, "both containers");
	check_err("self", signal_file(self, &err), &err, ERR_IO, "akvsync itself");
	check_err("large", signal_file(blanks, &err), &err, ERR_IO, "larger than");
}

/* One that is younger than a few seconds may not have set up its handler. */
static void test_young(void **state)
{
	struct child young = child_start(name_a, HANDLES), starting, old;
	struct process_set told = { 0 };
	struct err err = { 0 };
	char text[32];

	(void)state;
	aged_s = 0;
	check_err("young", process_signal_name(name_a, SIGHUP, &told, &warning, &err),
		  &err, ERR_IO, "is so young");
	assert_in_range(err.retry_after_ms, 1, 5000);
	snprintf(text, sizeof(text), "%d\n", (int)young.pid);
	check_err("pid file", signal_file(text, &err), &err, ERR_IO, "is so young");
	assert_in_range(err.retry_after_ms, 1, 5000);
	/* One that would end is a failure, which the young one does not hide. */
	starting = child_start(name_a, DEFAULT);
	check_err("starting", process_signal_name(name_a, SIGHUP, &told, &warning, &err),
		  &err, ERR_IO, "does not handle SIGHUP");
	assert_int_equal(err.retry_after_ms, 0);
	assert_int_equal(child_stop(starting), 0);
	/* To end an app, nobody waits. */
	old = child_start(name_b, HANDLES);
	check_ok("TERM", process_signal_name(name_b, SIGTERM, &told, &warning, &err),
		 &err);
	assert_int_equal(child_stop(old), -1);
	/* A start that lies ahead is of another clock and says nothing. */
	aged_s = -OLD_S;
	check_ok("ahead", process_signal_name(name_a, SIGHUP, &told, &warning, &err),
		 &err);
	child_settle(young);
	check_ok("ahead, of a pid file", signal_file(text, &err), &err);
	aged_s = OLD_S;
	check_ok("old", process_signal_name(name_a, SIGHUP, &told, &warning, &err), &err);
	assert_int_equal(child_stop(young), 2);
	process_set_clear(&told);
}

/* The process has started after its file was written: it is another one. */
static void test_reused_number(void **state)
{
	static const struct {
		const char *row;
		int written_s; /* after the process has started */
		bool signalled;
	} rows[] = {
		{ "of an earlier start", -3600, false },
		{ "seconds before", -4, false },
		{ "the clock is not exact", -1, true },
		{ "the usual", 1, true },
		{ "much later", 3600, true },
	};
	struct child c = child_start(name_a, HANDLES);
	char text[32], path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/pid", dir);
	snprintf(text, sizeof(text), "%d\n", (int)c.pid);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		time_t at = time(NULL) - OLD_S + rows[i].written_s;
		struct timespec times[2] = { { .tv_sec = at }, { .tv_sec = at } };
		struct err err = { 0 };
		int result;

		volume_write(dir, "pid", text);
		assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
		result = process_signal_pidfile(path, SIGHUP, &warning, &err);
		if (rows[i].signalled)
			check_ok(rows[i].row, result, &err);
		else
			check_err(rows[i].row, result, &err, ERR_IO,
				  "is another program's now");
	}
	assert_in_range(child_stop(c), 1, 3); /* one may come while another pends */
}

/* The process that was found has ended, and its number is another one's. */
static void test_replaced(void **state)
{
	(void)state;
	for (int renamed = 0; renamed < 2; renamed++) {
		const char *row = renamed ? "another program" : "another start";
		struct child c = child_start(name_a, HANDLES);
		struct err err = { 0 };
		int count = 0;

		replaced.pid = c.pid;
		replaced.renamed = renamed;
		replaced.looks = 0;
		check_err(row, signal_name(name_a, SIGHUP, &count, &err), &err, ERR_IO,
			  "no process named");
		check_int(row, replaced.looks, 2);
		replaced.pid = 0;
		check_int(row, child_stop(c), 0);
	}
}

/* A wrapper that starts the app, has its name and waits: a process without a handler. */
static void test_wrapper(void **state)
{
	int stop[2], ready[2], status, count = 0;
	struct err err = { 0 };
	char bytes[2];
	pid_t wrapper;

	(void)state;
	assert_int_equal(pipe(stop) | pipe(ready), 0);
	wrapper = child_fork(name_a, DEFAULT, ready[1]);
	if (wrapper == 0) {
		pid_t app = child_fork(name_a, HANDLES, ready[1]);

		if (app == 0)
			live(stop[0]);
		(void)!waitpid(app, &status, 0);
		_exit(WEXITSTATUS(status));
	}
	for (int i = 0; i < 2; i++)
		assert_int_equal(read(ready[0], &bytes[i], 1), 1);
	check_ok(name_a, signal_name(name_a, SIGHUP, &count, &err), &err);
	assert_int_equal(count, 1);
	assert_int_equal(write(stop[1], "s", 1), 1);
	assert_int_equal(waitpid(wrapper, &status, 0), wrapper);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
	close(stop[0]);
	close(stop[1]);
	close(ready[0]);
	close(ready[1]);
}

/* Told apart from "no such process", with its own fix.  Needs root to become another. */
static void test_not_permitted(void **state)
{
	struct child c = child_start(name_a, HANDLES);
	pid_t weak;
	int status;

	(void)state;
	if (geteuid() != 0) {
		child_stop(c);
		skip();
	}
	weak = fork();
	if (weak == 0) {
		struct err err = { 0 };
		int count = 0, result;

		if (setgroups(0, NULL) < 0 || setgid(65534) < 0 || setuid(65534) < 0)
			_exit(2);
		result = signal_name(name_a, SIGHUP, &count, &err);
		_exit(result == -1 &&
				      strstr(err.msg,
					     "not permitted to signal process") &&
				      strstr(err.msg, "runAsUser")
			      ? 0
			      : 1);
	}
	assert_int_equal(waitpid(weak, &status, 0), weak);
	assert_int_equal(child_stop(c), 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIR(test_by_comm),     IN_DIR(test_name_with_a_bracket),
		IN_DIR(test_long_name),   IN_DIR(test_by_argv0),
		IN_DIR(test_by_exe),      IN_DIR(test_parent_only),
		IN_DIR(test_disposition), IN_DIR(test_first_thread_ended),
		IN_DIR(test_nobody),      IN_DIR(test_told),
		IN_DIR(test_no_pattern),  IN_DIR(test_pidfile),
		IN_DIR(test_bad_pidfile), IN_DIR(test_not_permitted),
		IN_DIR(test_young),       IN_DIR(test_reused_number),
		IN_DIR(test_replaced),    IN_DIR(test_wrapper),
	};

	int failed = 0;

	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		refused = &refusals[i];
		failed += cmocka_run_group_tests_name(refused->name, tests, NULL, NULL);
	}
	return failed;
}
