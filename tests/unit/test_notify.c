// LDFLAGS: -Wl,--wrap=openat
/* Who is told of which generation, and what a restart remembers of it.  The processes are
 * fakes that the tests script. */
#include "volume.h"

#include <errno.h>

#include "base/clock.h"
#include "deliver/notify.h"
#include "deliver/process.h"

#define HUP "signal=HUP,process=app"
#define USR1 "signal=USR1,pidfile=/run/app.pid"
#define FIRST "on=first,signal=HUP,process=early"

/* What was signalled, as "app:1 /run/app.pid:10 ", and who fails now. */
static char told[256];
static const char *failing;
/* How many processes are known to have taken the signal before. */
static size_t known;

/* What is wrong with the next attempts. */
static const char *doubt;
static int too_young_ms;

static int tell(const char *whom, int signal, struct err *warning, struct err *err)
{
	if (doubt)
		(void)err_set(warning, ERR_IO, "%s", doubt);
	if (too_young_ms > 0) {
		(void)err_set(err, ERR_IO, "process 7 is so young");
		err->retry_after_ms = too_young_ms;
		return -1;
	}
	if (failing && strcmp(failing, whom) == 0)
		return err_set(err, ERR_IO, "no process named '%s' found", whom);
	snprintf(told + strlen(told), sizeof(told) - strlen(told), "%s:%d ", whom,
		 signal);
	return 0;
}

int process_signal_name(const char *name, int signal, struct process_set *set,
			struct err *warning, struct err *err)
{
	known = set->count;
	set->count = 3;
	return tell(name, signal, warning, err);
}

void process_set_clear(struct process_set *set)
{
	*set = (struct process_set){ 0 };
}

int process_signal_pidfile(const char *path, int signal, struct err *warning,
			   struct err *err)
{
	return tell(path, signal, warning, err);
}

static char dir[64];
static int dir_fd;
static struct act_host host;
static struct jitter jitter = { 1 };
static struct notify *n;
static bool is_first; /* the set that is found on the volume */

static int set_up(void **state)
{
	(void)state;
	volume_make(dir);
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY);
	host = (struct act_host){ .dir = dir, .dir_fd = dir_fd };
	n = NULL;
	is_first = true;
	told[0] = '\0';
	failing = NULL;
	doubt = NULL;
	too_young_ms = 0;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	notify_free(n);
	close(dir_fd);
	volume_remove(dir);
	return 0;
}

/* A process starts, and finds that generation on the volume (NULL: none). */
static void start(const char *targets, const char *generation, int64_t now)
{
	struct err err = { 0 };

	notify_free(n);
	check_ok(targets, notify_new(&n, targets, &host, 0, &jitter, &err), &err);
	check_ok(targets, notify_resume(n, generation, is_first, false, now, &err), &err);
}

/* The configuration is read anew. */
static void reload(const char *targets, int64_t now)
{
	struct notify *old = n;
	struct err err = { 0 };

	check_ok(targets, notify_new(&n, targets, &host, 0, &jitter, &err), &err);
	notify_take_over(n, old, now);
	notify_free(old);
}

/* Runs what is due; says what was signalled. */
static const char *run(int64_t now)
{
	struct notify_outcome outcome;

	told[0] = '\0';
	while (notify_run(n, now, &outcome))
		;
	return told;
}

static void test_replacing_set(void **state)
{
	struct notify_outcome outcome;

	(void)state;
	start(HUP ";" USR1, NULL, 0);
	notify_published(n, "..g1", NULL, true, 0);
	assert_true(notify_deadline(n) == CLOCK_NEVER);
	assert_string_equal(run(1), "");
	notify_published(n, "..g2", NULL, false, 5);
	assert_int_equal(notify_deadline(n), 5);
	assert_string_equal(run(4), "");
	assert_true(notify_run(n, 5, &outcome));
	assert_true(outcome.ok);
	assert_string_equal(outcome.target, HUP);
	assert_string_equal(outcome.generation, "..g2");
	assert_int_equal(outcome.attempt, 1);
	assert_int_equal(outcome.processes, 3);
	assert_string_equal(told, "app:1 ");
	assert_string_equal(run(5), "/run/app.pid:10 ");
	assert_true(notify_deadline(n) == CLOCK_NEVER);
}

static void test_no_targets(void **state)
{
	(void)state;
	start(NULL, NULL, 0);
	notify_published(n, "..g1", NULL, true, 0);
	notify_published(n, "..g2", NULL, false, 0);
	assert_string_equal(run(9), "");
	assert_false(notify_first_pending(n, 1000));
	/* It says that the first set was seen. */
	assert_int_equal(volume_count(dir, ""), 1);
	start(FIRST, "..g2", 0);
	assert_string_equal(run(9), "");
}

static void test_bad_targets(void **state)
{
	struct err err = { 0 };

	(void)state;
	check_err("bad", notify_new(&n, "nginx", NULL, 0, &jitter, &err), &err,
		  ERR_CONFIG, "AKVSYNC_NOTIFY");
	assert_null(n);
}

/* A restart neither repeats nor loses an event. */
static void test_restart(void **state)
{
	(void)state;
	start(HUP, NULL, 0);
	notify_published(n, "..g1", NULL, true, 0);
	start(HUP, "..g1", 0);
	assert_string_equal(run(0), "");
	/* Told of g2, then restarted. */
	notify_published(n, "..g2", NULL, false, 0);
	assert_string_equal(run(0), "app:1 ");
	start(HUP, "..g2", 0);
	assert_string_equal(run(0), "");
	/* Killed between the swap to g3 and the signal. */
	notify_published(n, "..g3", NULL, false, 0);
	start(HUP, "..g3", 7);
	assert_int_equal(notify_deadline(n), 7);
	assert_string_equal(run(7), "app:1 ");
	start(HUP, "..g3", 8);
	assert_string_equal(run(8), "");
}

/* Each target stands by itself, also across a restart. */
static void test_one_fails(void **state)
{
	(void)state;
	start(HUP ";" USR1, NULL, 0);
	notify_published(n, "..g1", NULL, true, 0);
	failing = "app";
	notify_published(n, "..g2", NULL, false, 0);
	assert_string_equal(run(0), "/run/app.pid:10 ");
	failing = NULL;
	start(HUP ";" USR1, "..g2", 0);
	assert_string_equal(run(0), "app:1 ");
}

/* A target that was not configured before is not behind. */
static void test_new_target(void **state)
{
	(void)state;
	start(HUP, NULL, 0);
	notify_published(n, "..g1", NULL, true, 0);
	start(HUP ";" USR1, "..g1", 0);
	assert_string_equal(run(0), "");
	start(HUP ";" USR1, "..g2", 0);
	assert_string_equal(run(0), "app:1 /run/app.pid:10 ");
}

static void test_retry(void **state)
{
	struct notify_outcome outcome;
	int64_t now = 0;

	(void)state;
	failing = "app";
	start(HUP, NULL, 0);
	notify_published(n, "..g1", NULL, false, now);
	for (int attempt = 1; attempt <= 20; attempt++) {
		assert_true(notify_run(n, now, &outcome));
		assert_false(outcome.ok);
		assert_int_equal(outcome.attempt, attempt);
		assert_in_range(outcome.retry_in_ms, 1000, 60000);
		assert_int_equal(notify_deadline(n), now + outcome.retry_in_ms);
		check_err("retry", -1, &outcome.err, ERR_IO,
			  "notify '" HUP "': no process named 'app' found");
		assert_false(notify_run(n, now, &outcome));
		now = notify_deadline(n);
	}
	/* The newest generation only, at once and from the first attempt. */
	notify_published(n, "..g2", NULL, false, now - 1);
	failing = NULL;
	assert_int_equal(notify_deadline(n), now - 1);
	assert_true(notify_run(n, now - 1, &outcome));
	assert_true(outcome.ok);
	assert_int_equal(outcome.attempt, 1);
	assert_string_equal(outcome.generation, "..g2");
	assert_false(notify_run(n, now + 100000, &outcome));
	start(HUP, "..g2", 0);
	assert_string_equal(run(0), "");
}

/* An app that has just started is told as soon as it is old enough. */
static void test_waits(void **state)
{
	struct notify_outcome outcome;

	(void)state;
	start(HUP, NULL, 0);
	notify_published(n, "..g1", NULL, true, 0);
	notify_published(n, "..g2", NULL, false, 0);
	too_young_ms = 1234;
	for (int64_t now = 0; now < 3 * 1234; now += 1234) {
		assert_true(notify_run(n, now, &outcome));
		assert_false(outcome.ok);
		assert_true(outcome.waits);
		assert_int_equal(outcome.retry_in_ms, 1234);
		assert_int_equal(notify_deadline(n), now + 1234);
	}
	/* That was no failure: the first one is told as the first. */
	too_young_ms = 0;
	failing = "app";
	assert_true(notify_run(n, 3 * 1234, &outcome));
	assert_false(outcome.ok || outcome.waits);
	assert_int_equal(outcome.attempt, 1);
	failing = NULL;
	assert_true(notify_run(n, 100000, &outcome));
	assert_true(outcome.ok);
	assert_string_equal(outcome.generation, "..g2");
}

/* An init container whose time is over while an app is too young has not notified it. */
static void test_waits_before_the_app(void **state)
{
	struct notify_outcome outcome;

	(void)state;
	start(FIRST, NULL, 0);
	notify_published(n, "..g1", NULL, true, 0);
	assert_null(notify_first_failure(n));
	too_young_ms = 1000;
	assert_true(notify_run(n, 0, &outcome));
	assert_true(outcome.waits);
	assert_true(notify_first_pending(n, 5));
	assert_string_equal(notify_first_failure(n)->msg, outcome.err.msg);
	too_young_ms = 0;
	assert_true(notify_run(n, 1000, &outcome));
	assert_null(notify_first_failure(n));
}

/* That an app may not have noticed is told once, whatever is published or reloaded. */
static void test_warns_once(void **state)
{
	struct notify_outcome outcome;

	(void)state;
	doubt = "process 7 ignores SIGHUP";
	start(HUP, NULL, 0);
	for (int i = 1; i <= 4; i++) {
		notify_published(n, i % 2 ? "..g1" : "..g2", NULL, false, i);
		assert_true(notify_run(n, i, &outcome));
		assert_true(outcome.ok);
		assert_int_equal(outcome.warning.kind != ERR_NONE, i == 1);
		if (i == 1)
			assert_string_equal(outcome.warning.msg,
					    "notify '" HUP "': process 7 ignores SIGHUP");
		if (i == 2)
			reload(HUP, i);
	}
	/* Of each target. */
	reload(HUP ";" USR1, 5);
	notify_published(n, "..g3", NULL, false, 5);
	assert_true(notify_run(n, 5, &outcome));
	assert_int_equal(outcome.warning.kind, ERR_NONE);
	assert_true(notify_run(n, 5, &outcome));
	assert_int_equal(outcome.warning.kind, ERR_IO);
}

static void test_splay(void **state)
{
	struct err err = { 0 };
	int64_t least = INT64_MAX, most = 0;

	(void)state;
	check_ok("splay", notify_new(&n, HUP, &host, 1000, &jitter, &err), &err);
	for (int i = 0; i < 500; i++) {
		int64_t due;

		notify_published(n, "..g1", NULL, false, 5000);
		due = notify_deadline(n);
		assert_string_equal(run(6000), "app:1 ");
		least = due < least ? due : least;
		most = due > most ? due : most;
	}
	assert_in_range(least, 5000, 5050);
	assert_in_range(most, 5950, 6000);
}

/* Sets that follow each other faster than the splay do not put the target off. */
static void test_splay_is_a_bound(void **state)
{
	struct err err = { 0 };
	int64_t due;
	struct notify_outcome outcome;

	(void)state;
	check_ok("splay", notify_new(&n, HUP, &host, 600000, &jitter, &err), &err);
	for (int round = 0; round < 50; round++) {
		int64_t began = INT64_C(10000000) * round, now = began;

		notify_published(n, "..g1", NULL, false, now);
		due = notify_deadline(n);
		for (; now < due; now += 60000) {
			notify_published(n, "..g2", NULL, false, now);
			assert_true(notify_deadline(n) <= due);
			assert_true(notify_deadline(n) >= now);
			due = notify_deadline(n);
		}
		assert_true(due <= began + 600000);
		assert_true(notify_run(n, due, &outcome));
		assert_string_equal(outcome.generation, "..g2");
		assert_true(notify_deadline(n) == CLOCK_NEVER);
	}
}

/* One that waits for its retry is tried within the splay for a new set. */
static void test_splay_and_retry(void **state)
{
	struct notify_outcome outcome;
	struct err err = { 0 };
	int64_t now = 0;

	(void)state;
	check_ok("splay", notify_new(&n, HUP, &host, 500, &jitter, &err), &err);
	failing = "app";
	notify_published(n, "..g1", NULL, false, 0);
	for (int attempt = 1; attempt <= 5; attempt++) {
		now = notify_deadline(n);
		assert_true(notify_run(n, now, &outcome));
		assert_int_equal(outcome.attempt, attempt);
	}
	assert_true(notify_deadline(n) >= now + 1000);
	notify_published(n, "..g2", NULL, false, now + 10);
	assert_in_range(notify_deadline(n), now + 10, now + 510);
	assert_true(notify_run(n, notify_deadline(n), &outcome));
	assert_int_equal(outcome.attempt, 1);
	assert_string_equal(outcome.generation, "..g2");
}

#define TYPO "signal=HUP,process=ap"

static void test_reload_keeps(void **state)
{
	struct notify_outcome outcome;

	(void)state;
	start(HUP ";" USR1, NULL, 0);
	notify_published(n, "..g1", NULL, true, 0);
	reload(HUP ";" USR1, 1);
	assert_string_equal(run(1), "");
	failing = "app";
	notify_published(n, "..g2", NULL, false, 2);
	assert_string_equal(run(2), "/run/app.pid:10 ");
	assert_true(notify_deadline(n) >= 1002);
	/* One that failed is due now; one that was notified is not; a new one inherits.
	 */
	failing = NULL;
	reload(USR1 ";" HUP ";signal=HUP,process=other", 3);
	assert_int_equal(notify_deadline(n), 3);
	assert_true(notify_run(n, 3, &outcome));
	assert_string_equal(outcome.target, HUP);
	assert_int_equal(outcome.attempt, 2);
	assert_int_equal(known, 3);
	assert_string_equal(outcome.generation, "..g2");
	assert_string_equal(run(3), "other:1 ");
	/* All of it is on the volume. */
	start(USR1 ";" HUP ";signal=HUP,process=other", "..g2", 4);
	assert_string_equal(run(4), "");
}

/* A target with a typo is removed, and the correct one added at a later reload. */
static void test_reload_in_two_steps(void **state)
{
	(void)state;
	start(HUP, NULL, 0);
	notify_published(n, "..g1", NULL, true, 0);
	failing = "app";
	notify_published(n, "..g2", NULL, false, 1);
	assert_string_equal(run(1), "");
	failing = NULL;
	reload(USR1, 2);
	assert_string_equal(run(2), "/run/app.pid:10 ");
	start(HUP, NULL, 0);
	notify_published(n, "..g1", NULL, true, 0);
	failing = "app";
	notify_published(n, "..g2", NULL, false, 1);
	assert_string_equal(run(1), "");
	failing = NULL;
	reload(NULL, 2);
	assert_string_equal(run(2), "");
	reload(USR1, 3);
	assert_string_equal(run(3), "/run/app.pid:10 ");
	reload(USR1 ";" HUP, 4);
	assert_string_equal(run(4), "");
}

/* Another target has been open since the first set, and the container restarts: the one
 * with the typo is corrected meanwhile, or by a reload afterwards. */
static void test_typo_beside_an_open_first(void **state)
{
	(void)state;
	for (int restarts = 0; restarts < 2; restarts++) {
		(void)unlinkat(dir_fd, "..notified", 0);
		start(FIRST ";" HUP, NULL, 0);
		failing = "early";
		notify_published(n, "..g1", NULL, true, 0);
		assert_string_equal(run(0), "");
		notify_published(n, "..g2", NULL, false, 0);
		n = (notify_free(n), NULL); /* killed before it notified anybody */
		failing = "early";
		start(restarts ? FIRST ";" USR1 : FIRST ";" HUP, "..g2", 1);
		if (!restarts)
			reload(FIRST ";" USR1, 1);
		assert_string_equal(run(1), "/run/app.pid:10 ");
	}
}

/* What a new target inherits survives a kill before it is notified. */
static void test_reload_then_kill(void **state)
{
	(void)state;
	start(HUP, NULL, 0);
	notify_published(n, "..g1", NULL, true, 0);
	failing = "app";
	notify_published(n, "..g2", NULL, false, 1);
	assert_string_equal(run(1), "");
	reload(USR1, 2);
	start(USR1, "..g2", 3);
	assert_string_equal(run(3), "/run/app.pid:10 ");
}

/* A typo, a set that nobody could be told of, and the typo is mended. */
static void test_reload_mends(void **state)
{
	(void)state;
	start(TYPO, NULL, 0);
	notify_published(n, "..g1", NULL, true, 0);
	failing = "ap";
	notify_published(n, "..g2", NULL, false, 2);
	notify_published(n, "..g3", NULL, false, 3);
	assert_string_equal(run(3), "");
	reload(HUP, 4);
	assert_int_equal(notify_deadline(n), 4);
	/* Killed before it is told: still due. */
	start(HUP, "..g3", 5);
	assert_string_equal(run(5), "app:1 ");
	/* Nothing is left: another new one is not behind. */
	reload(USR1, 6);
	assert_string_equal(run(6), "");
	start(USR1, "..g3", 7);
	assert_string_equal(run(7), "");
}

/* The same by a restart with another configuration. */
static void test_restart_mends(void **state)
{
	(void)state;
	start(TYPO ";" USR1, NULL, 0);
	notify_published(n, "..g1", NULL, true, 0);
	failing = "ap";
	notify_published(n, "..g2", NULL, false, 2);
	assert_string_equal(run(2), "/run/app.pid:10 ");
	start(HUP ";" USR1, "..g2", 3);
	assert_string_equal(run(3), "app:1 ");
	start(HUP ";" USR1 ";signal=HUP,process=other", "..g2", 3);
	assert_string_equal(run(3), "");
}

/* The first set is for on=first targets only, also for one that replaces another. */
static void test_first_set_mended(void **state)
{
	static const struct {
		const char *to;
		bool replaced; /* the set, meanwhile */
		const char *told;
	} rows[] = {
		{ FIRST, false, "early:1 " },
		{ HUP, false, "" },
		{ HUP, true, "app:1 " },
		{ FIRST, true, "early:1 " },
	};

	(void)state;
	failing = "ap";
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		(void)unlinkat(dir_fd, "..notified", 0);
		start("on=first," TYPO, NULL, 0);
		notify_published(n, "..g1", NULL, true, 0);
		assert_string_equal(run(0), "");
		if (rows[i].replaced)
			notify_published(n, "..g2", NULL, false, 1);
		assert_string_equal(run(1), "");
		reload(rows[i].to, 2);
		check_text(rows[i].to, run(2), rows[i].told);
	}
	(void)unlinkat(dir_fd, "..notified", 0);
	start("on=first," TYPO, NULL, 0);
	notify_published(n, "..g1", NULL, true, 0);
	start(FIRST ";" HUP, "..g1", 0);
	assert_string_equal(run(0), "early:1 ");
}

/* Nothing was published yet, so there is nothing to be told of. */
static void test_reload_before_first_set(void **state)
{
	(void)state;
	start(TYPO, NULL, 0);
	reload(FIRST ";" HUP, 1);
	assert_true(notify_deadline(n) == CLOCK_NEVER);
	notify_published(n, "..g1", NULL, true, 2);
	assert_string_equal(run(2), "early:1 ");
}

/* Killed between the first set and ..notified. */
static void test_no_state(void **state)
{
	(void)state;
	start(FIRST ";" HUP, "..g1", 5);
	assert_true(notify_first_pending(n, 1));
	assert_string_equal(run(5), "early:1 ");
	start(FIRST ";" HUP, "..g1", 6);
	assert_string_equal(run(6), "");
	start(FIRST ";" HUP, "..g2", 7);
	assert_string_equal(run(7), "early:1 app:1 ");
}

/* Killed after a set that replaced another, whose targets nobody remembers: the record of
 * the first set was lost, or could not be written. */
static void test_lost_state(void **state)
{
	(void)state;
	is_first = false;
	start(FIRST ";" HUP, "..g2", 5);
	assert_string_equal(run(5), "early:1 app:1 ");
	start(FIRST ";" HUP, "..g2", 6);
	assert_string_equal(run(6), "");
}

/* It can never be written: told again at each start, and never not at all. */
static void test_state_that_is_never_written(void **state)
{
	(void)state;
	assert_int_equal(mkdirat(dir_fd, "..notified", 0700), 0);
	start(HUP, NULL, 0);
	is_first = false;
	for (int i = 0; i < 3; i++) {
		start(HUP, "..g2", 0);
		assert_string_equal(run(0), "app:1 ");
		assert_true(notify_deadline(n) == CLOCK_NEVER);
	}
	is_first = true;
	start(HUP, "..g1", 0);
	assert_string_equal(run(0), "");
}

/* ..data was lost, so the next set seems to be the first: the app may run. */
static void test_lost_set(void **state)
{
	struct err err = { 0 };

	(void)state;
	start(HUP, NULL, 0);
	notify_published(n, "..g1", NULL, true, 0);
	assert_string_equal(run(0), "");
	start(HUP, NULL, 0);
	notify_published(n, "..g2", NULL, true, 0);
	assert_string_equal(run(0), "app:1 ");
	/* But not before it starts. */
	notify_free(n);
	check_ok("new", notify_new(&n, HUP, &host, 0, &jitter, &err), &err);
	check_ok("init", notify_resume(n, NULL, false, true, 0, &err), &err);
	notify_published(n, "..g3", NULL, true, 0);
	assert_string_equal(run(0), "");
}

/* An init container without targets does not forget what the sidecar's are behind. */
static void test_others_targets(void **state)
{
	struct err err = { 0 };

	(void)state;
	start(HUP, NULL, 0);
	notify_published(n, "..g1", NULL, true, 0);
	notify_published(n, "..g2", NULL, false, 0);
	notify_free(n);
	check_ok("none", notify_new(&n, NULL, &host, 0, &jitter, &err), &err);
	check_ok("none", notify_resume(n, "..g2", false, true, 0, &err), &err);
	start(HUP, "..g2", 0);
	assert_string_equal(run(0), "app:1 ");
}

static int read_error;

int __real_openat(int fd, const char *path, int flags, ...);
int __wrap_openat(int fd, const char *path, int flags, ...);
int __wrap_openat(int fd, const char *path, int flags, ...)
{
	if (read_error != 0 && strcmp(path, "..notified") == 0) {
		errno = read_error;
		return -1;
	}
	return __real_openat(fd, path, flags, 0600);
}

/* That it cannot be read now says nothing of what was delivered. */
static void test_state_cannot_be_read(void **state)
{
	static const int errors[] = { ENOMEM, ENFILE, EMFILE, EIO, EACCES };

	(void)state;
	start(HUP, NULL, 0);
	notify_published(n, "..g1", NULL, true, 0);
	notify_published(n, "..g2", NULL, false, 0);
	for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
		struct err err = { 0 };
		char before[128], after[128];
		int result;

		notify_free(n);
		check_ok("new", notify_new(&n, HUP, &host, 0, &jitter, &err), &err);
		volume_read(dir, "..notified", before);
		read_error = errors[i];
		result = notify_resume(n, "..g2", false, false, 0, &err);
		read_error = 0;
		check_err("resume", result, &err, ERR_UNAVAILABLE, "'..notified'");
		assert_true(notify_deadline(n) == CLOCK_NEVER);
		volume_read(dir, "..notified", after);
		assert_string_equal(before, after);
	}
	start(HUP, "..g2", 0);
	assert_string_equal(run(0), "app:1 ");
}

static void test_first_set(void **state)
{
	(void)state;
	start(FIRST ";" HUP, NULL, 0);
	notify_published(n, "..g1", NULL, true, 0);
	assert_true(notify_first_pending(n, 1000));
	assert_string_equal(run(0), "early:1 ");
	assert_false(notify_first_pending(n, 1000));
	start(FIRST ";" HUP, "..g1", 0);
	assert_false(notify_first_pending(n, 1000));
	assert_string_equal(run(0), "");
	notify_published(n, "..g2", NULL, false, 0);
	assert_string_equal(run(0), "early:1 app:1 ");
}

/* What was due at the first set and did not succeed is still due after a restart. */
static void test_first_set_fails(void **state)
{
	(void)state;
	failing = "early";
	start(FIRST ";" HUP, NULL, 0);
	notify_published(n, "..g1", NULL, true, 0);
	assert_null(notify_first_failure(n));
	assert_string_equal(run(0), "");
	assert_non_null(strstr(notify_first_failure(n)->msg, "no process named"));
	assert_false(notify_first_pending(n, 1));
	start(FIRST ";" HUP, "..g1", 0);
	assert_true(notify_first_pending(n, 1000));
	failing = NULL;
	assert_string_equal(run(0), "early:1 ");
	start(FIRST ";" HUP, "..g1", 0);
	assert_string_equal(run(0), "");
}

/* An init container of a later start: the app does not run, what it missed waits for the
 * sidecar. */
static void test_before_app(void **state)
{
	struct err err = { 0 };

	(void)state;
	start(HUP ";" FIRST, "..g1", 0);
	notify_published(n, "..g2", NULL, false, 0);
	notify_free(n);
	check_ok("new", notify_new(&n, HUP ";" FIRST, &host, 0, &jitter, &err), &err);
	check_ok("init", notify_resume(n, "..g2", false, true, 0, &err), &err);
	assert_string_equal(run(0), "early:1 ");
	start(HUP ";" FIRST, "..g2", 0);
	assert_string_equal(run(0), "app:1 ");
}

/* Of what cannot be read nothing counts as delivered: a first set is told to those who
 * ask for it, one that replaced another to all. */
static void test_strange_state(void **state)
{
	static const char *const rows[] = {
		"",
		"garbage",
		"[]",
		"{\"format\":2,\"delivered\":{\"" HUP "\":\"..g0\"}}",
		"{\"delivered\":{\"" HUP "\":\"..g0\"}}",
		"{\"format\":1}",
		"{\"format\":1,\"delivered\":[]}",
		"{\"format\":1,\"delivered\":{\"" HUP "\":5}}",
		"{\"format\":1,\"delivered\":{\"" HUP "\":null}}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		volume_write(dir, "..notified", rows[i]);
		is_first = true;
		start(FIRST ";" HUP, "..g1", 0);
		check_text(rows[i], run(0), "early:1 ");
		/* And is mended. */
		start(FIRST ";" HUP, "..g1", 0);
		check_text(rows[i], run(0), "");
		volume_write(dir, "..notified", rows[i]);
		is_first = false;
		start(FIRST ";" HUP, "..g2", 0);
		check_text(rows[i], run(0), "early:1 app:1 ");
		start(FIRST ";" HUP, "..g2", 0);
		check_text(rows[i], run(0), "");
	}
}

static void test_state_file(void **state)
{
	struct stat st;
	char text[128];

	(void)state;
	start("signal=HUP,process=a\"b", NULL, 0);
	notify_published(n, "..g1", NULL, true, 0);
	volume_read(dir, "..notified", text);
	assert_string_equal(text,
			    "{\"format\":1,\"delivered\":{\"signal=HUP,process=a\\\"b\":"
			    "\"..g1\"}}\n");
	assert_int_equal(fstatat(dir_fd, "..notified", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(volume_count(dir, ""), 1);
}

/* The volume is full: the app is told all the same, at least once. */
static void test_state_cannot_be_written(void **state)
{
	(void)state;
	start(HUP, NULL, 0);
	notify_published(n, "..g1", NULL, true, 0);
	assert_int_equal(unlinkat(dir_fd, "..notified", 0), 0);
	assert_int_equal(mkdirat(dir_fd, "..notified", 0700), 0);
	notify_published(n, "..g2", NULL, false, 0);
	assert_string_equal(run(0), "app:1 ");
	assert_true(notify_deadline(n) == CLOCK_NEVER);
}

/* ---- filters ---- */

#define TLS "on=tls/*,signal=HUP,process=tls"
#define DB "on=db,on=first,signal=HUP,process=db"

/* A set that changes one path; NULL: it is not known which. */
static void publish_path(const char *generation, const char *path, bool before_app)
{
	struct paths changed = { 0 };

	if (path != NULL)
		paths_add(&changed, path);
	notify_published(n, generation, path ? &changed : NULL, before_app, 0);
	paths_done(&changed);
}

static void test_filters(void **state)
{
	static const struct {
		const char *path; /* that the set changes */
		bool before_app;
		const char *told;
	} rows[] = {
		{ "tls/a", false, "tls:1 app:1 " },
		{ "db", false, "db:1 app:1 " },
		{ "other", false, "app:1 " },
		{ NULL, false, "tls:1 db:1 app:1 " },
		{ "db", true, "db:1 " },
		{ "tls/a", true, "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *row = rows[i].path ? rows[i].path : "not known";

		(void)unlinkat(dir_fd, "..notified", 0);
		start(TLS ";" DB ";" HUP, NULL, 0);
		publish_path("..g1", "tls/a", true);
		(void)run(0);
		publish_path("..g2", rows[i].path, rows[i].before_app);
		check_text(row, run(0), rows[i].told);
		check(row, notify_deadline(n) == CLOCK_NEVER);
		/* Those that were passed over have missed nothing. */
		start(TLS ";" DB ";" HUP, "..g2", 0);
		check_text(row, run(0), "");
	}
}

/* Nobody else writes down that it has missed nothing. */
static void test_filtered_alone(void **state)
{
	(void)state;
	start(TLS, NULL, 0);
	publish_path("..g1", "tls/a", true);
	publish_path("..g2", "db", false);
	start(TLS, "..g2", 0);
	assert_string_equal(run(0), "");
}

/* One that is behind stays due for sets that do not concern it, of the newest. */
static void test_filtered_and_behind(void **state)
{
	struct notify_outcome outcome;
	int64_t due;

	(void)state;
	start(TLS, NULL, 0);
	publish_path("..g1", "tls/a", true);
	failing = "tls";
	publish_path("..g2", "tls/a", false);
	assert_string_equal(run(0), "");
	due = notify_deadline(n);
	publish_path("..g3", "db", false);
	assert_int_equal(notify_deadline(n), due);
	failing = NULL;
	assert_true(notify_run(n, due, &outcome));
	assert_true(outcome.ok);
	assert_string_equal(outcome.generation, "..g3");
	start(TLS, "..g3", 0);
	assert_string_equal(run(0), "");
	/* Killed before it was notified of a set: nobody knows what that has changed. */
	start(TLS, "..g4", 0);
	assert_string_equal(run(0), "tls:1 ");
}

/* ---- exit= ---- */

static void test_exit_comes_last(void **state)
{
	struct notify_outcome outcome;

	(void)state;
	start("exit=88;" HUP, NULL, 0);
	notify_published(n, "..g1", NULL, true, 0);
	assert_string_equal(run(0), "");
	notify_published(n, "..g2", NULL, false, 0);
	/* Also when that fails. */
	failing = "app";
	assert_true(notify_run(n, 0, &outcome));
	assert_false(outcome.ok);
	assert_int_equal(outcome.exit_code, 0);
	assert_true(notify_run(n, 0, &outcome));
	assert_true(outcome.ok);
	assert_int_equal(outcome.exit_code, 88);
	failing = NULL;
	/* It is remembered, and not done again, nor too soon. */
	start("exit=88;" HUP, "..g2", 0);
	assert_string_equal(run(0), "app:1 ");
	assert_true(notify_deadline(n) == CLOCK_NEVER);
	host.restart_min_ms = 300000;
	start("exit=88", "..g3", 0);
	assert_true(notify_run(n, 0, &outcome));
	assert_true(outcome.waits);
	assert_int_equal(outcome.exit_code, 0);
	assert_in_range(outcome.retry_in_ms, 200000, 300000);
}

/* ---- tries that take time ---- */

/* A set that comes while a program runs is told afterwards; one that does not concern it
 * counts as told with the others. */
static void test_a_set_during_a_try(void **state)
{
	static const struct {
		const char *path;
		int times;
	} rows[] = { { "tls/b", 2 }, { "db", 1 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct notify_outcome outcome = { 0 };
		int ends = 0;

		(void)unlinkat(dir_fd, "..notified", 0);
		start("on=tls/*,exec=/bin/sleep 0.2", NULL, 0);
		publish_path("..g1", "tls/a", true);
		publish_path("..g2", "tls/a", false);
		assert_false(notify_run(n, 0, &outcome));
		publish_path("..g3", rows[i].path, false);
		for (int k = 0; k < 1000 && (ends < rows[i].times || k < 100); k++) {
			if (notify_run(n, 0, &outcome)) {
				check(rows[i].path, outcome.ok);
				check_text(rows[i].path, outcome.generation,
					   ends++ == 0 ? "..g2" : "..g3");
			}
			usleep(10000);
		}
		check_int(rows[i].path, ends, rows[i].times);
		start("on=tls/*,exec=/bin/sleep 0.2", "..g3", 0);
		check(rows[i].path, notify_deadline(n) == CLOCK_NEVER);
	}
}

/* A reload lets it go on. */
static void test_a_reload_during_a_try(void **state)
{
	struct notify_outcome outcome = { 0 };
	int ends = 0;

	(void)state;
	start("exec=/bin/sleep 0.2", NULL, 0);
	notify_published(n, "..g1", NULL, true, 0);
	notify_published(n, "..g2", NULL, false, 0);
	assert_false(notify_run(n, 0, &outcome));
	reload(USR1 ";exec=/bin/sleep 0.2", 1);
	for (int k = 0; k < 1000 && ends < 2; k++) {
		if (notify_run(n, 1, &outcome)) {
			assert_true(outcome.ok);
			ends++;
		}
		usleep(10000);
	}
	assert_int_equal(ends, 2); /* the new one inherits the event */
	assert_string_equal(outcome.target, "exec=/bin/sleep 0.2");
	assert_int_equal(outcome.attempt, 1);
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIR(test_replacing_set),
		IN_DIR(test_no_targets),
		IN_DIR(test_bad_targets),
		IN_DIR(test_restart),
		IN_DIR(test_one_fails),
		IN_DIR(test_new_target),
		IN_DIR(test_retry),
		IN_DIR(test_waits),
		IN_DIR(test_waits_before_the_app),
		IN_DIR(test_warns_once),
		IN_DIR(test_splay),
		IN_DIR(test_first_set),
		IN_DIR(test_first_set_fails),
		IN_DIR(test_before_app),
		IN_DIR(test_strange_state),
		IN_DIR(test_state_file),
		IN_DIR(test_state_cannot_be_written),
		IN_DIR(test_splay_is_a_bound),
		IN_DIR(test_splay_and_retry),
		IN_DIR(test_reload_keeps),
		IN_DIR(test_reload_mends),
		IN_DIR(test_restart_mends),
		IN_DIR(test_first_set_mended),
		IN_DIR(test_reload_before_first_set),
		IN_DIR(test_no_state),
		IN_DIR(test_lost_state),
		IN_DIR(test_state_that_is_never_written),
		IN_DIR(test_lost_set),
		IN_DIR(test_others_targets),
		IN_DIR(test_state_cannot_be_read),
		IN_DIR(test_reload_in_two_steps),
		IN_DIR(test_reload_then_kill),
		IN_DIR(test_typo_beside_an_open_first),
		IN_DIR(test_filters),
		IN_DIR(test_filtered_alone),
		IN_DIR(test_filtered_and_behind),
		IN_DIR(test_exit_comes_last),
		IN_DIR(test_a_set_during_a_try),
		IN_DIR(test_a_reload_during_a_try),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
