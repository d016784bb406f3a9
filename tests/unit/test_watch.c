// LDFLAGS: -Wl,--wrap=inotify_add_watch
/* Files as the kubelet projects them: every replacement is noticed, wherever the link
 * that is swapped stands in the path. */
#include "volume.h"

#include <poll.h>
#include <sys/inotify.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/watch.h"

static char dir[64], path[200];
static struct watch *w;

/* What the kernel says to directories whose name ends so; NULL: to none. */
static const char *refused;
static int refused_errno;

int __real_inotify_add_watch(int fd, const char *name, uint32_t mask);
int __wrap_inotify_add_watch(int fd, const char *name, uint32_t mask);

int __wrap_inotify_add_watch(int fd, const char *name, uint32_t mask)
{
	size_t len = strlen(name), end = refused ? strlen(refused) : 0;

	if (refused == NULL || len < end || strcmp(name + len - end, refused) != 0)
		return __real_inotify_add_watch(fd, name, mask);
	errno = refused_errno;
	return -1;
}

static bool take_and_look(struct watch *one, int64_t now)
{
	watch_take_events();
	return watch_look(one, now);
}

static int set_up(void **state)
{
	(void)state;
	volume_make(dir);
	w = NULL;
	refused = NULL;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	watch_free(w);
	volume_remove(dir);
	return 0;
}

/* A path in the directory; valid for a few more calls. */
PRINTF_LIKE(1, 2) static const char *at(const char *fmt, ...)
{
	static char text[8][256];
	static unsigned turn;
	char *out = text[turn++ % ARRAY_LEN(text)];
	int n = snprintf(out, sizeof(text[0]), "%s/", dir);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(out + n, sizeof(text[0]) - (size_t)n, fmt, ap);
	va_end(ap);
	return out;
}

static void start(const char *name)
{
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	w = watch_new(path, NULL, 0);
	assert_null(watch_trouble(w));
}

/* True when something happened; takes it. */
static bool noticed(int timeout_ms)
{
	struct pollfd p = { .fd = watch_fd(w), .events = POLLIN };
	bool ready = poll(&p, 1, timeout_ms) == 1;

	take_and_look(w, 0);
	return ready;
}

#define assert_noticed() assert_true(noticed(5000))
/* inotify(7) queues an event before the call that causes it returns. */
#define assert_quiet() assert_false(noticed(0))

/* AtomicWriter's steps: a new directory, then ..data by one rename.  sub is "" or
 * "/folder" of the projected files. */
static void project(const char *sub, const char *file, int generation)
{
	char target[32];

	snprintf(target, sizeof(target), "..gen%d", generation);
	assert_int_equal(mkdir(at("%s", target), 0755), 0);
	if (*sub)
		assert_int_equal(mkdir(at("%s%s", target, sub), 0755), 0);
	volume_write(at("%s%s", target, sub), file, "token");
	assert_int_equal(symlink(target, at("..data_tmp")), 0);
	if (w)
		take_and_look(w, 0); /* the rename alone must be noticed */
	assert_int_equal(rename(at("..data_tmp"), at("..data")), 0);
	tree_remove(AT_FDCWD, at("..gen%d", generation - 1));
}

static void swap(const char *sub, const char *file)
{
	assert_quiet();
	for (int generation = 2; generation < 6; generation++) {
		project(sub, file, generation);
		assert_noticed();
		assert_quiet();
	}
}

/* DIR/token -> ..data/token, the usual mount. */
static void test_flat(void **state)
{
	(void)state;
	project("", "token", 1);
	assert_int_equal(symlink("..data/token", at("token")), 0);
	start("token");
	swap("", "token");
}

/* DIR/token/azure-identity-token, where DIR/token itself is the link into ..data. */
static void test_nested(void **state)
{
	(void)state;
	project("/token", "azure-identity-token", 1);
	assert_int_equal(symlink("..data/token", at("token")), 0);
	start("token/azure-identity-token");
	swap("/token", "azure-identity-token");
}

/* All instances of inotify are taken: it looks now and then, and sees again later. */
static void test_blind(void **state)
{
	struct rlimit before, none;

	(void)state;
	volume_write(dir, "token", "one");
	snprintf(path, sizeof(path), "%s/token", dir);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	w = watch_new(path, NULL, 1000);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	check_holds("trouble", watch_trouble(w), path);
	check_holds("trouble", watch_trouble(w),
		    "Too many open files; raise "
		    "fs.inotify.max_user_instances");
	assert_int_equal(watch_fd(w), -1);
	assert_in_range(watch_deadline(w), 1001, 60000);
	volume_write(dir, "token", "two!");
	assert_true(take_and_look(w, watch_deadline(w)));
	assert_null(watch_trouble(w));
	assert_int_equal(watch_deadline(w), CLOCK_NEVER);
	volume_write(dir, "token", "three");
	assert_noticed();
}

/* A directory that cannot be watched makes it blind, whichever of them it is; one that is
 * not there does not, since the one above it is watched. */
static void test_refused_directory(void **state)
{
	static const struct {
		const char *row, *refused;
		int error;
		const char *says; /* NULL: it is not blind */
	} rows[] = {
		{ "none is left", "", ENOSPC,
		  "': No space left on device; raise fs.inotify.max_user_watches on the "
		  "node" },
		{ "the one of the link", "/link", ENOSPC, "/link': No space left" },
		{ "the one of the file", "/real", ENOSPC, "/real': No space left" },
		{ "not even a little memory", "/real", ENOMEM,
		  "/real': Cannot allocate memory" },
		{ "not for us", "/link", EACCES, "/link': Permission denied" },
		{ "gone a moment ago", "/real", ENOENT, NULL },
		{ "a file by now", "/real", ENOTDIR, NULL },
	};

	(void)state;
	assert_int_equal(mkdir(at("link"), 0755), 0);
	assert_int_equal(mkdir(at("real"), 0755), 0);
	volume_write(dir, "real/token", "one");
	assert_int_equal(symlink("../real/token", at("link/token")), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *row = rows[i].row;

		refused = rows[i].refused;
		refused_errno = rows[i].error;
		w = watch_new(at("link/token"), NULL, 1000);
		if (rows[i].says == NULL) {
			check(row, watch_trouble(w) == NULL);
			check(row, watch_deadline(w) == CLOCK_NEVER);
			check_int(row, watch_news(w), WATCH_NO_NEWS);
			watch_free(w);
			continue;
		}
		check(row, watch_trouble(w) != NULL);
		check_holds(row, watch_trouble(w), watch_name(w));
		check_holds(row, watch_trouble(w), "now takes up to 10 s");
		check_holds(row, watch_trouble(w), rows[i].says);
		check_int(row, watch_news(w), WATCH_WENT_BLIND);
		check_int(row, watch_news(w), WATCH_NO_NEWS);
		/* It looks by itself, and stays as blind. */
		check_int(row, watch_deadline(w), 11000);
		volume_write(dir, "real/token", i % 2 ? "two!" : "three");
		check(row, take_and_look(w, 11000));
		check(row, !take_and_look(w, 21000));
		check_int(row, watch_deadline(w), 31000);
		check_int(row, watch_news(w), WATCH_NO_NEWS);
		/* Until the kernel has some again. */
		refused = NULL;
		check(row, !take_and_look(w, 31000));
		check(row, watch_trouble(w) == NULL);
		check_int(row, watch_news(w), WATCH_SEES_AGAIN);
		check_int(row, watch_news(w), WATCH_NO_NEWS);
		check(row, watch_deadline(w) == CLOCK_NEVER);
		watch_free(w);
	}
	w = NULL;
}

/* The directories that are watched are of use meanwhile. */
static void test_half_blind(void **state)
{
	(void)state;
	project("", "token", 1);
	assert_int_equal(symlink("..data/token", at("token")), 0);
	refused = "/..gen1";
	refused_errno = ENOSPC;
	snprintf(path, sizeof(path), "%s/token", dir);
	w = watch_new(path, NULL, 0);
	assert_non_null(watch_trouble(w));
	project("", "token", 2);
	assert_noticed();
	assert_null(watch_trouble(w));
}

/* Whoever asks gets a look, whatever came of the events. */
static void test_look(void **state)
{
	(void)state;
	volume_write(dir, "token", "one");
	start("token");
	assert_false(watch_look(w, 0));
	volume_write(dir, "token", "two!");
	assert_true(watch_look(w, 0));
	assert_false(watch_look(w, 0));
	/* The events are still there, and say nothing new. */
	assert_false(take_and_look(w, 0));
	assert_quiet();
	volume_write(dir, "token", "three");
	assert_noticed();
	assert_false(watch_look(NULL, 0));
	assert_int_equal(watch_news(NULL), WATCH_NO_NEWS);
}

static void test_plain_file(void **state)
{
	(void)state;
	volume_write(dir, "token", "one");
	start("token");
	volume_write(dir, "token", "two"); /* a new file of that name */
	assert_noticed();
	assert_int_equal(truncate(at("token"), 0), 0);
	{
		int fd = open(at("token"), O_WRONLY | O_APPEND); /* in place */

		assert_int_equal(write(fd, "three", 5), 5);
		close(fd);
	}
	assert_noticed();
	volume_write(dir, "other", "x");
	take_and_look(w, 0);
	assert_int_equal(rename(at("other"), at("token")), 0);
	assert_noticed();
	/* Reading is nothing new. */
	{
		char text[128];

		volume_read(dir, "token", text);
		assert_quiet();
	}
}

/* The path appears piece by piece. */
static void test_not_there_yet(void **state)
{
	(void)state;
	start("a/b/token");
	assert_quiet();
	assert_int_equal(mkdir(at("a"), 0755), 0);
	assert_noticed();
	assert_int_equal(mkdir(at("a/b"), 0755), 0);
	assert_noticed();
	volume_write(dir, "a/b/token", "x");
	assert_noticed();
	/* And goes, and comes back. */
	tree_remove(AT_FDCWD, at("a/b"));
	assert_noticed();
	assert_int_equal(mkdir(at("a/b"), 0755), 0);
	assert_noticed();
	volume_write(dir, "a/b/token", "y");
	assert_noticed();
}

/* Links to anywhere: absolute, upwards, through several. */
static void test_links(void **state)
{
	(void)state;
	assert_int_equal(mkdir(at("real"), 0755), 0);
	assert_int_equal(mkdir(at("x"), 0755), 0);
	volume_write(dir, "real/token", "1");
	assert_int_equal(symlink(at("real"), at("absolute")), 0);
	assert_int_equal(symlink("../absolute/./token", at("x/up")), 0);
	assert_int_equal(symlink("x//up", at("token")), 0);
	start("token");
	assert_quiet();
	volume_write(dir, "real/token", "2");
	assert_noticed();
	/* A link in the middle is swapped. */
	assert_int_equal(mkdir(at("real2"), 0755), 0);
	volume_write(dir, "real2/token", "3");
	take_and_look(w, 0);
	assert_int_equal(symlink("real2", at("new")), 0);
	assert_int_equal(rename(at("new"), at("absolute")), 0);
	assert_noticed();
	/* Now its new target counts. */
	volume_write(dir, "real2/token", "4");
	assert_noticed();
}

/* Paths without an end must end. */
static void test_loops(void **state)
{
	char deep[2048] = "";

	(void)state;
	assert_int_equal(symlink("loop", at("loop")), 0);
	assert_int_equal(symlink("ping/x", at("pong")), 0);
	assert_int_equal(symlink("pong/x", at("ping")), 0);
	for (int i = 0; i < 500; i++)
		strcat(deep, "../");
	strcat(deep, "token");
	assert_int_equal(symlink(deep, at("up")), 0);
	{
		static const char *const names[] = { "loop", "ping/token", "up",
						     "loop/.." };

		for (size_t i = 0; i < ARRAY_LEN(names); i++) {
			start(names[i]);
			take_and_look(w, 0);
			watch_free(w);
		}
	}
	w = NULL;
	assert_int_equal(watch_fd(NULL), -1);
	watch_free(NULL);
}

static void test_long_path(void **state)
{
	auto_free char *big = xcalloc(1, 9000);

	(void)state;
	memset(big, 'x', 8999);
	for (size_t i = 0; i < 8999; i += 100)
		big[i] = '/';
	w = watch_new(big, NULL, 0);
	watch_free(w);
	memset(big, 'x', 8999); /* one component */
	w = watch_new(big, NULL, 0);
}

/* The kernel gives a uid few of these descriptors, so all watches have one; whoever reads
 * it first takes nothing from the others. */
static void test_shared(void **state)
{
	struct watch *other;

	(void)state;
	volume_write(dir, "a", "1");
	volume_write(dir, "b", "1");
	start("a");
	other = watch_new(at("b"), NULL, 0);
	assert_int_equal(watch_fd(other), watch_fd(w));
	volume_write(dir, "b", "22");
	assert_false(take_and_look(w, 0));
	assert_true(take_and_look(other, 0));
	volume_write(dir, "a", "22");
	volume_write(dir, "b", "333");
	assert_true(take_and_look(other, 0));
	assert_true(take_and_look(w, 0));
	watch_free(other);
	volume_write(dir, "a", "333");
	assert_true(noticed(5000));
}

static void test_relative(void **state)
{
	(void)state;
	volume_write(dir, "a", "1");
	assert_int_equal(chdir(dir), 0);
	w = watch_new("a", NULL, 0);
	volume_write(dir, "a", "22");
	assert_noticed();
	assert_int_equal(chdir("/"), 0);
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

/* An event that comes while the watches look, one after the other, is not lost. */
static void test_event_between_looks(void **state)
{
	struct pollfd p = { .events = POLLIN };
	struct watch *other;

	(void)state;
	volume_write(dir, "a", "1");
	volume_write(dir, "b", "1");
	start("a");
	other = watch_new(at("b"), NULL, 0);
	volume_write(dir, "b", "22");
	watch_take_events();
	assert_false(watch_look(w, 0));
	volume_write(dir, "a", "22");
	assert_true(watch_look(other, 0));
	p.fd = watch_fd(w);
	assert_int_equal(poll(&p, 1, 0), 1);
	assert_true(take_and_look(w, 0));
	watch_free(other);
}

/* Each of which file it is, its size, and its time tells of a change. */
static void test_what_is_compared(void **state)
{
	static const struct timespec times[2] = { { 5, 5 }, { 5, 5 } };
	static const struct timespec later[2] = { { 5, 5 }, { 5, 6 } };
	int fd;

	(void)state;
	volume_write(dir, "a", "1");
	assert_int_equal(utimensat(AT_FDCWD, at("a"), times, 0), 0);
	start("a");
	assert_false(take_and_look(w, 0));
	/* A copy that keeps the time, of the same size. */
	volume_write(dir, "b", "2");
	assert_int_equal(utimensat(AT_FDCWD, at("b"), times, 0), 0);
	assert_int_equal(rename(at("b"), at("a")), 0);
	assert_true(take_and_look(w, 0));
	/* Written into, and the time set back. */
	fd = open(at("a"), O_WRONLY);
	assert_int_equal(write(fd, "33", 2), 2);
	close(fd);
	assert_int_equal(utimensat(AT_FDCWD, at("a"), times, 0), 0);
	assert_true(take_and_look(w, 0));
	/* Within the same second. */
	assert_int_equal(utimensat(AT_FDCWD, at("a"), later, 0), 0);
	assert_true(take_and_look(w, 0));
	assert_false(take_and_look(w, 0));
	assert_true(fcntl(watch_fd(w), F_GETFD) & FD_CLOEXEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIR(test_shared),
		IN_DIR(test_flat),
		IN_DIR(test_nested),
		IN_DIR(test_plain_file),
		IN_DIR(test_not_there_yet),
		IN_DIR(test_links),
		IN_DIR(test_loops),
		IN_DIR(test_long_path),
		IN_DIR(test_blind),
		IN_DIR(test_relative),
		IN_DIR(test_refused_directory),
		IN_DIR(test_half_blind),
		IN_DIR(test_look),
		IN_DIR(test_what_is_compared),
		IN_DIR(test_event_between_looks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
