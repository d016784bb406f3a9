// LDFLAGS: -Wl,--wrap=open,--wrap=openat,--wrap=read,--wrap=write,--wrap=close
// LDFLAGS: -Wl,--wrap=fchmod,--wrap=fsync,--wrap=mkdirat,--wrap=fstat,--wrap=fstatat
// LDFLAGS: -Wl,--wrap=linkat,--wrap=symlinkat,--wrap=readlinkat,--wrap=renameat
// LDFLAGS: -Wl,--wrap=unlinkat,--wrap=fdopendir,--wrap=readdir,--wrap=closedir
// LDFLAGS: -Wl,--wrap=faccessat,--wrap=flock,--wrap=fstatfs
/*
 * The fault sweep: every file-system call of publish fails in turn, once and from then
 * on, and the process dies before it in turn.  Readers see the old set or the new one,
 * whole, and the next try succeeds and leaves nothing behind.
 */
#include <errno.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#include "volume.h"

/* ---- the calls ---- */

enum fault { FAIL_ONCE, FAIL_ON, KILL };

static struct {
	bool armed;
	enum fault fault;
	int countdown; /* calls left until it strikes */
	int error;
	bool struck;
	bool stutter; /* writes take one byte, reads are interrupted now and then */
	int calls;
} plan;

static bool strike(void)
{
	if (!plan.armed)
		return false;
	plan.calls++;
	if (plan.countdown > 0 && --plan.countdown > 0)
		return false;
	if (plan.struck && plan.fault == FAIL_ONCE)
		return false;
	plan.struck = true;
	if (plan.fault == KILL)
		kill(getpid(), SIGKILL);
	errno = plan.error;
	return true;
}

#define WRAP(type, name, params, args, failed)                                           \
	type __real_##name params;                                                       \
	type __wrap_##name params;                                                       \
	type __wrap_##name params                                                        \
	{                                                                                \
		if (strike())                                                            \
			return failed;                                                   \
		return __real_##name args;                                               \
	}

WRAP(int, fchmod, (int fd, mode_t m), (fd, m), -1)
WRAP(int, fsync, (int fd), (fd), -1)
WRAP(int, mkdirat, (int fd, const char *p, mode_t m), (fd, p, m), -1)
WRAP(int, fstat, (int fd, struct stat *st), (fd, st), -1)
WRAP(int, fstatat, (int fd, const char *p, struct stat *st, int f), (fd, p, st, f), -1)
WRAP(int, linkat, (int fd, const char *p, int fd2, const char *p2, int f),
     (fd, p, fd2, p2, f), -1)
WRAP(int, symlinkat, (const char *t, int fd, const char *p), (t, fd, p), -1)
WRAP(ssize_t, readlinkat, (int fd, const char *p, char *b, size_t n), (fd, p, b, n), -1)
WRAP(int, renameat, (int fd, const char *p, int fd2, const char *p2), (fd, p, fd2, p2),
     -1)
WRAP(int, unlinkat, (int fd, const char *p, int f), (fd, p, f), -1)
WRAP(DIR *, fdopendir, (int fd), (fd), NULL)
WRAP(struct dirent *, readdir, (DIR * d), (d), NULL)
WRAP(int, faccessat, (int fd, const char *p, int m, int f), (fd, p, m, f), -1)
WRAP(int, flock, (int fd, int op), (fd, op), -1)
WRAP(int, fstatfs, (int fd, struct statfs *st), (fd, st), -1)

/* These release what they are given even when they fail. */
int __real_close(int fd);
int __wrap_close(int fd);
int __wrap_close(int fd)
{
	bool failed = strike();
	int result = __real_close(fd);

	return failed ? -1 : result;
}

int __real_closedir(DIR *d);
int __wrap_closedir(DIR *d);
int __wrap_closedir(DIR *d)
{
	bool failed = strike();
	int result = __real_closedir(d);

	return failed ? -1 : result;
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
	return strike() ? -1 : __real_open(path, flags, 0600);
}

int __real_openat(int fd, const char *path, int flags, ...);
int __wrap_openat(int fd, const char *path, int flags, ...);
int __wrap_openat(int fd, const char *path, int flags, ...)
{
	return strike() ? -1 : __real_openat(fd, path, flags, 0600);
}

static bool interrupt(void)
{
	static int turn;

	if (!plan.stutter || ++turn % 3 != 0)
		return false;
	errno = EINTR;
	return true;
}

ssize_t __real_read(int fd, void *p, size_t n);
ssize_t __wrap_read(int fd, void *p, size_t n);
ssize_t __wrap_read(int fd, void *p, size_t n)
{
	if (strike() || interrupt())
		return -1;
	return __real_read(fd, p, plan.stutter && n > 1 ? 1 : n);
}

ssize_t __real_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n)
{
	if (strike() || interrupt())
		return -1;
	return __real_write(fd, p, plan.stutter && n > 1 ? 1 : n);
}

/* ---- the sets ---- */

static const char *const names[] = { "keep", "change",   "gone",
				     "new",  "dir/kept", "dir/new" };
#define NAMES (sizeof(names) / sizeof(names[0]))
#define NEW_TOP_NAMES 4 /* keep, change, new, dir */

static const char *const nothing[NAMES] = { "-", "-", "-", "-", "-", "-" };
static const char *const old_set[NAMES] = { "keep 1", "change 1", "gone 1",
					    "-",      "dir 1",    "-" };
static const char *const new_set[NAMES] = { "keep 1", "change 2", "-",
					    "new 2",  "dir 1",    "dir 2" };

static int publish_old(struct publish *p, struct err *err)
{
	struct publish_file files[] = {
		volume_file("keep", "1", "keep 1"),
		volume_file("change", "1", "change 1"),
		volume_file("gone", "1", "gone 1"),
		volume_file("dir/kept", "1", "dir 1"),
	};

	return publish_set(p, files, 4, 0, err);
}

/* Carries forward what is there, as a round does. */
static int publish_new(struct publish *p, struct err *err)
{
	struct publish_file files[] = {
		volume_file("keep", "1", "keep 1"),
		volume_file("change", "2", "change 2"),
		volume_file("new", "2", "new 2"),
		volume_file("dir/kept", "1", "dir 1"),
		volume_file("dir/new", "2", "dir 2"),
	};

	for (size_t i = 0; i < 5; i++) {
		const char *version = NULL;

		if (publish_has(p, files[i].path, files[i].object, files[i].options, 0440,
				&version) &&
		    strcmp(version, files[i].version) == 0)
			files[i].data = NULL;
	}
	return publish_set(p, files, 5, 0, err);
}

/* True when a reader sees exactly this set. */
static bool shows(const char *dir, const char *const set[])
{
	for (size_t i = 0; i < NAMES; i++) {
		char text[128];

		volume_read(dir, names[i], text);
		if (strcmp(text, set[i]) != 0)
			return false;
	}
	return true;
}

/* A later start succeeds, publishes the new set and leaves nothing of the failure. */
static void recover(const char *dir)
{
	struct publish *p = volume_open(dir);
	struct err err = { 0 };

	if (publish_new(p, &err) < 0)
		fail_msg("the next try failed: %s", err.msg);
	assert_true(shows(dir, new_set));
	publish_run(p, RETAIN_MS);
	assert_int_equal(volume_count(dir, ".."), 2); /* ..data and one generation */
	assert_int_equal(volume_count(dir, ""), 2 + NEW_TOP_NAMES);
	publish_close(p);
}

/* ---- the sweep ---- */

struct scenario {
	const char *name;
	bool has_old;  /* a set is there before */
	bool reopened; /* publish_open() is swept too, over the leftovers of a crash */
};

static const struct scenario scenarios[] = {
	{ "first set", false, false },
	{ "replace a set", true, false },
	{ "open an empty volume and publish", false, true },
	{ "open over leftovers and publish", true, true },
};

static void arm(enum fault fault, int n, int error)
{
	memset(&plan, 0, sizeof(plan));
	plan.fault = fault;
	plan.countdown = n;
	plan.error = error;
	plan.armed = true;
}

static void leave_leftovers(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY);

	assert_int_equal(mkdirat(fd, "..2020_01_01_00_00_00.000000001", 0755), 0);
	assert_int_equal(symlinkat("..2020", fd, "..tmp.0000000000000001"), 0);
	assert_int_equal(symlinkat("..data/never", fd, "never"), 0);
	close(fd);
}

static struct publish *set_up(const struct scenario *s, const char *dir)
{
	struct publish *p = volume_open(dir);
	struct err err = { 0 };

	if (s->has_old)
		assert_int_equal(publish_old(p, &err), 0);
	if (s->has_old && s->reopened)
		leave_leftovers(dir);
	if (!s->reopened)
		return p;
	publish_close(p);
	return NULL;
}

/* The swept calls.  0, or -1 with *err. */
static int act(struct publish **p, const char *dir, struct err *err)
{
	if (*p == NULL && publish_open(p, dir, RETAIN_MS, 0, err) < 0)
		return -1;
	return publish_new(*p, err);
}

/* False when the n-th call does not exist: the sweep is over. */
static bool sweep_failure(const struct scenario *s, enum fault fault, int n, int error)
{
	struct err err = { 0 };
	struct publish *p;
	char dir[64];
	int result;

	volume_make(dir);
	p = set_up(s, dir);
	arm(fault, n, error);
	result = act(&p, dir, &err);
	plan.armed = false;
	if (result == 0) {
		if (!shows(dir, new_set))
			fail_msg("%s, call %d, error %d: success, but not the new set",
				 s->name, n, error);
	} else {
		if (!shows(dir, s->has_old ? old_set : nothing))
			fail_msg("%s, call %d, error %d: failed, but not the old set: %s",
				 s->name, n, error, err.msg);
		assert_true(strlen(err.msg) > 10 && strchr(err.msg, '\'') != NULL);
		/* The same process tries again, as the sidecar does. */
		if (p != NULL && publish_new(p, &err) < 0)
			fail_msg("%s, call %d, error %d: no retry: %s", s->name, n, error,
				 err.msg);
	}
	publish_close(p);
	recover(dir);
	volume_remove(dir);
	return plan.struck;
}

static void test_failures(void **state)
{
	static const int errors[] = { ENOSPC, EACCES, EROFS, EIO, EMFILE };
	int points = 0;

	(void)state;
	for (size_t s = 0; s < 4; s++)
		for (size_t e = 0; e < sizeof(errors) / sizeof(errors[0]); e++)
			for (int once = 0; once < 2; once++)
				for (int n = 1; sweep_failure(&scenarios[s],
							      once ? FAIL_ONCE : FAIL_ON,
							      n, errors[e]);
				     n++)
					points++;
	print_message("swept %d failures\n", points);
	assert_true(points > 1000);
}

static bool sweep_kill(const struct scenario *s, int n)
{
	char dir[64];
	int status;
	pid_t child;

	volume_make(dir);
	child = fork();
	if (child == 0) {
		struct publish *p = set_up(s, dir);
		struct err err = { 0 };

		arm(KILL, n, 0);
		_exit(act(&p, dir, &err) == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (!shows(dir, new_set) && !shows(dir, s->has_old ? old_set : nothing))
		fail_msg("%s, killed before call %d: neither the old nor the new set",
			 s->name, n);
	recover(dir);
	volume_remove(dir);
	assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
	return WIFSIGNALED(status);
}

static void test_kills(void **state)
{
	int points = 0;

	(void)state;
	for (size_t s = 0; s < 4; s++)
		for (int n = 1; sweep_kill(&scenarios[s], n); n++)
			points++;
	print_message("swept %d kills\n", points);
	assert_true(points > 150);
}

/* Removing a retired generation may fail at any call: readers do not notice. */
static void test_late_removal(void **state)
{
	bool struck = true;

	(void)state;
	for (int n = 1; struck; n++) {
		struct err err = { 0 };
		struct publish *p;
		char dir[64];

		volume_make(dir);
		p = volume_open(dir);
		assert_int_equal(publish_old(p, &err), 0);
		assert_int_equal(publish_new(p, &err), 0);
		arm(FAIL_ON, n, EIO);
		publish_run(p, RETAIN_MS);
		plan.armed = false;
		struck = plan.struck;
		assert_true(shows(dir, new_set));
		publish_close(p);
		recover(dir);
		volume_remove(dir);
	}
}

static void test_stutter(void **state)
{
	struct err err = { 0 };
	struct publish *p;
	char dir[64];

	(void)state;
	volume_make(dir);
	memset(&plan, 0, sizeof(plan));
	plan.stutter = true;
	p = volume_open(dir);
	assert_int_equal(publish_old(p, &err), 0);
	assert_int_equal(publish_new(p, &err), 0);
	publish_close(p);
	p = volume_open(dir);
	assert_int_equal(publish_count(p), 5);
	plan.stutter = false;
	assert_true(shows(dir, new_set));
	publish_close(p);
	volume_remove(dir);
}

/* No call of these objects escapes the sweep: whatever they import is wrapped above,
 * ours, or known not to touch files. */
static void test_sweep_is_complete(void **state)
{
	static const char command[] =
		"cd \"$(dirname \"$(readlink -f /proc/$PPID/exe)\")/..\" && "
		"nm -u syncer/deliver/publish.o syncer/deliver/generation.o "
		"syncer/deliver/tree.o syncer/deliver/manifest.o "
		"syncer/base/file.o | awk '$1 == \"U\" { print $2 } END { print NR }' | "
		"sort -u | grep -vxE "
		"'(str|mem)[a-z]+|__(str|mem|sn?printf)[a-z]*_chk|snprintf|free|abort|"
		"__errno_location|__stack_chk_fail|__(asan|ubsan|lsan)_.*|(buf|err|clock|"
		"json|text|file|"
		"manifest|generation|tree)_[a-z_0-9]+|x[a-z]+|wipe|getrandom|geteuid|"
		"gmtime_r|dirfd|"
		"open|openat|read|write|close|fchmod|fsync|mkdirat|fstat|fstatat|linkat|"
		"symlinkat|"
		"readlinkat|renameat|unlinkat|fdopendir|readdir|closedir|faccessat|flock|"
		"fstatfs'";
	char line[256] = "";
	FILE *f = popen(command, "r");

	(void)state;
	assert_non_null(f);
	/* The count of what nm listed comes first, in the order of sort. */
	assert_non_null(fgets(line, sizeof(line), f));
	assert_true(strtol(line, NULL, 10) > 50);
	if (fgets(line, sizeof(line), f) != NULL)
		fail_msg("this call is not swept: %s", line);
	pclose(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_failures),          cmocka_unit_test(test_kills),
		cmocka_unit_test(test_late_removal),      cmocka_unit_test(test_stutter),
		cmocka_unit_test(test_sweep_is_complete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
