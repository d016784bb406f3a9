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
	bool found;
};

static void signal_child(void *arg, pid_t child)
{
	const struct family_call *call = arg;

	/* Those of the group have it already. */
	if (child != call->spared && getpgid(child) != call->group)
		(void)kill(child, call->number);
}

void family_signal(int number, pid_t group, pid_t spared)
{
	struct family_call call = { .number = number, .group = group, .spared = spared };

	(void)kill(-group, number);
	if (!each_child(signal_child, &call) && getpid() == 1)
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
