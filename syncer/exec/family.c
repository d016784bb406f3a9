#include "exec/family.h"

#include <dirent.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
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

/* ---- children that CMD did not leave ---- */

static void note_earlier(void *arg, pid_t child)
{
	struct family *f = arg;

	f->earlier = xgrow(f->earlier, f->earlier_count, sizeof(*f->earlier));
	f->earlier[f->earlier_count++] = child;
}

void family_note(struct family *f)
{
	(void)each_child(note_earlier, f);
}

void family_done(struct family *f)
{
	free(f->earlier);
	f->earlier = NULL;
	f->earlier_count = 0;
}

void family_forget(struct family *f, pid_t child)
{
	for (size_t i = 0; i < f->earlier_count; i++)
		if (f->earlier[i] == child)
			f->earlier[i] = f->earlier[--f->earlier_count];
}

static bool is_spared(const struct family *f, pid_t child)
{
	for (size_t i = 0; i < f->earlier_count && !f->is_end; i++)
		if (f->earlier[i] == child)
			return true;
	return child == f->sidecar;
}

/* ---- children that it left ---- */

struct family_call {
	const struct family *family;
	int number;
	pid_t group;
	bool found; /* a child; of those that are signaled, one in the group */
};

static void signal_child(void *arg, pid_t child)
{
	struct family_call *call = arg;

	if (is_spared(call->family, child))
		return;
	if (getpgid(child) == call->group)
		call->found = true;
	else
		(void)kill(child, call->number);
}

/* CMD is gone, so its group may be, too, and its number may be that of a group of others:
 * a child in it, which has not been waited for, says that it is still the one. */
void family_signal(const struct family *f, int number, pid_t group)
{
	struct family_call call = { .family = f, .number = number, .group = group };
	bool is_known = each_child(signal_child, &call);

	if (call.found || !is_known)
		(void)kill(-group, number);
	if (!is_known && getpid() == 1)
		(void)kill(-1, number);
}

static void note_child(void *arg, pid_t child)
{
	struct family_call *call = arg;

	call->found |= !is_spared(call->family, child);
}

bool family_is_left(const struct family *f)
{
	struct family_call call = { .family = f };
	siginfo_t info;

	/* With one that is spared, only /proc tells of others. */
	if (f->sidecar == 0 && (f->earlier_count == 0 || f->is_end))
		return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
	return each_child(note_child, &call) && call.found;
}
