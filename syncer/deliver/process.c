#include "deliver/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/signal_name.h"
#include "base/text.h"
#include "deliver/effect.h"
#include "deliver/match.h"
#include "deliver/proc.h"
#include "deliver/program.h"

/* A program needs so long, at most, until it has set up its handlers.  Before that, the
 * handler may be one of its language's runtime that ends it. */
#define STARTING_MS 5000
/* How much later than its pid file a process may seem to start: the clock was set. */
#define PIDFILE_SLACK_MS 2000
#define PIDFILE_MAX 4096
#define ANCESTORS_MAX 64

struct matches {
	struct match *items;
	size_t count;
	size_t others; /* the processes that have another name */
};

static void add_match(struct matches *all, const struct proc *p, int signal)
{
	all->items = xgrow(all->items, all->count, sizeof(*all->items));
	all->items[all->count++] = (struct match){ .pid = p->pid,
						   .started = p->started,
						   .effect = effect_of(p, signal),
						   .shell = program_is_shell(p),
						   .above = MATCH_NONE };
}

static size_t find_match(const struct matches *all, pid_t pid)
{
	for (size_t i = 0; i < all->count; i++)
		if (all->items[i].pid == pid)
			return i;
	return MATCH_NONE;
}

static void find_above(const struct matches *all, struct match *m)
{
	pid_t pid = proc_parent(m->pid);

	for (int up = 0; pid > 0 && up < ANCESTORS_MAX; up++) {
		m->above = find_match(all, pid);
		m->is_parent = up == 0 && m->above != MATCH_NONE;
		if (m->above != MATCH_NONE)
			return;
		pid = proc_parent(pid);
	}
}

static int find(const char *name, int signal, struct matches *out, struct err *err)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;

	if (proc == NULL)
		return err_set_errno(err, ERR_IO, "cannot read /proc");
	while ((entry = readdir(proc)) != NULL) {
		auto_proc struct proc p = { 0 };
		int64_t pid;

		if (text_number(entry->d_name, INT_MAX, &pid) < 0 || pid == getpid())
			continue;
		proc_read((pid_t)pid, &p);
		if (p.running && match_name(&p, name))
			add_match(out, &p, signal);
		else
			out->others += p.running;
	}
	closedir(proc);
	for (size_t i = 0; out->count > 1 && i < out->count; i++)
		find_above(out, &out->items[i]);
	match_choose(out->items, out->count);
	return 0;
}

/* ---- which processes took the signal ---- */

static bool was_told(const struct process_set *told, const struct match *m)
{
	for (size_t i = 0; i < told->count; i++)
		if (told->items[i].pid == m->pid && told->items[i].started == m->started)
			return true;
	return false;
}

static void note_told(struct process_set *told, const struct match *m)
{
	told->items = xgrow(told->items, told->count, sizeof(*told->items));
	told->items[told->count++] = (struct process_seen){ m->pid, m->started };
}

void process_set_clear(struct process_set *set)
{
	free(set->items);
	*set = (struct process_set){ 0 };
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

/* Whether the signal would harm the process, or comes too early. */
static int process_check(const struct proc *p, int signal, struct err *err)
{
	struct signal_name name = signal_name_of(signal);

	if (effect_of(p, signal) == EFFECT_ENDS)
		return err_set(err, ERR_IO,
			       "process %d does not handle SIG%s, which would end it: is "
			       "it still starting? (To end an app on purpose use TERM)",
			       (int)p->pid, name.text);
	if (effect_is_reload(signal) && p->age_ms >= 0 && p->age_ms < STARTING_MS) {
		(void)err_set(err, ERR_IO,
			      "process %d is so young that it may not have set up its "
			      "handler for SIG%s yet",
			      (int)p->pid, name.text);
		err->retry_after_ms = (int)(STARTING_MS - p->age_ms);
		return -1;
	}
	return 0;
}

/* One process that is to be signalled. */
struct addressee {
	pid_t pid;
	const char *name;  /* the name that it has, or else */
	int64_t before_ms; /* it has started before this, of wall time */
	uint64_t started;
};

static bool is_still(const struct addressee *to, const struct proc *p)
{
	return p->running && (to->name == NULL ||
			      (p->started == to->started && match_name(p, to->name)));
}

static int check_start(const struct addressee *to, const struct proc *p, struct err *err)
{
	if (to->name != NULL || p->age_ms < 0 ||
	    clock_wall_ms() - p->age_ms <= to->before_ms + PIDFILE_SLACK_MS)
		return 0;
	return err_set(err, ERR_IO,
		       "process %d has started after the file was written, so the number "
		       "is another program's now: the file is of an earlier start; let "
		       "the app write it anew",
		       (int)p->pid);
}

/* 0: sent; 1: it ended meanwhile; -1. */
static int send_signal(int fd, const struct addressee *to, int signal, struct err *err)
{
	if (fd >= 0 && syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0) == 0)
		return 0;
	/*
	 * Kernels before Linux 5.3 and some sandboxes refuse it, and descriptors may be
	 * short; then the signal goes to the number.  The race: when the process ends
	 * between the latest look at it and this call, and its number is given to another
	 * one meanwhile, that one gets the signal.  It is a matter of microseconds, in
	 * which all other numbers would have to be given away first.
	 */
	if ((fd < 0 || errno != ESRCH) && kill(to->pid, signal) == 0)
		return 0;
	return errno == ESRCH ? 1 : process_explain(to->pid, to->name, err);
}

/* Likewise. */
static int signal_one(const struct addressee *to, int signal, struct err *warning,
		      struct err *err)
{
	auto_close int fd = (int)syscall(SYS_pidfd_open, to->pid, 0);
	auto_proc struct proc p = { 0 };
	int result;

	if (fd < 0 && errno == ESRCH)
		return 1;
	/* The descriptor is of whoever has the pid now: is it still the one we found? */
	proc_read(to->pid, &p);
	if (!is_still(to, &p))
		return 1;
	if (check_start(to, &p, err) < 0)
		return -1;
	/* Signal 0 asks whether we may: no use in waiting when not. */
	result = send_signal(fd, to, 0, err);
	if (result != 0)
		return result;
	if (process_check(&p, signal, err) < 0)
		return -1;
	result = send_signal(fd, to, signal, err);
	if (result == 0)
		effect_warn(&p, signal, warning);
	return result;
}

/* Of two failures the one that is kept: the first, but a process that is only too young
 * must not hide a real one. */
static bool is_first(const struct err *kept, const struct err *err)
{
	return kept->kind == ERR_NONE ||
	       (kept->retry_after_ms > 0 && err->retry_after_ms == 0);
}

/* Signals those that are to be signalled and have not taken the signal yet.  One failure
 * is kept, and the others are still signalled. */
static int signal_all(const struct matches *all, const char *name, int signal,
		      struct process_set *told, struct err *warning, struct err *err)
{
	struct err failure = { 0 };

	for (size_t i = 0; i < all->count; i++) {
		const struct match *m = &all->items[i];
		int result;

		if (m->role != MATCH_SIGNALLED || was_told(told, m))
			continue;
		result = signal_one(&(struct addressee){ .pid = m->pid,
							 .name = name,
							 .started = m->started },
				    signal, warning, err);
		if (result == 0)
			note_told(told, m);
		else if (result < 0 && is_first(&failure, err))
			failure = *err;
	}
	if (failure.kind == ERR_NONE)
		return 0;
	*err = failure;
	return -1;
}

bool process_is_alone(void)
{
	DIR *proc = getpid() == 1 ? NULL : opendir("/proc");
	const struct dirent *entry;
	bool alone = true;
	int64_t pid;

	/* Where the namespace is shared, number 1 is the pod's own process. */
	if (proc == NULL)
		return getpid() == 1;
	while (alone && (entry = readdir(proc)) != NULL)
		alone = text_number(entry->d_name, INT_MAX, &pid) < 0 || pid == getpid();
	closedir(proc);
	return alone;
}

static int explain_nobody(const char *name, size_t others, struct err *err)
{
	if (others == 0 || getpid() == 1)
		return err_set(
			err, ERR_IO,
			"no process named '%s' found: akvsync sees only the processes "
			"of its own container (%zu besides itself); set "
			"shareProcessNamespace: true on the pod",
			name, others);
	return err_set(err, ERR_IO,
		       "no process named '%s' found among %zu processes (looked at each "
		       "one's command name, executable, argv[0] and script): is the app "
		       "running, is the name right (see 'ps -eo pid,comm,args'), and has "
		       "the pod shareProcessNamespace: true?",
		       name, others);
}

int process_signal_name(const char *name, int signal, struct process_set *told,
			struct err *warning, struct err *err)
{
	struct matches all = { 0 };
	int result = -1;

	if (find(name, signal, &all, err) == 0)
		result = signal_all(&all, name, signal, told, warning, err);
	free(all.items);
	if (result < 0)
		return -1;
	return told->count == 0 ? explain_nobody(name, all.others, err) : 0;
}

/* The first number of the file: postmaster.pid has more lines. */
static int parse_pid(const char *text, pid_t *out)
{
	static const char space[] = " \t\r\n";
	auto_free char *first = NULL;
	int64_t pid;

	text += strspn(text, space);
	first = xstrndup(text, strcspn(text, space));
	if (text_number(first, INT_MAX, &pid) < 0 || pid == 0)
		return -1;
	*out = (pid_t)pid;
	return 0;
}

static int read_pidfile(const char *path, struct addressee *out, struct err *err)
{
	auto_buf struct buf text = BUF_INIT(PIDFILE_MAX);
	struct stat st = { 0 };

	/* Looked at first, so that a file which is replaced meanwhile seems too old
	 * rather than too new.  What fails here fails again in the next call. */
	(void)!stat(path, &st);
	if (file_read(AT_FDCWD, path, &text, err) < 0)
		return err_hint(err, "pidfile= names a file on a volume that both "
				     "containers mount");
	if (parse_pid(buf_str(&text), &out->pid) < 0)
		return err_set(err, ERR_IO,
			       "pid file '%s' does not hold a process number", path);
	if (out->pid == getpid())
		return err_set(err, ERR_IO,
			       "pid file '%s' names process %d, which is akvsync "
			       "itself: the app's number is of another process "
			       "namespace; set shareProcessNamespace: true on the pod",
			       path, (int)out->pid);
	out->before_ms = (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
	return 0;
}

int process_signal_pidfile(const char *path, int signal, struct err *warning,
			   struct err *err)
{
	struct addressee to = { 0 };
	int result;

	if (read_pidfile(path, &to, err) < 0)
		return -1;
	result = signal_one(&to, signal, warning, err);
	if (result > 0)
		return err_set(
			err, ERR_IO,
			"pid file '%s' names process %d, which does not exist: is it "
			"stale, or is shareProcessNamespace: true missing on the pod?",
			path, (int)to.pid);
	return result < 0 ? err_wrap(err, "pid file '%s'", path) : 0;
}
