#include "deliver/match.h"

#include <string.h>

#include "deliver/program.h"

#define COMM_LEN 15 /* the kernel cuts the command name at so many characters */

/* A process that gave itself a title: "gunicorn: master [shop]". */
static bool has_title(const struct proc *p, const char *name)
{
	const char *first = proc_argument(p, 0);
	size_t len = strlen(name);

	return first && strncmp(first, name, len) == 0 && first[len] == ':';
}

static bool is_cut_to(const char *whole, const char *comm)
{
	return whole && strlen(whole) > COMM_LEN && strncmp(whole, comm, COMM_LEN) == 0;
}

/* The whole name of which comm is the start: the executable's, or the one of a script
 * that the kernel started, which stands behind its interpreter; NULL: not known. */
static const char *whole_comm(const struct proc *p)
{
	if (is_cut_to(p->exe, p->comm))
		return p->exe;
	for (size_t i = 0; i < 3; i++) {
		const char *argument = proc_argument(p, i);

		if (argument && is_cut_to(proc_last_part(argument), p->comm))
			return proc_last_part(argument);
	}
	return NULL;
}

static bool has_comm(const struct proc *p, const char *name)
{
	const char *whole;

	if (strlen(p->comm) < COMM_LEN)
		return p->comm[0] != '\0' && strcmp(p->comm, name) == 0;
	if (strncmp(p->comm, name, COMM_LEN) != 0)
		return false;
	whole = whole_comm(p);
	if (whole != NULL)
		return strcmp(whole, name) == 0;
	return name[COMM_LEN] == '\0' || (p->exe == NULL && p->cmdline.len == 0);
}

bool match_name(const struct proc *p, const char *name)
{
	const char *script = program_script(p);

	return (p->exe && strcmp(p->exe, name) == 0) ||
	       strcmp(program_argv0(p), name) == 0 ||
	       (script && strcmp(proc_last_part(script), name) == 0) ||
	       has_title(p, name) || has_comm(p, name);
}

/* ---- which of them get the signal ---- */

/* low stands below high, and has the same name. */
static bool takes_it_better(const struct match *low, const struct match *high)
{
	if (high->effect == EFFECT_ENDS || low->effect > high->effect)
		return true;
	return high->shell && !low->shell && low->effect == EFFECT_HANDLED;
}

void match_choose(struct match *all, size_t count)
{
	for (size_t i = 0; i < count; i++)
		all[i].role = MATCH_SIGNALLED;
	for (size_t i = 0; i < count; i++)
		for (size_t up = all[i].above; up != MATCH_NONE; up = all[up].above)
			if (takes_it_better(&all[i], &all[up]))
				all[up].role = MATCH_WRAPPER;
	for (size_t i = 0; i < count; i++)
		if (all[i].role != MATCH_WRAPPER && all[i].is_parent &&
		    all[all[i].above].role != MATCH_WRAPPER)
			all[i].role = MATCH_COVERED;
}
