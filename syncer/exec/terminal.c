#include "exec/terminal.h"

#include <signal.h>
#include <unistd.h>

/* All signals are blocked, SIGTTOU too: a group in the background may do this. */
static void move_terminal(pid_t from, pid_t to)
{
	if (isatty(STDIN_FILENO) && tcgetpgrp(STDIN_FILENO) == from)
		(void)tcsetpgrp(STDIN_FILENO, to);
}

bool terminal_is_ours(void)
{
	return isatty(STDIN_FILENO) && tcgetpgrp(STDIN_FILENO) == getpgrp();
}

void terminal_give(pid_t group)
{
	move_terminal(getpgrp(), group);
}

void terminal_take_back(pid_t group)
{
	move_terminal(group, getpgrp());
}

bool terminal_follow_stop(pid_t group, int number, bool has_terminal)
{
	bool wants_terminal = number == SIGTTIN || number == SIGTTOU;

	if (number != SIGTSTP && !wants_terminal && !has_terminal)
		return true;
	/* The shell has brought our job to the front since CMD was started. */
	if ((wants_terminal && terminal_is_ours()) || (getpid() == 1 && has_terminal)) {
		terminal_give(group);
		(void)kill(-group, SIGCONT);
		return false;
	}
	if (getpid() != 1)
		(void)kill(getpid(), SIGSTOP);
	return true;
}
