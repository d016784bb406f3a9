#include "deliver/process.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

#define COMM_LEN 15

struct match {
	pid_t pid, parent;
};

struct matches {
	struct match *items;
	size_t count;
};

static const char *last_part(const char *path)
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

static bool has_comm(pid_t pid, const char *name)
{
	auto_buf struct buf comm = BUF_INIT(64);

	return read_proc(pid, "comm", &comm) && comm.len > 0 &&
	       strlen(text_trim(comm.data)) == strnlen(name, COMM_LEN) &&
	       strncmp(text_trim(comm.data), name, COMM_LEN) == 0;
}

static bool has_exe(pid_t pid, const char *name)
{
	auto_free char *path = xasprintf("/proc/%d/exe", (int)pid);
	char target[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target) - 1);

	if (n < 0)
		return false;
	target[n] = '\0';
	/* An executable that was replaced while it runs. */
	if (text_ends_same(target, " (deleted)"))
		target[n - (ssize_t)strlen(" (deleted)")] = '\0';
	return strcmp(last_part(target), name) == 0;
}

static bool has_argv0(pid_t pid, const char *name)
{
	auto_buf struct buf cmdline = BUF_INIT(4 * 1024 * 1024);

	/* argv[0] ends at the first NUL; nginx puts "nginx: master process" there. */
	return read_proc(pid, "cmdline", &cmdline) && cmdline.len > 0 &&
	       strcmp(last_part(buf_str(&cmdline)), name) == 0;
}

static bool is_named(pid_t pid, const char *name)
{
	return has_comm(pid, name) || has_exe(pid, name) || has_argv0(pid, name);
}

/* What /proc/PID/status says. */
struct status {
	bool running; /* false: gone, or a zombie, on which a signal has no effect */
	pid_t parent;
	uint64_t handled; /* caught, ignored, or blocked for signalfd(2) */
};

/* The number after a line's name; masks of signals are hexadecimal. */
static uint64_t status_number(const char *text, const char *line, unsigned int base)
{
	const char *found = strstr(text, line);
	uint64_t number = 0;

	if (!found)
		return 0;
	found += strlen(line);
	found += strspn(found, "\t ");
	for (; isxdigit((unsigned char)*found); found++)
		number = number * base +
			 (uint64_t)(*found <= '9' ? *found - '0' : *found - 'a' + 10);
	return number;
}

static struct status status_of(pid_t pid)
{
	auto_buf struct buf text = BUF_INIT(64 * 1024);
	const char *state;

	if (!read_proc(pid, "status", &text))
		return (struct status){ 0 };
	state = strstr(buf_str(&text), "\nState:\t");
	return (struct status){
		.running = state != NULL && strchr("ZX", state[8]) == NULL,
		.parent = (pid_t)status_number(buf_str(&text), "\nPPid:", 10),
		.handled = status_number(buf_str(&text), "\nSigBlk:", 16) |
			   status_number(buf_str(&text), "\nSigIgn:", 16) |
			   status_number(buf_str(&text), "\nSigCgt:", 16),
	};
}

/* The name of a signal that apps reload on, when it would end this one, which has not set
 * up its handler (yet); else NULL. */
static const char *ends(const struct status *status, int signal)
{
	static const struct {
		int number;
		const char *name;
	} reloads[] = { { SIGHUP, "SIGHUP" },
			{ SIGUSR1, "SIGUSR1" },
			{ SIGUSR2, "SIGUSR2" } };

	for (size_t i = 0; i < ARRAY_LEN(reloads); i++)
		if (reloads[i].number == signal &&
		    (status->handled >> (signal - 1) & 1) == 0)
			return reloads[i].name;
	return NULL;
}

static int find(const char *name, struct matches *out, struct err *err)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;

	if (proc == NULL)
		return err_set_errno(err, ERR_IO, "cannot read /proc");
	while ((entry = readdir(proc)) != NULL) {
		struct status status;
		int64_t pid;

		if (text_number(entry->d_name, INT_MAX, &pid) < 0 || pid == getpid() ||
		    !is_named((pid_t)pid, name))
			continue;
		status = status_of((pid_t)pid);
		if (!status.running)
			continue;
		out->items = xgrow(out->items, out->count, sizeof(*out->items));
		out->items[out->count++] = (struct match){ (pid_t)pid, status.parent };
	}
	closedir(proc);
	return 0;
}

static bool contains(const struct matches *all, pid_t pid)
{
	for (size_t i = 0; i < all->count; i++)
		if (all->items[i].pid == pid)
			return true;
	return false;
}

/* ---- which processes took the signal ---- */

/* Field 22 of /proc/PID/stat; the command's name in field 2 may hold anything. */
static uint64_t started_at(pid_t pid)
{
	auto_buf struct buf text = BUF_INIT(4096);
	const char *field;
	uint64_t ticks = 0;

	if (!read_proc(pid, "stat", &text))
		return 0;
	field = strrchr(buf_str(&text), ')');
	for (int i = 2; field != NULL && i < 22; i++)
		field = strchr(field + 1, ' ');
	for (field = field ? field + 1 : ""; isdigit((unsigned char)*field); field++)
		ticks = ticks * 10 + (uint64_t)(*field - '0');
	return ticks;
}

static bool was_told(const struct process_set *told, pid_t pid)
{
	for (size_t i = 0; i < told->count; i++)
		if (told->items[i].pid == pid &&
		    told->items[i].started == started_at(pid))
			return true;
	return false;
}

static void note_told(struct process_set *told, pid_t pid)
{
	told->items = xgrow(told->items, told->count, sizeof(*told->items));
	told->items[told->count++] = (struct process_seen){ pid, started_at(pid) };
}

void process_set_clear(struct process_set *set)
{
	free(set->items);
	*set = (struct process_set){ 0 };
}

void process_set_copy(struct process_set *to, const struct process_set *from)
{
	for (size_t i = 0; i < from->count; i++) {
		to->items = xgrow(to->items, to->count, sizeof(*to->items));
		to->items[to->count++] = from->items[i];
	}
}

/* ---- signalling ---- */

static int process_explain(pid_t pid, const char *name, struct err *err)
{
	int error = errno;
	auto_free char *who = name ? xasprintf("process %d ('%s')", (int)pid, name)
				   : xasprintf("process %d", (int)pid);

	errno = error;
	if (error != EPERM)
		return err_set_errno(err, ERR_IO, "cannot signal %s", who);
	return err_set(err, ERR_IO,
		       "not permitted to signal %s: akvsync runs as uid %u; give both "
		       "containers the same runAsUser",
		       who, (unsigned)geteuid());
}

/* 0: signalled; 1: it ended meanwhile; -1. */
static int signal_pid(pid_t pid, const char *name, int signal, struct err *err)
{
	auto_close int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct status status;
	const char *fatal;

	if (fd < 0)
		return errno == ESRCH ? 1 : process_explain(pid, name, err);
	/* The descriptor is of whoever has the pid now: is it still the one we found? */
	if (name != NULL && !is_named(pid, name))
		return 1;
	status = status_of(pid);
	if (!status.running)
		return 1;
	fatal = ends(&status, signal);
	if (fatal != NULL)
		return err_set(err, ERR_IO,
			       "process %d does not handle %s, which would end it: is it "
			       "still starting? (To end an app on purpose use TERM)",
			       (int)pid, fatal);
	if (syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0) == 0)
		return 0;
	return errno == ESRCH ? 1 : process_explain(pid, name, err);
}

/* Signals the matches that are no children of another match and have not taken the signal
 * yet.  The first failure is kept, and the others are still signalled. */
static int signal_all(const struct matches *all, const char *name, int signal,
		      struct process_set *told, struct err *err)
{
	struct err failure = { 0 };

	for (size_t i = 0; i < all->count; i++) {
		pid_t pid = all->items[i].pid;
		int result;

		if (contains(all, all->items[i].parent) || was_told(told, pid))
			continue;
		result = signal_pid(pid, name, signal, err);
		if (result == 0)
			note_told(told, pid);
		else if (result < 0 && failure.kind == ERR_NONE)
			failure = *err;
	}
	if (failure.kind == ERR_NONE)
		return 0;
	*err = failure;
	return -1;
}

int process_signal_name(const char *name, int signal, struct process_set *told,
			struct err *err)
{
	struct matches all = { 0 };
	int result;

	if (find(name, &all, err) < 0)
		return -1;
	result = signal_all(&all, name, signal, told, err);
	free(all.items);
	if (result < 0)
		return -1;
	if (told->count == 0)
		return err_set(err, ERR_IO,
			       "no process named '%s' found: is the app running, is the "
			       "name right (as in 'ps -o comm'), and has the pod "
			       "shareProcessNamespace: true?",
			       name);
	return 0;
}

static int read_pidfile(const char *path, pid_t *out, struct err *err)
{
	auto_buf struct buf text = BUF_INIT(64);
	int64_t pid;

	if (file_read(AT_FDCWD, path, &text, err) < 0)
		return err_hint(err, "pidfile= names a file on a volume that both "
				     "containers mount");
	if (text.len == 0 || text_number(text_trim(text.data), INT_MAX, &pid) < 0 ||
	    pid == 0)
		return err_set(err, ERR_IO,
			       "pid file '%s' does not hold a process number", path);
	if (pid == getpid())
		return err_set(err, ERR_IO,
			       "pid file '%s' names process %lld, which is akvsync "
			       "itself: the app's number is of another process "
			       "namespace; set shareProcessNamespace: true on the pod",
			       path, (long long)pid);
	*out = (pid_t)pid;
	return 0;
}

int process_signal_pidfile(const char *path, int signal, struct err *err)
{
	pid_t pid = 0;
	int result;

	if (read_pidfile(path, &pid, err) < 0)
		return -1;
	result = signal_pid(pid, NULL, signal, err);
	if (result > 0)
		return err_set(
			err, ERR_IO,
			"pid file '%s' names process %d, which does not exist: is it "
			"stale, or is shareProcessNamespace: true missing on the pod?",
			path, (int)pid);
	if (result < 0)
		return err_wrap(err, "pid file '%s'", path);
	return 0;
}
