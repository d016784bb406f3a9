/*
 * family.h: the processes that CMD left behind.  They have become children of this
 * process, which is pid 1 or a subreaper.
 */
#ifndef EXEC_FAMILY_H
#define EXEC_FAMILY_H

#include <stdbool.h>
#include <sys/types.h>

/* After the end of CMD: signals its process group, while a child of this process is in
 * it, and each child but spared (0: none). Without /proc the children are unknown: then
 * pid 1 signals all processes, which are its own container's, and another process signals
 * the group alone. */
void family_signal(int number, pid_t group, pid_t spared);

/* Whether this process has a child other than spared. */
bool family_is_left(pid_t spared);

#endif
