/* The cause of a failed start, where the kubelet looks for it. */
#include "volume.h"

#include "report/termlog.h"

static char dir[64], path[128];

static int set_up(void **state)
{
	(void)state;
	volume_make(dir);
	snprintf(path, sizeof(path), "%s/log", dir);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	volume_remove(dir);
	return 0;
}

static void check_log(const char *row, const char *want)
{
	char text[128];

	volume_read(dir, "log", text);
	check_text(row, text, want);
}

/* The kubelet has made the file. */
static void test_written(void **state)
{
	struct err err = { 0 };

	(void)state;
	volume_write(dir, "log", "of an earlier start, which was much longer");
	err_set(&err, ERR_DENIED, "secret 'db': 403");
	termlog_write(path, &err);
	check_log("written", "secret 'db': 403\n");
	snprintf(err.request, sizeof(err.request), "1f2e");
	termlog_write(path, &err);
	check_log("with the request", "secret 'db': 403 (request 1f2e)\n");
	termlog_clear(path);
	check_log("cleared", "");
}

static void test_nowhere(void **state)
{
	struct err err = { 0 };

	(void)state;
	err_set(&err, ERR_IO, "x");
	termlog_write(path, &err);
	termlog_clear(path);
	termlog_write(NULL, &err);
	termlog_clear(NULL);
	assert_int_equal(volume_count(dir, ""), 0);
	/* A pipe that nobody reads is not waited for. */
	assert_int_equal(mkfifo(path, 0600), 0);
	alarm(10);
	termlog_write(path, &err);
	alarm(0);
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = { IN_DIR(test_written), IN_DIR(test_nowhere) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
