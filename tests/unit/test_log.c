// LDFLAGS: -Wl,--wrap=poll,--wrap=clock_now_ms,--wrap=open
/*
 * The log over whatever stderr may be, and readers that read, are slow, or are gone. Time
 * passes only where the log waits.  A log that blocks hangs this test until its alarm.
 */
#include "unit.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "report/log.h"

#define HANGS_S 120

static int64_t now = 1000000;
static int64_t waited;     /* since stderr was replaced */
static int reader = -1;    /* the other end of stderr */
static int reads_every_ms; /* 0: not while the log waits */
static size_t reads_bytes; /* at most, each time */
static struct buf got = { .max = 1 << 20 };
static int real_stderr;
static bool refuse_open;
static int refused;

int64_t __wrap_clock_now_ms(void);
int64_t __wrap_clock_now_ms(void)
{
	return now;
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
	if (!refuse_open)
		return __real_open(path, flags);
	refused++;
	errno = EACCES;
	return -1;
}

/* Reads what is there, at most that much. */
static void read_some(size_t most)
{
	size_t before = got.len;
	char bytes[4096];
	ssize_t n = 1;
	struct err err;

	while (n > 0 && got.len - before < most) {
		size_t left = most - (got.len - before);

		n = read(reader, bytes, left < sizeof(bytes) ? left : sizeof(bytes));
		if (n > 0 && buf_add(&got, bytes, (size_t)n, &err) < 0)
			abort();
	}
}

int __real_poll(struct pollfd *fds, nfds_t count, int timeout_ms);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout_ms);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
	int ready = __real_poll(fds, count, 0), left = timeout_ms;

	while (ready == 0 && left > 0) {
		int step = reads_every_ms > 0 && reads_every_ms < left ? reads_every_ms
								       : left;

		now += step;
		waited += step;
		left -= step;
		if (step == reads_every_ms)
			read_some(reads_bytes);
		ready = __real_poll(fds, count, 0);
	}
	return ready;
}

/* From here on stderr is this; asserts come after give_back(), which can show them. */
static void take(int fd, int other_end)
{
	waited = 0;
	reads_every_ms = 0;
	buf_done(&got);
	reader = other_end;
	if (reader >= 0)
		fcntl(reader, F_SETFL, O_NONBLOCK);
	dup2(fd, STDERR_FILENO);
	close(fd);
}

static void give_back(void)
{
	dup2(real_stderr, STDERR_FILENO);
	if (reader >= 0)
		close(reader);
	reader = -1;
}

/* It holds four writes, or pages. */
static void take_pipe(void)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	fcntl(ends[1], F_SETPIPE_SZ, 4 * 4096);
	take(ends[1], ends[0]);
}

static void read_every(int ms, size_t bytes)
{
	reads_every_ms = ms;
	reads_bytes = bytes;
}

/* A line of more bytes than that. */
static void say_long(size_t size)
{
	char *text = xcalloc(size + 1, 1);

	memset(text, 'x', size);
	log_event(LOG_INFO, "long", LOG_FIELDS(log_str("text", text)), "long");
	free(text);
}

/* What the loop does, with a reader that has come back. */
static void read_all(void)
{
	do {
		read_some(SIZE_MAX);
		log_catch_up();
	} while (log_deadline(now) != CLOCK_NEVER);
	read_some(SIZE_MAX);
}

/* What came: the events, and that each line is whole. */
static void check_events(const char *row, const char *want)
{
	char events[1024] = "";
	char *rest = NULL;
	char *text = xstrdup(buf_str(&got));

	check(row, got.len > 0 && got.data[got.len - 1] == '\n');
	for (char *l = strtok_r(text, "\r\n", &rest); l;
	     l = strtok_r(NULL, "\r\n", &rest)) {
		const char *event = strstr(l, "\"event\":\"");
		size_t used = strlen(events);

		check(l, l[0] == '{' && l[strlen(l) - 1] == '}' && event != NULL);
		event += strlen("\"event\":\"");
		snprintf(events + used, sizeof(events) - used, "%s%.*s", used ? " " : "",
			 (int)strcspn(event, "\""), event);
	}
	check_text(row, events, want);
	free(text);
}

static void test_what_a_line_holds(void **state)
{
	const struct log_field fields[] = {
		log_str("s", "a\"b\n"), log_str("none", NULL),   log_str("empty", ""),
		log_int("n", 0),        log_raw("raw", "[1,2]"), { .type = LOG_END }
	};
	char path[] = "/tmp/akvsync-test-log-XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	take(fd, open(path, O_RDONLY | O_CLOEXEC));
	unlink(path);
	log_event(LOG_DEBUG, "below", NULL, "not at this level");
	log_event(LOG_WARN, "first", fields, "message %d", 1);
	log_setup(LOG_DEBUG, LOG_TEXT);
	log_event(LOG_DEBUG, "second", fields, "message %d", 2);
	log_setup(LOG_INFO, LOG_JSON);
	say_long(100000);
	read_some(SIZE_MAX);
	give_back();
	check_holds("json", buf_str(&got),
		    "\"level\":\"warn\",\"event\":\"first\",\"msg\":\"message 1\","
		    "\"s\":\"a\\\"b\\n\",\"n\":0,\"raw\":[1,2]}\n");
	check_holds("text", buf_str(&got),
		    "Z debug message 2 s=\"a\\\"b\\n\" n=0 raw=[1,2]\n");
	check("level", strstr(buf_str(&got), "below") == NULL);
	check("long", got.len > 100000 && got.data[got.len - 1] == '\n');
	check_int("waited", waited, 0);
}

/* The pipe fills up in the middle of a line; one patience for all of it. */
static void test_nobody_reads(void **state)
{
	bool pending;

	(void)state;
	take_pipe();
	say_long(20000);
	for (int i = 0; i < 3; i++)
		log_event(LOG_WARN, "lost", NULL, "lost");
	pending = log_deadline(now) == now + 1000;
	read_all();
	log_event(LOG_INFO, "next", NULL, "next");
	read_all();
	give_back();
	check("pending", pending);
	check_int("waited", waited, 1000);
	check_events("events", "long log-lost next");
	check_holds("count", buf_str(&got), "\"lines\":3}\n");
}

/* A page each 0.9 s would hold up a line of ten pages for five seconds. */
static void test_slow_reader(void **state)
{
	int64_t first, rest;

	(void)state;
	take_pipe();
	read_every(900, 4096);
	say_long(40000);
	first = waited;
	for (int i = 0; i < 20; i++)
		log_event(LOG_INFO, "lost", NULL, "lost");
	rest = waited - first;
	read_all();
	/* A line could wait for room each time: only the first do. */
	waited = 0;
	for (int i = 0; i < 8; i++)
		say_long(3000);
	read_all();
	give_back();
	check_int("a line", first, 1000);
	check_int("those after it", rest, 0);
	check_int("many lines", waited, 1000);
	check_holds("all", buf_str(&got), "\"lines\":20}\n");
}

/* Four megabytes a second, as a log collector may take them: nothing is lost. */
static void test_reader_that_keeps_up(void **state)
{
	(void)state;
	take_pipe();
	read_every(1, 4096);
	for (int i = 0; i < 100; i++)
		say_long(3000);
	read_all();
	give_back();
	assert_null(strstr(buf_str(&got), "log-lost"));
}

static void test_no_reader(void **state)
{
	(void)state;
	take_pipe();
	close(reader);
	reader = -1;
	log_event(LOG_INFO, "lost", NULL, "EPIPE");
	close(STDERR_FILENO);
	log_event(LOG_INFO, "lost", NULL, "EBADF");
	give_back();
	take_pipe();
	log_event(LOG_INFO, "next", NULL, "next");
	read_all();
	give_back();
	check_int("waited", waited, 0);
	check_events("events", "log-lost next");
	check_holds("count", buf_str(&got), "\"lines\":2}\n");
}

static void test_socket(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	take(ends[1], ends[0]);
	say_long(500000);
	say_long(500000);
	log_event(LOG_INFO, "lost", NULL, "lost");
	read_all();
	give_back();
	check_int("waited", waited, 1000);
	check("some", got.len > 500000);
	check_holds("lost", buf_str(&got), "log-lost");
}

/* One that says that it takes bytes may have room for one only. */
static void check_terminal(const char *row)
{
	int master, slave, flags;

	assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
	take(slave, master);
	for (int i = 0; i < 60; i++)
		say_long(3000);
	read_all();
	do { /* the kernel hands over, and has room again, some time later */
		log_event(LOG_INFO, "next", NULL, "next");
		read_all();
	} while (strstr(buf_str(&got), "\"msg\":\"next\"}\r\n") == NULL);
	flags = fcntl(STDERR_FILENO, F_GETFL);
	give_back();
	check_int(row, flags & O_NONBLOCK, 0);
	check_holds(row, buf_str(&got), "\"event\":\"log-lost\"");
}

static void test_terminal(void **state)
{
	(void)state;
	refuse_open = true;
	check_terminal("one that cannot be opened again");
	assert_true(refused > 0);
	refuse_open = false;
	check_terminal("one that can");
}

/* What is left over and the last line go out, when the reader comes back in time. */
static void test_the_end(void **state)
{
	(void)state;
	take_pipe();
	say_long(20000);
	log_event(LOG_WARN, "lost", NULL, "lost");
	waited = 0;
	read_every(300, SIZE_MAX);
	log_finish();
	log_event(LOG_ERROR, "exit", NULL, "the cause");
	read_some(SIZE_MAX);
	give_back();
	check_int("waited", waited, 300);
	check_events("events", "long log-lost exit");
}

static void test_the_end_that_nobody_reads(void **state)
{
	(void)state;
	take_pipe();
	say_long(20000);
	log_event(LOG_WARN, "lost", NULL, "lost");
	waited = 0;
	log_finish();
	log_event(LOG_ERROR, "exit", NULL, "the cause");
	give_back();
	check_int("waited", waited, 1000);
}

int main(void)
{
	/* log_finish() is for good: those that call it come last. */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_a_line_holds),
		cmocka_unit_test(test_nobody_reads),
		cmocka_unit_test(test_slow_reader),
		cmocka_unit_test(test_reader_that_keeps_up),
		cmocka_unit_test(test_no_reader),
		cmocka_unit_test(test_socket),
		cmocka_unit_test(test_terminal),
		cmocka_unit_test(test_the_end),
		cmocka_unit_test(test_the_end_that_nobody_reads),
	};

	alarm(HANGS_S);
	sigaction(SIGPIPE, &(struct sigaction){ .sa_handler = SIG_IGN }, NULL);
	real_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
