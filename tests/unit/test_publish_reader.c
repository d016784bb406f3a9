/* A reader opens two files of one generation, over and over, while a writer rotates the
 * set 2,000 times: no file is ever missing, no pair is ever mixed. */
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "volume.h"

#include "base/clock.h"

#define ROTATIONS 2000

struct tally {
	volatile bool stop;
	volatile long pairs, missing, mixed, generations;
};

static void read_small(int dir_fd, const char *name, char out[static 64], struct tally *t)
{
	int fd = openat(dir_fd, name, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, out, 63);

	if (n <= 0)
		t->missing++;
	out[n > 0 ? n : 0] = '\0';
	if (fd >= 0)
		close(fd);
}

static void read_pairs(const char *dir, struct tally *t)
{
	char last[64] = "", path[256];

	snprintf(path, sizeof(path), "%s/..data", dir);
	while (!t->stop) {
		int set = open(path, O_RDONLY | O_DIRECTORY);
		int top = open(dir, O_RDONLY | O_DIRECTORY);
		char cert[64], key[64], plain[64];

		if (set < 0)
			t->missing++;
		read_small(set, "tls/cert", cert, t);
		read_small(set, "key", key, t);
		read_small(top, "tls/cert", plain, t); /* by the visible name */
		t->mixed += strcmp(cert, key) != 0;
		t->generations += strcmp(cert, last) != 0;
		memcpy(last, cert, sizeof(last));
		t->pairs++;
		close(set);
		close(top);
	}
}

static void rotate(struct publish *p, int n)
{
	char value[32];
	struct err err = { 0 };

	snprintf(value, sizeof(value), "generation %d", n);
	{
		struct publish_file files[] = {
			volume_file("tls/cert", value, value),
			volume_file("key", value, value),
			volume_file("constant", "1", n ? NULL : "same"),
		};

		if (volume_commit(p, files, 3, clock_now_ms(), &err) < 0)
			fail_msg("rotation %d: %s", n, err.msg);
	}
	publish_run(p, clock_now_ms());
}

/* Until the reader has finished so many more. */
static void await_pairs(const struct tally *t, long more)
{
	long enough = t->pairs + more;

	while (t->pairs < enough)
		sched_yield();
}

static void test_reader(void **state)
{
	struct tally *t = mmap(NULL, sizeof(*t), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct publish *p;
	char dir[64];
	pid_t reader;
	int status;

	(void)state;
	volume_make(dir);
	p = volume_open(dir);
	rotate(p, 0);
	reader = fork();
	if (reader == 0) {
		read_pairs(dir, t);
		_exit(0);
	}
	await_pairs(t, 1);
	for (int n = 1; n <= ROTATIONS; n++) {
		rotate(p, n);
		if (n % 20 == 0) /* on one core too, the reader has its turn */
			await_pairs(t, 2);
	}
	t->stop = true;
	assert_int_equal(waitpid(reader, &status, 0), reader);
	print_message("%d rotations, %ld pairs read of %ld generations: %ld missing, %ld "
		      "mixed\n",
		      ROTATIONS, t->pairs, t->generations, t->missing, t->mixed);
	assert_true(t->generations > ROTATIONS / 20); /* it ran beside the writer */
	assert_int_equal(t->missing, 0);
	assert_int_equal(t->mixed, 0);
	publish_close(p);
	volume_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_reader) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
