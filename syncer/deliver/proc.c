#include "deliver/proc.h"

#include <ctype.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

#define CMDLINE_MAX (4 * 1024 * 1024)

const char *proc_last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* A small file of a process's directory; false when it is gone or not ours to read. */
static bool read_proc(pid_t pid, const char *name, struct buf *out)
{
	auto_free char *path = xasprintf("/proc/%d/%s", (int)pid, name);
	struct err ignored;

	return file_read(AT_FDCWD, path, out, &ignored) == 0;
}

static char *read_comm(pid_t pid)
{
	auto_buf struct buf text = BUF_INIT(64);

	if (!read_proc(pid, "comm", &text) || text.len == 0)
		return xstrdup("");
	/* Only the kernel's line end: a name may end with a space. */
	return xstrndup(text.data, strcspn(text.data, "\n"));
}

static char *read_exe(pid_t pid)
{
	auto_free char *path = xasprintf("/proc/%d/exe", (int)pid);
	char target[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target) - 1);

	if (n < 0)
		return NULL;
	target[n] = '\0';
	/* An executable that was replaced while it runs. */
	if (text_ends_same(target, " (deleted)"))
		target[n - (ssize_t)strlen(" (deleted)")] = '\0';
	return xstrdup(proc_last_part(target));
}

static uint64_t proc_number(const char *text, unsigned int base)
{
	uint64_t number = 0;

	for (; isxdigit((unsigned char)*text); text++)
		number = number * base +
			 (uint64_t)(*text <= '9' ? *text - '0' : *text - 'a' + 10);
	return number;
}

/* The state, the parent, the number of threads and the start: fields 3, 4, 20 and 22 of
 * /proc/PID/stat.  The command name in field 2 may hold anything.  The state is the first
 * thread's, which may have ended before the others. */
static void read_stat(pid_t pid, struct proc *out)
{
	auto_buf struct buf text = BUF_INIT(4096);
	const char *field;
	struct timespec now;

	if (!read_proc(pid, "stat", &text))
		return;
	field = strrchr(buf_str(&text), ')');
	for (int i = 3; field != NULL && (field = strchr(field, ' ')) != NULL; i++) {
		field++;
		if (i == 3)
			out->running = strchr("ZXx", *field) == NULL;
		else if (i == 4)
			out->parent = (pid_t)proc_number(field, 10);
		else if (i == 20)
			out->running |= proc_number(field, 10) > 1;
		else if (i == 22)
			out->started = proc_number(field, 10);
	}
	clock_gettime(CLOCK_BOOTTIME, &now);
	out->age_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 -
		      (int64_t)(out->started * 1000 / (uint64_t)sysconf(_SC_CLK_TCK));
}

static bool read_mask(const char *status, const char *line, uint64_t *out)
{
	const char *found = strstr(status, line);

	if (found != NULL)
		*out = proc_number(found + strlen(line), 16);
	return found != NULL;
}

static void read_signals(pid_t pid, struct proc *out)
{
	auto_buf struct buf text = BUF_INIT(64 * 1024);

	out->shows_signals = read_proc(pid, "status", &text) &&
			     read_mask(buf_str(&text), "\nSigBlk:\t", &out->blocked) &&
			     read_mask(buf_str(&text), "\nSigIgn:\t", &out->ignored) &&
			     read_mask(buf_str(&text), "\nSigCgt:\t", &out->caught);
}

void proc_read(pid_t pid, struct proc *out)
{
	*out = (struct proc){ .pid = pid, .cmdline = BUF_INIT(CMDLINE_MAX) };
	read_stat(pid, out);
	read_signals(pid, out);
	out->comm = read_comm(pid);
	out->exe = read_exe(pid);
	if (!read_proc(pid, "cmdline", &out->cmdline))
		buf_done(&out->cmdline);
}

void proc_done(struct proc *p)
{
	free(p->comm);
	free(p->exe);
	buf_done(&p->cmdline);
}

pid_t proc_parent(pid_t pid)
{
	struct proc p = { 0 };

	read_stat(pid, &p);
	return p.parent;
}

const char *proc_argument(const struct proc *p, size_t i)
{
	const char *end = buf_str(&p->cmdline) + p->cmdline.len;
	const char *argument = buf_str(&p->cmdline);

	for (; argument < end; argument += strlen(argument) + 1)
		if (i-- == 0)
			return argument;
	return NULL;
}
