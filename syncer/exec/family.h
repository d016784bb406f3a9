/*
 * family.h: the processes that CMD left behind.  They have become children of this
 * process, which is pid 1 or a subreaper.
 */
#ifndef EXEC_FAMILY_H
#define EXEC_FAMILY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Children that CMD did not leave. */
struct family {
	pid_t sidecar;  /* of this process; 0: none */
	pid_t *earlier; /* there before CMD, such as what a script has started that has
			   then become this process */
	size_t earlier_count;
	bool is_end; /* this process ends, too: then those are ended like the rest */
};

/* Notes the children that are there now; family_done() the result. */
void family_note(struct family *f);
void family_done(struct family *f);

/* A child has been waited for: its number may be that of another one from now on. */
void family_forget(struct family *f, pid_t child);

/* After the end of CMD: signals its process group, while a child of this process is in
 * it, and each child that CMD left. Without /proc the children are unknown: then pid 1
 * signals all processes, which are its own container's, and another process signals the
 * group alone. */
void family_signal(const struct family *f, int number, pid_t group);

/* Whether this process has a child that CMD left. */
bool family_is_left(const struct family *f);

#endif
