#include "deliver/hook.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

/* With HOOKS_MAX running, the next one is tried again so much later. */
#define BUSY_MS 1000
/* In one call of hook_run(), so that a program that floods us holds up nothing else. */
#define READS_MAX 16
/* So often, where there is no descriptor that tells of a program's end. */
#define LOOK_MS 50
#define READ_BYTES 4096
/* Of one variable; the kernel takes 128 KiB. */
#define CHANGED_MAX (64 * 1024)

enum hook_state {
	HOOK_RUNS,
	HOOK_KILLED, /* its time was over; its end is still to come */
	HOOK_ENDED,
};

struct hook {
	enum hook_state state;
	bool timed_out;
	pid_t pid;
	int pid_fd;      /* -1: the system has none */
	int out_fd;      /* -1: closed */
	int64_t look_at; /* without pid_fd: when it is next looked whether it has ended */
	char *program;
	int64_t timeout_ms, until;
	siginfo_t end; /* of HOOK_ENDED */
	struct buf output;
};

/* Those that have not been freed.  Children are reaped for all of them together, since as
 * pid 1 we also get those that others have left. */
static struct hook *hooks[HOOKS_MAX];

/* ---- starting ---- */

static struct hook **hook_place(const struct hook *h)
{
	for (size_t i = 0; i < HOOKS_MAX; i++)
		if (hooks[i] == h)
			return &hooks[i];
	return NULL;
}

/* Libraries open descriptors that a program would inherit. */
static void close_all_on_exec(void)
{
	DIR *all;
	const struct dirent *entry;
	int64_t fd;

	/* CLOSE_RANGE_CLOEXEC, of Linux 5.11 */
	if (syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 4U) == 0)
		return;
	all = opendir("/proc/self/fd");
	while (all != NULL && (entry = readdir(all)) != NULL)
		if (text_number(entry->d_name, INT_MAX, &fd) == 0 && fd > STDERR_FILENO)
			(void)fcntl((int)fd, F_SETFD, FD_CLOEXEC);
	if (all != NULL)
		closedir(all);
}

#define ENVIRONMENT_MAX 8

struct hook_environment {
	char *items[ENVIRONMENT_MAX + 1];
	size_t count;
};

static void hook_environment_add(struct hook_environment *env, const char *name,
				 const char *value)
{
	if (value != NULL)
		env->items[env->count++] = xasprintf("%s=%s", name, value);
}

static void hook_environment_make(struct hook_environment *env,
				  const struct hook_order *o)
{
	const char *changed = o->changed;

	*env = (struct hook_environment){ 0 };
	if (changed != NULL && strlen(changed) > CHANGED_MAX)
		changed = NULL;
	hook_environment_add(
		env, "PATH",
		"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	hook_environment_add(env, "HOME", "/");
	hook_environment_add(env, "AKVSYNC_GENERATION", o->generation);
	hook_environment_add(env, "AKVSYNC_DIR", o->dir);
	hook_environment_add(env, "AKVSYNC_NEW_DIR", o->new_dir);
	hook_environment_add(env, "AKVSYNC_CHANGED", changed);
}

static void hook_environment_done(struct hook_environment *env)
{
	for (size_t i = 0; i < env->count; i++)
		free(env->items[i]);
}

/* The error number; posix_spawn(3) returns once the program runs, or could not. */
static int spawn(pid_t *pid, char *const *argv, char *const *env, int out_fd)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	int error;

	sigemptyset(&none);
	sigfillset(&all);
	if (posix_spawn_file_actions_init(&files) != 0)
		return ENOMEM;
	if (posix_spawnattr_init(&attributes) != 0) {
		posix_spawn_file_actions_destroy(&files);
		return ENOMEM;
	}
	posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&files, out_fd, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&files, out_fd, STDERR_FILENO);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP |
						      POSIX_SPAWN_SETSIGMASK |
						      POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	error = posix_spawn(pid, argv[0], &files, &attributes, argv, env);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&files);
	return error;
}

static int explain_spawn(const char *program, struct err *err)
{
	err_set_errno(err, ERR_IO, "cannot run '%.200s'", program);
	if (errno == ENOENT)
		return err_hint(err, "the program, and the interpreter of a script, must "
				     "be in akvsync's own container: its image has none");
	if (errno == EACCES)
		return err_hint(err, "may uid %u run it, and is the volume not noexec?",
				(unsigned)geteuid());
	return -1;
}

/* Its two descriptors, and the program itself. */
static int hook_launch(struct hook *h, const struct hook_order *order, struct err *err)
{
	struct hook_environment env;
	int pipe_fds[2], error;

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return err_set_errno(err, ERR_IO, "cannot make a pipe for '%.200s'",
				     h->program);
	h->out_fd = pipe_fds[0];
	(void)fcntl(h->out_fd, F_SETFL, O_NONBLOCK);
	close_all_on_exec();
	/* Where it is ignored, as below some parents, a child leaves nothing to wait for.
	 */
	(void)sigaction(SIGCHLD, &(struct sigaction){ .sa_handler = SIG_DFL }, NULL);
	hook_environment_make(&env, order);
	error = spawn(&h->pid, order->argv, env.items, pipe_fds[1]);
	hook_environment_done(&env);
	close(pipe_fds[1]);
	errno = error;
	if (error != 0)
		return explain_spawn(h->program, err);
	/* Kernels before Linux 5.3 and some sandboxes give none. */
	h->pid_fd = (int)syscall(SYS_pidfd_open, h->pid, 0);
	return 0;
}

int hook_start(struct hook **out, const struct hook_order *order, int64_t now,
	       struct err *err)
{
	struct hook **place = hook_place(NULL), *h;

	if (place == NULL) {
		err_set(err, ERR_IO, "%d programs run already", HOOKS_MAX);
		err->retry_after_ms = BUSY_MS;
		return -1;
	}
	h = xcalloc(1, sizeof(*h));
	*h = (struct hook){ .pid_fd = -1,
			    .out_fd = -1,
			    .program = xstrdup(order->argv[0]),
			    .timeout_ms = order->timeout_ms,
			    .until = now + order->timeout_ms,
			    .look_at = now + LOOK_MS,
			    .output = BUF_INIT(HOOK_OUTPUT_MAX) };
	*place = h;
	if (hook_launch(h, order, err) < 0) {
		hook_free(h);
		return -1;
	}
	*out = h;
	return 0;
}

/* ---- running ---- */

static void hook_kill(const struct hook *h)
{
	if (h->pid > 0 && h->state != HOOK_ENDED)
		(void)kill(-h->pid, SIGKILL);
}

/* Reaps what has ended: the hooks, and as pid 1 what their children left. */
static void hooks_reap(void)
{
	siginfo_t end = { 0 };

	while (waitid(P_ALL, 0, &end, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       end.si_pid > 0) {
		for (size_t i = 0; i < HOOKS_MAX; i++) {
			if (hooks[i] == NULL || hooks[i]->pid != end.si_pid)
				continue;
			hook_kill(hooks[i]); /* while the number is still its group's */
			hooks[i]->state = HOOK_ENDED;
			hooks[i]->end = end;
		}
		(void)waitpid(end.si_pid, NULL, WNOHANG);
		end = (siginfo_t){ 0 };
	}
}

/* Takes what it has printed.  What passes the bound is dropped, so that it is not held
 * up. */
static void hook_read(struct hook *h)
{
	char bytes[READ_BYTES];
	struct err ignored;

	for (int i = 0; i < READS_MAX && h->out_fd >= 0; i++) {
		ssize_t n = read(h->out_fd, bytes, sizeof(bytes));
		size_t room = h->output.max - h->output.len;
		char *nul;

		if (n < 0)
			return;
		if (n == 0) {
			close(h->out_fd);
			h->out_fd = -1;
			return;
		}
		while ((nul = memchr(bytes, '\0', (size_t)n)) != NULL)
			*nul = '?';
		(void)!buf_add(&h->output, bytes, (size_t)n < room ? (size_t)n : room,
			       &ignored);
	}
}

bool hook_run(struct hook *h, int64_t now)
{
	hooks_reap();
	hook_read(h);
	h->look_at = now + LOOK_MS;
	if (h->state == HOOK_ENDED)
		return true;
	if (h->state == HOOK_RUNS && now >= h->until) {
		hook_kill(h);
		h->state = HOOK_KILLED;
		h->timed_out = true;
	}
	return false;
}

int64_t hook_deadline(const struct hook *h)
{
	if (h->state == HOOK_ENDED) /* it was reaped on behalf of another one */
		return 0;
	return clock_sooner(h->state == HOOK_RUNS ? h->until : CLOCK_NEVER,
			    h->pid_fd < 0 ? h->look_at : CLOCK_NEVER);
}

void hook_free(struct hook *h)
{
	if (h == NULL)
		return;
	hook_kill(h);
	*hook_place(h) = NULL;
	if (h->pid_fd >= 0)
		close(h->pid_fd);
	if (h->out_fd >= 0)
		close(h->out_fd);
	buf_done(&h->output);
	free(h->program);
	free(h);
	hooks_reap();
}

unsigned hooks_fds(int fds[static 2 * HOOKS_MAX])
{
	unsigned count = 0;

	for (size_t i = 0; i < HOOKS_MAX; i++) {
		if (hooks[i] == NULL || hooks[i]->state == HOOK_ENDED)
			continue;
		fds[count++] = hooks[i]->pid_fd;
		fds[count++] = hooks[i]->out_fd;
	}
	return count;
}

/* ---- what it came to ---- */

const char *hook_output(const struct hook *h)
{
	return buf_str(&h->output);
}

bool hook_line(const char **rest, char line[static HOOK_LINE_LEN])
{
	size_t len;

	*rest += strspn(*rest, "\r\n");
	len = strcspn(*rest, "\r\n");
	if (len == 0)
		return false;
	if (len >= HOOK_LINE_LEN)
		len = HOOK_LINE_LEN - 1;
	memcpy(line, *rest, len);
	line[len] = '\0';
	*rest += len;
	err_flatten(line);
	return true;
}

int hook_result(const struct hook *h, struct err *err)
{
	auto_free char *timeout = text_from_duration(h->timeout_ms);
	const char *rest = hook_output(h);
	char line[HOOK_LINE_LEN] = "";

	if (h->timed_out)
		err_set(err, ERR_IO, "'%.200s' did not end within %s and was killed",
			h->program, timeout);
	else if (h->end.si_code != CLD_EXITED)
		err_set(err, ERR_IO, "'%.200s' was ended by signal %d", h->program,
			h->end.si_status);
	else if (h->end.si_status != 0)
		err_set(err, ERR_IO, "'%.200s' ended with code %d", h->program,
			h->end.si_status);
	else
		return 0;
	while (hook_line(&rest, line))
		;
	return line[0] ? err_hint(err, "it said: %.200s", line) : -1;
}
