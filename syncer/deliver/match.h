/*
 * match.h: which processes a name means, and which of those get the signal.  Pure: it
 * decides from what proc.h has read.
 */
#ifndef DELIVER_MATCH_H
#define DELIVER_MATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "deliver/effect.h"
#include "deliver/proc.h"

/*
 * True when the process has this name: as the last part of its executable's path, of
 * argv[0] or of the path of the script that an interpreter runs, as the start of a title
 * that it gave itself ("gunicorn: master"), or as its command name (comm).
 *
 * The kernel cuts comm at 15 characters.  A longer name is compared with comm
 * only when neither the executable nor argv[0] can be read.  A name of just that length
 * does not mean a process whose name is known to be longer.
 */
bool match_name(const struct proc *p, const char *name);

enum match_role {
	MATCH_SIGNALLED,
	MATCH_COVERED, /* its parent is signalled: a worker of nginx's master */
	MATCH_WRAPPER, /* it started the app, which has the same name and is signalled */
};

/* A process that has the name. */
struct match {
	pid_t pid;
	uint64_t started;
	enum effect effect;
	bool shell;
	size_t above;   /* the index of its nearest ancestor that has the name too;
			   MATCH_NONE */
	bool is_parent; /* above is its parent */
	enum match_role role;
};

#define MATCH_NONE SIZE_MAX

/*
 * Sets the role of each.  A process whose parent has the name too is covered by it.  But
 * a process that the signal would end, or that ignores it, is a wrapper when one below it
 * takes the signal better; and so is a shell above another program that handles the
 * signal, since a shell puts its trap off until that program ends.
 */
void match_choose(struct match *all, size_t count);

#endif
