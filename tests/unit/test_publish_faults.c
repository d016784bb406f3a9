// LDFLAGS: -Wl,--wrap=open,--wrap=openat,--wrap=read,--wrap=write,--wrap=close
// LDFLAGS: -Wl,--wrap=fchmod,--wrap=fsync,--wrap=mkdirat,--wrap=fstat,--wrap=fstatat
// LDFLAGS: -Wl,--wrap=linkat,--wrap=symlinkat,--wrap=readlinkat,--wrap=renameat
// LDFLAGS: -Wl,--wrap=unlinkat,--wrap=fdopendir,--wrap=readdir,--wrap=closedir
// LDFLAGS: -Wl,--wrap=faccessat,--wrap=flock,--wrap=fstatfs,--wrap=stat,--wrap=syscall
/*
 * The fault sweep: every file-system call of publish fails in turn, once and from then
 * on, and the process dies before it in turn.  Readers see the old set or the new one,
 * whole, and the next try succeeds and leaves nothing behind.
 */
#include <errno.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#include "volume.h"

#include "base/clock.h"

/* ---- the calls ---- */

enum fault { FAIL_ONCE, FAIL_ON, KILL };

static struct {
	bool armed;
	enum fault fault;
	int countdown; /* calls left until it strikes */
	int error;
	bool struck;
	bool stutter;     /* writes take one byte, reads are interrupted now and then */
	bool looks;       /* only calls that look at something, see is_look() */
	const char *only; /* this call; NULL: all */
	const char *at;   /* the call that was struck first */
	int calls;
} plan;

static bool is_look(const char *call)
{
	static const char *const calls[] = { "readlinkat", "openat",  "openat2",
					     "read",       "fstatat", "faccessat" };

	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		if (strcmp(call, calls[i]) == 0)
			return true;
	return false;
}

static bool strike(const char *call)
{
	if (!plan.armed || (plan.looks && !is_look(call)) ||
	    (plan.only && strcmp(plan.only, call) != 0))
		return false;
	plan.calls++;
	if (plan.countdown > 0 && --plan.countdown > 0)
		return false;
	if (plan.struck && plan.fault == FAIL_ONCE)
		return false;
	plan.at = plan.struck ? plan.at : call;
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
		if (strike(#name))                                                       \
			return failed;                                                   \
		return __real_##name args;                                               \
	}

WRAP(int, fchmod, (int fd, mode_t m), (fd, m), -1)
WRAP(int, fsync, (int fd), (fd), -1)
WRAP(int, mkdirat, (int fd, const char *p, mode_t m), (fd, p, m), -1)
WRAP(int, fstat, (int fd, struct stat *st), (fd, st), -1)
WRAP(int, stat, (const char *p, struct stat *st), (p, st), -1)
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
	bool failed = strike("close");
	int result = __real_close(fd);

	return failed ? -1 : result;
}

int __real_closedir(DIR *d);
int __wrap_closedir(DIR *d);
int __wrap_closedir(DIR *d)
{
	bool failed = strike("closedir");
	int result = __real_closedir(d);

	return failed ? -1 : result;
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
	return strike("open") ? -1 : __real_open(path, flags, 0600);
}

int __real_openat(int fd, const char *path, int flags, ...);
int __wrap_openat(int fd, const char *path, int flags, ...);
int __wrap_openat(int fd, const char *path, int flags, ...)
{
	return strike("openat") ? -1 : __real_openat(fd, path, flags, 0600);
}

long __real_syscall(long number, long a, long b, long c, long d, long e, long f);
long __wrap_syscall(long number, long a, long b, long c, long d, long e, long f);
long __wrap_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	return strike(number == SYS_openat2 ? "openat2" : "another call")
		       ? -1
		       : __real_syscall(number, a, b, c, d, e, f);
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
	if (strike("read") || interrupt())
		return -1;
	return __real_read(fd, p, plan.stutter && n > 1 ? 1 : n);
}

ssize_t __real_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n)
{
	if (strike("write") || interrupt())
		return -1;
	return __real_write(fd, p, plan.stutter && n > 1 ? 1 : n);
}

/* ---- the sets ---- */

static const char *const names[] = { "keep", "change",   "gone",
				     "new",  "dir/kept", "dir/new" };
#define NAMES (sizeof(names) / sizeof(names[0]))

static const char *const nothing[NAMES] = { "-", "-", "-", "-", "-", "-" };
static const char *const old_set[NAMES] = { "keep 1", "change 1", "gone 1",
					    "-",      "dir 1",    "-" };
static const char *const new_set[NAMES] = { "keep 1", "change 2", "-",
					    "new 2",  "dir 1",    "dir 2" };
/* Another program has edited one file of the old set, and removed one. */
static const char *const hurt_set[NAMES] = { "keep 1", "edited", "-", "-", "dir 1", "-" };
static const char *const healed_set[NAMES] = { "keep 1", "edited", "-",
					       "new 2",  "dir 1",  "-" };

static int publish_old(struct publish *p, struct err *err)
{
	struct publish_file files[] = {
		volume_file("keep", "1", "keep 1"),
		volume_file("change", "1", "change 1"),
		volume_file("gone", "1", "gone 1"),
		volume_file("dir/kept", "1", "dir 1"),
	};

	return volume_commit(p, files, 4, 0, err);
}

/* Carries forward what is there, as a round does. */
static int publish_known(struct publish *p, struct publish_file *files, size_t count,
			 struct err *err)
{
	if (publish_look(p, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		const char *version = NULL;

		if (volume_has(p, files[i].path, files[i].object, files[i].options, 0440,
			       &version) &&
		    strcmp(version, files[i].version) == 0)
			files[i].data = NULL;
	}
	return volume_commit(p, files, count, 0, err);
}

static int publish_new(struct publish *p, struct err *err)
{
	struct publish_file files[] = {
		volume_file("keep", "1", "keep 1"),
		volume_file("change", "2", "change 2"),
		volume_file("new", "2", "new 2"),
		volume_file("dir/kept", "1", "dir 1"),
		volume_file("dir/new", "2", "dir 2"),
	};

	return publish_known(p, files, 5, err);
}

/* Only the version of one file is new. */
static int publish_same(struct publish *p, struct err *err)
{
	struct publish_file files[] = {
		volume_file("keep", "1", "keep 1"),
		volume_file("change", "2", "change 1"),
		volume_file("gone", "1", "gone 1"),
		volume_file("dir/kept", "1", "dir 1"),
	};

	return publish_known(p, files, 4, err);
}

/* Two files cannot be fetched now, and stay as they are. */
static int publish_as_is(struct publish *p, struct err *err)
{
	struct publish_file files[] = {
		volume_file("keep", "1", "keep 1"), volume_file("change", "1", NULL),
		volume_file("gone", "1", NULL),     volume_file("dir/kept", "1", "dir 1"),
		volume_file("new", "2", "new 2"),
	};

	files[1].as_is = true;
	files[2].as_is = true;
	return publish_known(p, files, 5, err);
}

/* As a round does: bytes go to the volume as they come, and what is left over of them
 * goes with the set or with its failure. */
static int publish_staged(struct publish *p, struct err *err)
{
	struct publish_file files[] = {
		volume_file("keep", "2", "keep 1"),
		volume_file("change", "2", "change 2"),
		volume_file("new", "2", "new 2"),
		volume_file("dir/kept", "2", "dir 1"),
		volume_file("dir/new", "2", "dir 2"),
		volume_file("unused", "2", "unused"),
	};
	int result = publish_look(p, err);

	for (size_t i = 0; i < 6 && result == 0; i++)
		volume_stage(p, &files[i]);
	if (result == 0)
		result = volume_commit(p, files, 5, 0, err);
	publish_abandon(p);
	return result;
}

static int publish_empty(struct publish *p, struct err *err)
{
	return publish_known(p, NULL, 0, err);
}

static void hurt(const char *dir)
{
	char path[128];

	volume_write(dir, "..data/change", "edited");
	snprintf(path, sizeof(path), "%s/..data/change", dir);
	assert_int_equal(chmod(path, 0440), 0);
	snprintf(path, sizeof(path), "%s/..data/gone", dir);
	assert_int_equal(unlink(path), 0);
}

static void spoil_manifest(const char *dir)
{
	volume_write(dir, "..data/..manifest", "{\"format\":9,\"files\":{}}");
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

/* ---- the sweep ---- */

struct scenario {
	const char *name;
	const char *const *before; /* what readers see */
	int (*publish)(struct publish *p, struct err *err);
	const char *const *after;
	int after_names;                /* of the directory */
	bool reopened;                  /* publish_open() is swept too */
	bool leftovers;                 /* of a crash are there then */
	void (*spoil)(const char *dir); /* done to the old set by others */
};

static const struct scenario scenarios[] = {
	{ "first set", nothing, publish_new, new_set, 4, .spoil = NULL },
	{ "replace a set", old_set, publish_new, new_set, 4, .spoil = NULL },
	{ "open an empty volume and publish", nothing, publish_new, new_set, 4,
	  .reopened = true },
	{ "open over leftovers and publish", old_set, publish_new, new_set, 4,
	  .reopened = true, .leftovers = true },
	{ "first set, staged", nothing, publish_staged, new_set, 4, .spoil = NULL },
	{ "replace a set, staged", old_set, publish_staged, new_set, 4, .spoil = NULL },
	{ "open over leftovers and stage", old_set, publish_staged, new_set, 4,
	  .reopened = true, .leftovers = true },
	{ "same bytes, another version", old_set, publish_same, old_set, 4,
	  .spoil = NULL },
	{ "open and find the same bytes", old_set, publish_same, old_set, 4,
	  .reopened = true },
	{ "as is", hurt_set, publish_as_is, healed_set, 4, .spoil = hurt },
	{ "open and publish as is", hurt_set, publish_as_is, healed_set, 4,
	  .reopened = true, .spoil = hurt },
	{ "empty set", old_set, publish_empty, nothing, 0, .spoil = NULL },
	{ "first set is empty", nothing, publish_empty, nothing, 0, .spoil = NULL },
	{ "unknown manifest", old_set, publish_new, new_set, 4, .reopened = true,
	  .spoil = spoil_manifest },
};

/* A later start succeeds, publishes the set and leaves nothing of the failure. */
static void recover(const struct scenario *s, const char *dir)
{
	struct publish *p = volume_open(dir);
	struct err err = { 0 };
	enum publish_state state;
	char current[80];

	/* A manifest that was being replaced is the old one or the new one. */
	if (s->before == old_set && s->spoil == NULL)
		assert_true(publish_fits(p, 1));
	snprintf(current, sizeof(current), "%s/..data", dir);
	if (publish_generation(p) != NULL)
		check_int(s->name, volume_count(current, "..tmp."), 0);
	if (s->publish(p, &err) < 0)
		fail_msg("%s: the next try failed: %s", s->name, err.msg);
	assert_true(shows(dir, s->after));
	publish_run(p, RETAIN_MS);
	/* ..data and one generation */
	check_int(s->name, volume_count(dir, ".."), 2);
	check_int(s->name, volume_count(dir, ""), 2 + s->after_names);
	publish_close(p);
	p = volume_open(dir);
	assert_true(publish_fits(p, 1));
	if (s->publish == publish_same)
		check_text(s->name, publish_at(p, "change", NULL)->version, "2");
	if (s->publish == publish_as_is) {
		assert_non_null(publish_at(p, "change", &state));
		check_int(s->name, state, PUBLISH_ALTERED);
		assert_non_null(publish_at(p, "gone", &state));
		check_int(s->name, state, PUBLISH_MISSING);
		assert_non_null(publish_at(p, "new", &state));
		check_int(s->name, state, PUBLISH_INTACT);
		assert_non_null(publish_at(p, "keep", &state));
		check_int(s->name, state, PUBLISH_INTACT);
	}
	publish_close(p);
}

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
	assert_int_equal(mkdirat(fd, "..tmp.0000000000000002", 0700), 0);
	close(openat(fd, "..tmp.0000000000000002/0", O_CREAT | O_WRONLY, 0440));
	close(fd);
}

static struct publish *set_up(const struct scenario *s, const char *dir)
{
	struct publish *p = volume_open(dir);
	struct err err = { 0 };

	if (s->before != nothing)
		assert_int_equal(publish_old(p, &err), 0);
	if (s->spoil)
		s->spoil(dir);
	if (s->leftovers)
		leave_leftovers(dir);
	if (!s->reopened)
		return p;
	publish_close(p);
	return NULL;
}

/* The swept calls.  0, or -1 with *err. */
static int act(const struct scenario *s, struct publish **p, const char *dir,
	       struct err *err)
{
	if (*p == NULL && publish_open(p, dir, RETAIN_MS, 0, err) < 0)
		return -1;
	return s->publish(*p, err);
}

/* False when the n-th call does not exist: the sweep is over. */
static bool sweep_failure(const struct scenario *s, enum fault fault, int n, int error)
{
	struct err err = { 0 };
	struct publish *p;
	char dir[64];
	int result, entries;

	volume_make(dir);
	p = set_up(s, dir);
	entries = volume_count(dir, "");
	arm(fault, n, error);
	result = act(s, &p, dir, &err);
	plan.armed = false;
	if (result == 0) {
		if (!shows(dir, s->after))
			fail_msg("%s, call %d, error %d: success, but not the new set",
				 s->name, n, error);
	} else {
		if (!shows(dir, s->before))
			fail_msg("%s, call %d, error %d: failed, but not the old set: %s",
				 s->name, n, error, err.msg);
		/* What was made for the set is taken back, unless that fails too. */
		if (fault == FAIL_ONCE && !s->reopened)
			check_int(plan.at, volume_count(dir, ""), entries);
		assert_true(strlen(err.msg) > 10 && strchr(err.msg, '\'') != NULL);
		/* Equal failures have equal messages: a name that is new at each try is
		 * in none. */
		if (strstr(err.msg, "..tmp.") != NULL ||
		    (strstr(err.msg, "..2") != NULL && !s->reopened))
			fail_msg("%s: %s", s->name, err.msg);
		/* The same process tries again, as the sidecar does. */
		if (p != NULL && s->publish(p, &err) < 0)
			fail_msg("%s, call %d, error %d: no retry: %s", s->name, n, error,
				 err.msg);
	}
	publish_close(p);
	recover(s, dir);
	volume_remove(dir);
	return plan.struck;
}

static void test_failures(void **state)
{
	/* EPERM: a file that may not be linked is copied. */
	static const int errors[] = { ENOSPC, EACCES, EROFS, EIO, EMFILE, EPERM };
	int points = 0;

	(void)state;
	for (size_t s = 0; s < ARRAY_LEN(scenarios); s++)
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
		_exit(act(s, &p, dir, &err) == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (!shows(dir, s->after) && !shows(dir, s->before))
		fail_msg("%s, killed before call %d: neither the old nor the new set",
			 s->name, n);
	recover(s, dir);
	volume_remove(dir);
	assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
	return WIFSIGNALED(status);
}

static void test_kills(void **state)
{
	int points = 0;

	(void)state;
	for (size_t s = 0; s < ARRAY_LEN(scenarios); s++)
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
		recover(&scenarios[1], dir);
		volume_remove(dir);
	}
}

/* ---- only "it does not exist" means that there is none ---- */

/* The n-th look of publish_open() fails while a set is there, and one that is retired. */
static bool sweep_open(enum fault fault, int n, int error)
{
	struct publish *p = NULL;
	auto_free char *first = NULL, *live = NULL, *manifest = NULL;
	struct err err = { 0 };
	char dir[64];
	int entries;

	volume_make(dir);
	p = volume_open(dir);
	assert_int_equal(publish_new(p, &err), 0);
	first = xstrdup(publish_generation(p));
	assert_int_equal(publish_old(p, &err), 0);
	live = xstrdup(publish_generation(p));
	publish_close(p);
	leave_leftovers(dir);
	entries = volume_count(dir, "");
	manifest = xasprintf("%s/%s/..manifest", dir, first);
	p = NULL;
	arm(fault, n, error);
	plan.looks = true;
	if (publish_open(&p, dir, RETAIN_MS, 0, &err) < 0) {
		plan.armed = false;
		/* Whether the directory may be written to is another question. */
		if (strcmp(plan.at, "faccessat") != 0) {
			check_int(plan.at, err.kind, ERR_UNAVAILABLE);
			check_holds(plan.at, err.msg, "nothing was changed");
		}
		check_holds(plan.at, err.msg, dir);
		check_int(plan.at, volume_count(dir, ""), entries);
	} else {
		plan.armed = false;
		check_text(plan.at ? plan.at : "-", publish_generation(p), live);
		if (access(manifest, F_OK) < 0)
			fail_msg("%s %d: the retired set is gone at once", plan.at, n);
		publish_run(p, RETAIN_MS);
		publish_close(p);
	}
	if (!shows(dir, old_set))
		fail_msg("%s %d: the live set is gone", plan.at, n);
	p = volume_open(dir);
	check_text("live", publish_generation(p), live);
	publish_run(p, RETAIN_MS);
	assert_true(shows(dir, old_set));
	check_int("generations", volume_count(dir, "..2"), 1);
	publish_close(p);
	volume_remove(dir);
	return plan.struck;
}

static void test_open_failures(void **state)
{
	static const int errors[] = { ENOMEM, ENFILE, EMFILE, EIO, EACCES };
	int points = 0;

	(void)state;
	for (size_t e = 0; e < ARRAY_LEN(errors); e++)
		for (int once = 0; once < 2; once++)
			for (int n = 1;
			     sweep_open(once ? FAIL_ONCE : FAIL_ON, n, errors[e]); n++)
				points++;
	print_message("swept %d looks of an opening\n", points);
	assert_true(points > 100);
}

/* A file in the place of ..data is never replaced, whichever call fails. */
static void check_in_the_way(struct publish *p, const char *dir)
{
	for (int n = 1;; n++) {
		struct err err = { 0 };
		char text[128];

		arm(FAIL_ONCE, n, EIO);
		assert_int_equal(publish_new(p, &err), -1);
		plan.armed = false;
		volume_read(dir, "..data", text);
		check_text(plan.at ? plan.at : "-", text, "mine");
		if (!plan.struck)
			return;
	}
}

/* What is there answers: it is no set, and the next publishing tells or mends it. */
static void test_no_set(void **state)
{
	static const struct {
		const char *target; /* of ..data; NULL: it is a file */
	} rows[] = { { NULL },
		     { "elsewhere" },
		     { "..2026_01_01_00_00_00.000000001" },
		     { "..2026_01_01_00_00_00.0000000012" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct publish *p;
		char dir[64], path[128];

		volume_make(dir);
		snprintf(path, sizeof(path), "%s/..data", dir);
		if (rows[i].target == NULL)
			volume_write(dir, "..data", "mine");
		else
			assert_int_equal(symlink(rows[i].target, path), 0);
		p = volume_open(dir);
		assert_null(publish_generation(p));
		assert_false(publish_fits(p, 1));
		if (rows[i].target == NULL)
			check_in_the_way(p, dir);
		publish_close(p);
		volume_remove(dir);
	}
}

/* What cannot be removed when its time has come is tried again: its values must not stay.
 */
static void test_removal_is_tried_again(void **state)
{
	struct err err = { 0 };
	struct publish *p;
	char dir[64];

	(void)state;
	volume_make(dir);
	p = volume_open(dir);
	assert_int_equal(publish_old(p, &err), 0);
	assert_int_equal(publish_new(p, &err), 0);
	arm(FAIL_ON, 1, EACCES);
	publish_run(p, RETAIN_MS);
	plan.armed = false;
	assert_int_equal(volume_count(dir, "..2"), 2);
	assert_true(publish_deadline(p) > RETAIN_MS && publish_deadline(p) < 60000);
	publish_run(p, publish_deadline(p));
	assert_int_equal(volume_count(dir, "..2"), 1);
	assert_true(publish_deadline(p) == CLOCK_NEVER);
	publish_close(p);
	volume_remove(dir);
}

/* Likewise what a crash left behind, which has values, too. */
static void test_removal_of_leftovers_is_tried_again(void **state)
{
	struct err err = { 0 };
	struct publish *p;
	char dir[64];

	(void)state;
	volume_make(dir);
	leave_leftovers(dir);
	arm(FAIL_ON, 1, EACCES);
	plan.only = "unlinkat";
	assert_int_equal(publish_open(&p, dir, RETAIN_MS, 0, &err), 0);
	plan.armed = false;
	assert_int_equal(volume_count(dir, "..tmp."), 2);
	publish_run(p, publish_deadline(p));
	assert_int_equal(volume_count(dir, "..tmp."), 0);
	assert_int_equal(volume_count(dir, "..2"), 0);
	publish_close(p);
	volume_remove(dir);
}

/* Whichever call of the making begins to fail: tries that leave something behind do not
 * go on for ever, and the first that works removes it. */
static void test_leftovers_are_bounded(void **state)
{
	(void)state;
	for (int n = 1; n < 60; n++) {
		struct err err = { 0 };
		struct publish *p;
		char dir[64];

		volume_make(dir);
		p = volume_open(dir);
		assert_int_equal(publish_old(p, &err), 0);
		for (int i = 0; i < 12; i++) {
			int result;

			arm(FAIL_ON, n, EMFILE);
			result = publish_new(p, &err);
			plan.armed = false;
			if (result == 0)
				break;
			assert_in_range(volume_count(dir, "..2"), 1, 5);
		}
		assert_int_equal(publish_new(p, &err), 0);
		publish_run(p, RETAIN_MS);
		assert_int_equal(volume_count(dir, "..2"), 1);
		assert_int_equal(volume_count(dir, "..tmp."), 0);
		publish_close(p);
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
		"syncer/deliver/change.o syncer/deliver/links.o "
		"syncer/deliver/retired.o syncer/deliver/directory.o "
		"syncer/deliver/lock.o syncer/deliver/staging.o "
		"syncer/base/file.o syncer/base/beneath.o | awk '$1 == \"U\" { print $2 "
		"} END { print NR }' | "
		"sort -u | grep -vxE "
		"'(str|mem)[a-z]+|__(str|mem|sn?printf)[a-z]*_chk|snprintf|free|abort|"
		"__errno_location|__stack_chk_fail|__(asan|ubsan|lsan)_.*|(buf|err|clock|"
		"json|text|file|beneath|"
		"manifest|generation|tree|changes|links|retired|paths|directory|lock|"
		"staging|staged)_[a-z_0-9]+|x[a-z]+"
		"|wipe|"
		"getrandom|geteuid|qsort|sorted_place|"
		"gmtime_r|dirfd|"
		"open|openat|read|write|close|fchmod|fsync|mkdirat|fstat|fstatat|linkat|"
		"symlinkat|"
		"readlinkat|renameat|unlinkat|fdopendir|readdir|closedir|faccessat|flock|"
		"fstatfs|stat|syscall'";
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
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_kills),
		cmocka_unit_test(test_late_removal),
		cmocka_unit_test(test_stutter),
		cmocka_unit_test(test_open_failures),
		cmocka_unit_test(test_no_set),
		cmocka_unit_test(test_removal_is_tried_again),
		cmocka_unit_test(test_removal_of_leftovers_is_tried_again),
		cmocka_unit_test(test_leftovers_are_bounded),
		cmocka_unit_test(test_sweep_is_complete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
