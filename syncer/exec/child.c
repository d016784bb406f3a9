#include "exec/child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "config/variable.h"

extern char **environ;

#define KERNEL_SIGNALS 64

/* ---- this process ---- */

void child_all_signals(sigset_t *set)
{
	memset(set, 0xff, sizeof(*set));
}

/* Past the C library, which leaves its own signals out. */
static int set_mask(int how, const sigset_t *set, sigset_t *old)
{
	return (int)syscall(SYS_rt_sigprocmask, how, set, old, KERNEL_SIGNALS / 8);
}

static void hold_closed_streams(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int child_prepare(struct child_origin *origin, struct err *err)
{
	const struct sigaction by_default = { .sa_handler = SIG_DFL };
	struct rlimit none;
	sigset_t all;

	child_all_signals(&all);
	hold_closed_streams();
	sigemptyset(&origin->mask);
	if (set_mask(SIG_BLOCK, &all, &origin->mask) < 0 ||
	    sigaction(SIGCHLD, &by_default, &origin->on_child) < 0)
		return err_set_errno(err, ERR_IO, "cannot block signals");
	/* The hard limit stays: who is not root could not give it back to CMD. */
	if (getrlimit(RLIMIT_CORE, &origin->core) < 0)
		return err_set_errno(err, ERR_IO, "cannot read the limit of core files");
	none = (struct rlimit){ 0, origin->core.rlim_max };
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || setrlimit(RLIMIT_CORE, &none) < 0)
		return err_set_errno(err, ERR_IO, "cannot forbid core dumps");
	/* Processes that CMD leaves become ours, as they do of pid 1. */
	if (getpid() != 1)
		(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	return 0;
}

/* ---- the new process ---- */

static void give_back(const struct child_origin *origin)
{
	(void)setrlimit(RLIMIT_CORE, &origin->core);
	(void)sigaction(SIGCHLD, &origin->on_child, NULL);
	(void)set_mask(SIG_SETMASK, &origin->mask, NULL);
}

/* The children of pid 1 end with it anyway. */
static void die_with(pid_t parent)
{
	if (parent == 1)
		return;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent) /* it died before the line above */
		_exit(128 + SIGKILL);
}

/* As execvp(3) looks for a program, but no shell runs what has no form of its own: musl's
 * has none, and glibc's does. */
static void run_program(char *const *command)
{
	const char *path = variable_find(environ, "PATH");
	int cause = ENOENT;

	if (command[0][0] == '\0' || strchr(command[0], '/') != NULL) {
		(void)execve(command[0], command, environ);
		return;
	}
	path = path ? path : "/usr/local/bin:/bin:/usr/bin";
	for (size_t len; *path != '\0'; path += len + (path[len] == ':')) {
		char full[PATH_MAX];

		len = strcspn(path, ":");
		if (snprintf(full, sizeof(full), "%.*s/%s", len ? (int)len : 1,
			     len ? path : ".", command[0]) >= (int)sizeof(full))
			continue;
		(void)execve(full, command, environ);
		if (errno != ENOENT && errno != ENOTDIR && errno != EACCES)
			return;
		cause = errno == EACCES ? EACCES : cause;
	}
	errno = cause;
}

static void become(const struct child_plan *plan, pid_t parent, int report_fd)
{
	ssize_t told;
	int cause;

	(void)setpgid(0, 0);
	/* SIGTTOU is blocked, so that a group in the background may do this. */
	if (plan->in_foreground)
		(void)tcsetpgrp(STDIN_FILENO, getpid());
	die_with(parent);
	environ = plan->env;
	give_back(plan->origin);
	run_program(plan->command);
	cause = errno;
	told = write(report_fd, &cause, sizeof(cause));
	_exit(told == (ssize_t)sizeof(cause) ? 126 : 127);
}

static int child_report(const char *program, int cause, struct err *err)
{
	errno = cause;
	err_set_errno(err, cause == ENOENT ? ERR_NOTFOUND : ERR_IO, "cannot run '%.200s'",
		      program);
	if (cause == E2BIG)
		return err_hint(err, "all variables and arguments together are too long");
	return -1;
}

int child_start(const struct child_plan *plan, pid_t *pid, struct err *err)
{
	pid_t parent = getpid(), child;
	int report[2], cause = 0;
	ssize_t n;

	if (pipe2(report, O_CLOEXEC) < 0)
		return err_set_errno(err, ERR_IO, "cannot make a pipe");
	child = fork();
	if (child == 0)
		become(plan, parent, report[1]);
	cause = errno;
	close(report[1]);
	if (child < 0) {
		close(report[0]);
		errno = cause;
		return err_set_errno(err, ERR_IO, "cannot start a process");
	}
	/* Whoever of us two is first. */
	(void)setpgid(child, child);
	cause = 0;
	do
		n = read(report[0], &cause, sizeof(cause));
	while (n < 0 && errno == EINTR);
	close(report[0]);
	if (n != (ssize_t)sizeof(cause)) {
		*pid = child;
		return 0;
	}
	(void)waitpid(child, NULL, 0);
	return child_report(plan->command[0], cause, err);
}

int child_fork(const struct child_origin *origin, int (*run)(void *arg), void *arg,
	       pid_t *pid, struct err *err)
{
	pid_t parent = getpid(), child = fork();

	if (child < 0)
		return err_set_errno(err, ERR_IO, "cannot start a process");
	if (child == 0) {
		(void)setpgid(0, 0);
		die_with(parent);
		give_back(origin);
		_exit(run(arg));
	}
	(void)setpgid(child, child);
	*pid = child;
	return 0;
}
