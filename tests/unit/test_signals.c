/* Signals that are read: none is lost, none interrupts, and each is what it was. */
#include "unit.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "run/signals.h"

static int fd = -1;

static int set_up(void **state)
{
	struct err err = { 0 };

	(void)state;
	signals_block();
	fd = signals_open(&err);
	return fd < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	signals_take(fd);
	return close(fd);
}

static bool is_readable(void)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

static void test_each(void **state)
{
	/* What is sent, in this order, and what is taken; 0 ends a list. */
	static const struct {
		const char *row;
		int sent[4];
		bool stop, poll;
		int stop_number; /* 0: either */
	} rows[] = {
		{ "nothing", { 0 }, false, false, 0 },
		{ "a poll", { SIGHUP }, false, true, 0 },
		{ "two polls", { SIGHUP, SIGHUP }, false, true, 0 },
		{ "the kubelet's stop", { SIGTERM }, true, false, SIGTERM },
		{ "Ctrl-C", { SIGINT }, true, false, SIGINT },
		{ "both", { SIGHUP, SIGTERM }, true, true, SIGTERM },
		{ "all", { SIGHUP, SIGINT, SIGTERM }, true, true, 0 },
		{ "a closed pipe is no news", { SIGPIPE }, false, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bool news = rows[i].stop || rows[i].poll;
		struct signals_taken taken;

		for (const int *s = rows[i].sent; *s; s++)
			kill(getpid(), *s);
		check_int(rows[i].row, is_readable(), news);
		taken = signals_take(fd);
		check_int(rows[i].row, taken.stop, rows[i].stop);
		check_int(rows[i].row, taken.poll, rows[i].poll);
		if (rows[i].stop_number || !rows[i].stop)
			check_int(rows[i].row, taken.stop_number, rows[i].stop_number);
		check_int(rows[i].row, taken.stop_pid, rows[i].stop ? getpid() : 0);
		check(rows[i].row, !is_readable());
	}
}

/* Who asked for the stop is told. */
static void test_sender(void **state)
{
	struct signals_taken taken;
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		kill(getppid(), SIGTERM);
		_exit(0);
	}
	assert_int_equal(waitpid(child, NULL, 0), child);
	taken = signals_take(fd);
	assert_true(taken.stop);
	assert_int_equal(taken.stop_pid, child);
}

/* The descriptor is not for the programs that we start. */
static void test_descriptor(void **state)
{
	(void)state;
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_false(signals_take(-1).stop);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_each),
		TEST(test_sender),
		TEST(test_descriptor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
