// LDFLAGS: -Wl,--wrap=free
/* The wiping allocator: what it hands back to the heap is zero. */
#include "unit.h"

#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

static volatile int freed, dirty; /* the compiler thinks that free() writes none */

void __real_free(void *p);
void __wrap_free(void *p);
void __wrap_free(void *p)
{
	const char *bytes = p;
	bool clean = true;

	for (size_t i = 0; p && i < malloc_usable_size(p); i++)
		clean &= bytes[i] == 0;
	freed += p != NULL;
	dirty += !clean;
	__real_free(p);
}

static char *filled(size_t size)
{
	char *p = wipe_malloc(size);

	memset(p, 'x', size);
	__asm__ volatile("" : : "r"(p) : "memory"); /* or free() makes it dead */
	freed = dirty = 0;
	return p;
}

static void test_wiping_free(void **state)
{
	static const size_t sizes[] = { 1, 24, 25, 4096, 1 << 20 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		wipe_free(filled(sizes[i]));
		assert_int_equal(freed, 1);
		assert_int_equal(dirty, 0);
	}
	free(filled(10));
	assert_int_equal(dirty, 1); /* the check does see bytes */
	wipe_free(NULL);
	wipe_free(wipe_malloc(0));
	wipe_free(wipe_calloc(0, 0));
}

static void test_wiping_realloc(void **state)
{
	static const struct {
		size_t from, to;
	} rows[] = { { 10, 10000 }, { 10000, 10 }, { 100, 101 }, { 100, 99 },
		     { 64, 4096 },  { 4096, 0 },   { 1, 1 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t kept = rows[i].from < rows[i].to ? rows[i].from : rows[i].to;
		char *p = wipe_realloc(filled(rows[i].from), rows[i].to);

		assert_non_null(p);
		for (size_t n = 0; n < kept; n++)
			assert_int_equal(p[n], 'x');
		wipe_free(p);
		assert_int_equal(dirty, 0);
	}
	wipe_free(wipe_realloc(NULL, 10));
}

static void test_strings(void **state)
{
	char *copy = wipe_strdup("text");
	char *part = xstrndup("text", 2), *whole = xstrndup("text", 9);
	char *printed = xasprintf("%d-%s", 5, "x");

	(void)state;
	assert_string_equal(copy, "text");
	assert_string_equal(part, "te");
	assert_string_equal(whole, "text");
	assert_string_equal(printed, "5-x");
	wipe_free(copy);
	free(part);
	free(whole);
	free(printed);
}

/* Every item survives every growth. */
static void test_grow(void **state)
{
	size_t *items = NULL;

	(void)state;
	for (size_t n = 0; n < 1000; n++) {
		items = xgrow(items, n, sizeof(*items));
		items[n] = n;
	}
	for (size_t n = 0; n < 1000; n++)
		assert_int_equal(items[n], n);
	free(items);
}

static void test_close_keeps_errno(void **state)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), closed = fd, none = -1;

	(void)state;
	errno = ENOENT;
	auto_closep(&fd);
	auto_closep(&none);
	auto_closep(&closed); /* EBADF, not told */
	assert_int_equal(errno, ENOENT);
	assert_int_equal(fcntl(closed, F_GETFD), -1);
}

/* The status of a process that asks for too much memory. */
static int run_out_of_memory(int stderr_fd)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		alarm(60);
		dup2(stderr_fd, STDERR_FILENO);
		setrlimit(RLIMIT_CORE, &(struct rlimit){ 0 });
		(void)!wipe_malloc(PTRDIFF_MAX - (size_t)getpid());
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

/* Out of memory ends the process, with one line that is JSON. */
static void test_out_of_memory(void **state)
{
	char line[128] = "";
	int ends[2], status;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	status = run_out_of_memory(ends[1]);
	close(ends[1]);
	assert_true(read(ends[0], line, sizeof(line) - 1) > 0);
	close(ends[0]);
	check("status", !WIFEXITED(status) || WEXITSTATUS(status) != 0);
#ifndef __SANITIZE_ADDRESS__ /* it ends the process itself, in its own words */
	assert_string_equal(line, "{\"level\":\"error\",\"msg\":\"out of memory\"}\n");
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
#endif
}

/* Nor does a line that nobody reads keep it from ending. */
static void test_out_of_memory_unread(void **state)
{
#ifndef __SANITIZE_ADDRESS__
	int ends[2], status;

	assert_int_equal(pipe(ends), 0);
	fcntl(ends[1], F_SETFL, O_NONBLOCK);
	while (write(ends[1], "x", 1) == 1)
		;
	fcntl(ends[1], F_SETFL, 0);
	status = run_out_of_memory(ends[1]);
	close(ends[0]);
	close(ends[1]);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
#endif
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wiping_free),
		cmocka_unit_test(test_wiping_realloc),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_grow),
		cmocka_unit_test(test_close_keeps_errno),
		cmocka_unit_test(test_out_of_memory),
		cmocka_unit_test(test_out_of_memory_unread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
