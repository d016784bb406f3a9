/*
 * terminal.h: which process group may read from the controlling terminal.
 *
 * CMD has a process group of its own, so that no signal of the terminal reaches both CMD
 * and this process.  When stdin and stdout are the terminal, CMD's group is its
 * foreground group while CMD runs.  Otherwise another process of our job may need the
 * terminal, such as a pager behind CMD: then CMD's group gets it when CMD asks for it.
 */
#ifndef EXEC_TERMINAL_H
#define EXEC_TERMINAL_H

#include <stdbool.h>
#include <sys/types.h>

/* Whether there is a controlling terminal, and our process group is its foreground group.
 */
bool terminal_is_ours(void);

/* Whether a CMD that starts now gets it at once. */
bool terminal_is_for_command(void);

/* Makes a group the foreground group, if our own is it. */
void terminal_give(pid_t group);

/* Makes our own group the foreground group again, if the other one is it. */
void terminal_take_back(pid_t group);

/*
 * CMD was stopped by a signal.  Whoever controls our job then sees all of it stop, too,
 * and continues it.  has_terminal: there was a terminal at the start, and it was ours.
 * Returns after that; false: CMD was continued, since it has got the terminal, or since
 * nobody could continue it, as when this process is pid 1 or the only job of its session.
 */
bool terminal_follow_stop(pid_t group, int number, bool has_terminal);

#endif
