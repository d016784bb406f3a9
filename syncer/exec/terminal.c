#include "exec/terminal.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/mem.h"

/* The controlling terminal, also when stdin is something else; the caller closes it. */
static int open_terminal(void)
{
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	return fd >= 0 ? fd : fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
}

/* All signals are blocked, SIGTTOU too: a group in the background may do this. */
static void move_terminal(pid_t from, pid_t to)
{
	auto_close int fd = open_terminal();

	if (tcgetpgrp(fd) == from)
		(void)tcsetpgrp(fd, to);
}

bool terminal_is_ours(void)
{
	auto_close int fd = open_terminal();

	return tcgetpgrp(fd) == getpgrp();
}

bool terminal_is_for_command(void)
{
	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && terminal_is_ours();
}

void terminal_give(pid_t group)
{
	move_terminal(getpgrp(), group);
}

void terminal_take_back(pid_t group)
{
	move_terminal(group, getpgrp());
}

/* Stops our job as ^Z would have stopped it without CMD's own group.  The kernel stops
 * nobody whom nobody would continue; then this gives false. */
static bool stop_with_job(void)
{
	sigset_t stop, pending;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTSTP);
	(void)kill(0, SIGTSTP);
	(void)sigprocmask(SIG_UNBLOCK, &stop, NULL);
	(void)sigprocmask(SIG_BLOCK, &stop, NULL);
	return sigpending(&pending) == 0 && sigismember(&pending, SIGCONT) == 1;
}

bool terminal_follow_stop(pid_t group, int number, bool has_terminal)
{
	bool wants_terminal = number == SIGTTIN || number == SIGTTOU;

	if (number != SIGTSTP && !wants_terminal && !has_terminal)
		return true;
	/* Our job is in front, so this is CMD's turn. */
	if (wants_terminal && terminal_is_ours())
		terminal_give(group);
	else if (stop_with_job() || number == SIGSTOP || !has_terminal)
		return true;
	(void)kill(-group, SIGCONT);
	return false;
}
