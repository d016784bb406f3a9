/*
 * terminal.h: which process group may read from the terminal on stdin.
 *
 * CMD has a process group of its own, so that no signal of the terminal reaches both CMD
 * and this process.  When stdin is a terminal that is ours, CMD's group is its foreground
 * group while CMD runs.
 */
#ifndef EXEC_TERMINAL_H
#define EXEC_TERMINAL_H

#include <stdbool.h>
#include <sys/types.h>

/* Whether stdin is a terminal, and our process group its foreground group. */
bool terminal_is_ours(void);

/* Makes a group the foreground group, if our own is it. */
void terminal_give(pid_t group);

/* Makes our own group the foreground group again, if the other one is it. */
void terminal_take_back(pid_t group);

/*
 * CMD was stopped by a signal.  Whoever controls our job then sees us stop, too, and
 * continues both.  has_terminal: stdin was a terminal of ours at the start.  Returns
 * after that; false: CMD was continued, since it has got the terminal, or since nobody
 * could continue it: pid 1 cannot stop.
 */
bool terminal_follow_stop(pid_t group, int number, bool has_terminal);

#endif
