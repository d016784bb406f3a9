/* Which connections are shut down after a request has timed out, and which are spared. */
#include "loopback.h"

#include "net/pool.h"

static struct pool pool;
static struct connection c[3];

static int set_up(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(c); i++)
		c[i] = connection_make();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(c); i++)
		connection_close(&c[i]);
	pool_done(&pool);
	return 0;
}

/* Two connections, a request, and a third connection. */
static uint64_t open_all(void)
{
	uint64_t request;

	pool_opened(&pool, c[0].fd);
	pool_opened(&pool, c[1].fd);
	request = pool_number(&pool);
	pool_opened(&pool, c[2].fd);
	return request;
}

static void check_open(const char *row, bool first, bool second, bool third)
{
	const bool open[] = { first, second, third };

	for (size_t i = 0; i < ARRAY_LEN(c); i++)
		check_int(row, connection_is_open(&c[i]), open[i]);
}

static void test_older_ones(void **state)
{
	uint64_t request = open_all();

	(void)state;
	pool_abandon(&pool, -1, request, NULL, 0);
	check_open("on no connection: idle ones that are older", false, false, true);
}

static void test_own(void **state)
{
	uint64_t request = open_all();

	(void)state;
	pool_abandon(&pool, c[2].fd, request, NULL, 0);
	check_open("its own, though it is younger", false, false, false);
}

static void test_busy(void **state)
{
	uint64_t request = open_all();
	const int busy[] = { -1, c[1].fd };

	(void)state;
	pool_abandon(&pool, c[0].fd, request, busy, ARRAY_LEN(busy));
	check_open("not those that are in use", false, true, true);
}

static void test_own_and_busy(void **state)
{
	uint64_t request = open_all();
	const int busy[] = { c[0].fd, c[1].fd };

	(void)state;
	pool_abandon(&pool, c[0].fd, request, busy, ARRAY_LEN(busy));
	check_open("its own, whoever else uses it", false, true, true);
}

static void test_closed(void **state)
{
	uint64_t request = open_all();

	(void)state;
	pool_closed(&pool, c[0].fd);
	pool_closed(&pool, -1);
	pool_abandon(&pool, c[0].fd, request, NULL, 0);
	check_open("a closed one is not ours any more", true, false, true);
	pool_closed(&pool, c[1].fd);
	pool_closed(&pool, c[2].fd);
	assert_int_equal(pool.count, 0);
	/* Its number may be another connection's now. */
	pool_opened(&pool, c[0].fd);
	pool_abandon(&pool, -1, request, NULL, 0);
	check_open("opened after the request", true, false, true);
}

static void test_find(void **state)
{
	int listener = socket(AF_INET6, SOCK_STREAM, 0), pipes[2];

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	pool_opened(&pool, pipes[0]);
	pool_opened(&pool, listener);
	open_all();
	assert_int_equal(pool_find(&pool, c[1].port, "127.0.0.1"), c[1].fd);
	assert_int_equal(pool_find(&pool, c[2].port, "127.0.0.1"), c[2].fd);
	assert_int_equal(pool_find(&pool, c[2].port, "127.0.0.2"), -1);
	assert_int_equal(pool_find(&pool, 0, "127.0.0.1"), -1);
	close(listener);
	close(pipes[0]);
	close(pipes[1]);
}

#define WITH_CONNECTIONS(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_CONNECTIONS(test_older_ones), WITH_CONNECTIONS(test_own),
		WITH_CONNECTIONS(test_busy),       WITH_CONNECTIONS(test_own_and_busy),
		WITH_CONNECTIONS(test_closed),     WITH_CONNECTIONS(test_find),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
