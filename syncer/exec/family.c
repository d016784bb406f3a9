#include "exec/family.h"

#include <dirent.h>
#include <signal.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "deliver/proc.h"

/* Calls visit for each child; false when /proc cannot tell. */
static bool each_child(void (*visit)(void *arg, pid_t child), void *arg)
{
	DIR *dir = opendir("/proc");
	const struct dirent *entry;
	bool knows_us = false;

	if (dir == NULL)
		return false;
	while ((entry = readdir(dir)) != NULL) {
		int64_t pid;

		if (text_number(entry->d_name, INT32_MAX, &pid) < 0)
			continue;
		knows_us |= pid == getpid();
		if (proc_parent((pid_t)pid) == getpid())
			visit(arg, (pid_t)pid);
	}
	closedir(dir);
	return knows_us;
}

struct family_call {
	int number;
	pid_t group, spared;
	bool found; /* a child; of those that are signaled, one in the group */
};

static void signal_child(void *arg, pid_t child)
{
	struct family_call *call = arg;

	if (child == call->spared)
		return;
	if (getpgid(child) == call->group)
		call->found = true;
	else
		(void)kill(child, call->number);
}

/* CMD is gone, so its group may be, too, and its number may be that of a group of others:
 * a child in it, which has not been waited for, says that it is still the one. */
void family_signal(int number, pid_t group, pid_t spared)
{
	struct family_call call = { .number = number, .group = group, .spared = spared };
	bool is_known = each_child(signal_child, &call);

	if (call.found || !is_known)
		(void)kill(-group, number);
	if (!is_known && getpid() == 1)
		(void)kill(-1, number);
}

static void note_child(void *arg, pid_t child)
{
	struct family_call *call = arg;

	call->found |= child != call->spared;
}

bool family_is_left(pid_t spared)
{
	struct family_call call = { .spared = spared };
	siginfo_t info;

	/* With one that is spared, only /proc tells of others. */
	if (spared == 0)
		return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
	return each_child(note_child, &call) && call.found;
}
