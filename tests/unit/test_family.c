/* What CMD left behind is signaled, and nobody else. */
#include "unit.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exec/family.h"

/* Starts a process in a group: 0 for a new one.  With between it is the child of another
 * one, *between, which ends with the number of the signal that ends it. */
static pid_t start(pid_t group, pid_t *between)
{
	int report[2];
	pid_t child, started = 0;
	int status = 0;

	assert_int_equal(pipe(report), 0);
	child = fork();
	if (child == 0) {
		pid_t own = between ? fork() : 0;

		if (own == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			setpgid(0, group);
			own = getpid();
			(void)!write(report[1], &own, sizeof(own));
			for (;;)
				pause();
		}
		waitpid(own, &status, 0);
		_exit(WTERMSIG(status));
	}
	assert_int_equal(read(report[0], &started, sizeof(started)), sizeof(started));
	close(report[0]);
	close(report[1]);
	if (between != NULL)
		*between = child;
	return started;
}

/* The signal that has ended a child; 0: none within some milliseconds. */
static int ended_by(pid_t pid, int ms)
{
	int status = 0;

	for (; ms > 0 && waitpid(pid, &status, WNOHANG) == 0; ms -= 10)
		usleep(10000);
	return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void test_the_group_while_a_child_is_in_it(void **state)
{
	pid_t child = start(0, NULL), between, member = start(child, &between);

	(void)state;
	family_signal(&(struct family){ .sidecar = between }, SIGTERM, child);
	assert_int_equal(ended_by(child, 5000), SIGTERM);
	assert_int_equal(ended_by(between, 5000), SIGTERM);
	assert_true(member > 0);
}

static void test_children_of_other_groups(void **state)
{
	pid_t sidecar = start(0, NULL), earlier = start(0, NULL), child;
	struct family f = { .sidecar = sidecar };

	(void)state;
	family_note(&f);
	assert_int_equal(f.earlier_count, 2);
	child = start(0, NULL);
	assert_true(family_is_left(&f));
	family_signal(&f, SIGTERM, 1 << 30);
	assert_int_equal(ended_by(child, 5000), SIGTERM);
	assert_false(family_is_left(&f));
	f.is_end = true;
	assert_true(family_is_left(&f));
	family_signal(&f, SIGTERM, 1 << 30);
	assert_int_equal(ended_by(earlier, 5000), SIGTERM);
	assert_false(family_is_left(&f));
	f.sidecar = 0;
	assert_true(family_is_left(&f));
	family_forget(&f, earlier);
	assert_int_equal(f.earlier_count, 1);
	assert_int_equal(f.earlier[0], sidecar);
	end(sidecar);
	assert_false(family_is_left(&f));
	family_done(&f);
}

/* The number of CMD's group may be that of another one by now. */
static void test_a_group_of_others(void **state)
{
	pid_t between, other = start(0, &between);

	(void)state;
	family_signal(&(struct family){ .sidecar = between }, SIGKILL, other);
	assert_int_equal(ended_by(between, 100), 0);
	assert_int_equal(kill(other, SIGTERM), 0);
	assert_int_equal(ended_by(between, 5000), SIGTERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_group_while_a_child_is_in_it),
		cmocka_unit_test(test_children_of_other_groups),
		cmocka_unit_test(test_a_group_of_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
