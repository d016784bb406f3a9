#include "exec/supervise.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/signal_name.h"
#include "base/watch.h"
#include "exec/app.h"
#include "exec/family.h"
#include "report/log.h"

/* How often a wait for the first set is told of. */
#define PROGRESS_MS 30000

struct supervisor {
	const struct supervise_input *in;
	struct supervise_end *end;
	int signal_fd;
	struct watch *watch; /* of the set; NULL: changes mean nothing */
	struct jitter jitter;
	struct restart restart;
	struct app app;
	struct family family;
	bool has_left;  /* CMD ends because of --on-change=exit */
	int stopped_by; /* the signal that asks this process to end; 0: none */
	struct err failure;
	bool has_failed;
};

static void supervise_act(struct supervisor *s, enum restart_action action);

static void supervise_event(struct supervisor *s, enum restart_event event)
{
	int64_t splay_ms = s->in->settings->notify_splay_ms;

	if (event == RESTART_CHANGED)
		splay_ms = jitter_between(&s->jitter, 0, splay_ms);
	supervise_act(s, restart_next(&s->restart, event, splay_ms, clock_now_ms()));
}

/* Compares the newest values with those that CMD was given. */
static void look_for_change(struct supervisor *s)
{
	switch (values_look(&s->app.values)) {
	case VALUES_AS_GIVEN:
		supervise_event(s, RESTART_REVERTED);
		break;
	case VALUES_AS_SEEN:
		break;
	case VALUES_CHANGED:
		supervise_event(s, RESTART_CHANGED);
		break;
	}
}

static int supervise_start(struct supervisor *s, struct err *err)
{
	if (app_start(&s->app, &s->end->faults, &s->end->is_from_start, err) < 0)
		return -1;
	restart_started(&s->restart, clock_now_ms());
	return 0;
}

/* Who was not left by CMD. */
static const struct family *family_now(struct supervisor *s)
{
	s->family.sidecar = s->in->alone->pid;
	s->family.is_end = s->restart.goal == RESTART_GOAL_END;
	return &s->family;
}

static void supervise_act(struct supervisor *s, enum restart_action action)
{
	switch (action) {
	case RESTART_NOTHING:
	case RESTART_END:
		break;
	case RESTART_STOP:
		s->has_left = s->restart.rules.policy == RESTART_POLICY_EXIT;
		app_ask_to_end(&s->app);
		break;
	case RESTART_KILL:
		app_kill(&s->app);
		break;
	case RESTART_TERM_REST:
		family_signal(family_now(s), SIGTERM, s->app.group);
		break;
	case RESTART_KILL_REST:
		family_signal(family_now(s), SIGKILL, s->app.group);
		break;
	case RESTART_START:
		s->has_failed = supervise_start(s, &s->failure) < 0;
		break;
	case RESTART_SIGNAL:
		app_tell(&s->app);
		break;
	}
}

/* ---- what happens ---- */

/* The sidecar has said why. */
static void on_exit_of_sidecar(struct supervisor *s, int code)
{
	alone_ended(s->in->alone, clock_now_ms());
	if (s->app.group == 0) {
		s->end->code = code;
		s->has_failed = true;
		err_set(&s->failure, ERR_UNAVAILABLE,
			"the sidecar ended with exit code %d before its first set", code);
		return;
	}
	log_event(LOG_WARN, "sidecar-ended", LOG_FIELDS(log_int("code", code)),
		  "the sidecar has ended with exit code %d, and is started again in %d s",
		  code,
		  clock_ms_until(alone_deadline(s->in->alone), clock_now_ms()) / 1000);
}

static void reap(struct supervisor *s)
{
	siginfo_t info = { 0 };

	while (waitid(P_ALL, 0, &info, WEXITED | WSTOPPED | WNOHANG) == 0 &&
	       info.si_pid != 0) {
		if (info.si_pid == s->in->alone->pid) {
			if (info.si_code != CLD_STOPPED)
				on_exit_of_sidecar(s, app_exit_code(&info));
		} else if (info.si_pid != s->app.pid) {
			if (info.si_code != CLD_STOPPED)
				family_forget(&s->family, info.si_pid);
		} else if (info.si_code == CLD_STOPPED)
			app_stopped(&s->app, info.si_status);
		else {
			app_ended(&s->app, &info);
			supervise_event(s, RESTART_EXITED);
		}
		info.si_pid = 0;
	}
	if (s->restart.state != RESTART_CLEARING && s->restart.state != RESTART_SWEEPING)
		return;
	/* Their children have become ours. */
	if (s->restart.state == RESTART_SWEEPING)
		family_signal(family_now(s), SIGKILL, s->app.group);
	if (!family_is_left(family_now(s)))
		supervise_event(s, RESTART_ALONE);
}

/* Whether a signal asks this process to end.  What the caller ignores never does. */
static bool asks_to_end(const struct supervisor *s, int number)
{
	bool is_stopping = s->restart.state >= RESTART_STOPPING || s->app.group == 0;
	struct sigaction action;

	if (sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
		return false;
	if (number == SIGTERM)
		return true;
	/* CMD may use these for something else, so they count while it is not there. */
	return is_stopping &&
	       (number == SIGINT || number == SIGQUIT ||
		(number == SIGHUP && (s->app.has_terminal || s->app.group == 0)));
}

/* What nobody outside means for CMD: the end of a child, a fault, and what this process
 * brought upon itself, such as the SIGPIPE of a log that nobody reads any more. */
static bool is_for_us_alone(const struct signalfd_siginfo *info)
{
	if (info->ssi_code == SI_USER && info->ssi_pid == (uint32_t)getpid())
		return true;
	switch (info->ssi_signo) {
	case SIGSEGV:
	case SIGBUS:
	case SIGFPE:
	case SIGILL:
	case SIGTRAP:
	case SIGSYS:
		return info->ssi_code > 0;
	default:
		return info->ssi_signo == SIGCHLD;
	}
}

/* A key of the terminal, or its end, which the kernel tells whole process groups: of
 * ours, while CMD's is not its foreground group. */
static bool is_of_terminal(const struct signalfd_siginfo *info)
{
	return info->ssi_code == SI_KERNEL;
}

/* Hands a signal on.  CMD may be gone, or run as another user: neither is a reason to
 * end. */
static void forward(struct supervisor *s, const struct signalfd_siginfo *info)
{
	int number = (int)info->ssi_signo;
	int result = 0;

	if (is_for_us_alone(info))
		return;
	if (asks_to_end(s, number) && s->stopped_by == 0)
		s->stopped_by = number;
	if (s->app.pid > 0 && number == SIGCONT)
		app_continue(&s->app);
	else if (s->app.pid > 0 && info->ssi_code == SI_QUEUE)
		result = sigqueue(
			s->app.pid, number,
			(union sigval){ .sival_ptr = (void *)(uintptr_t)info->ssi_ptr });
	else if (s->app.pid > 0)
		result = kill(is_of_terminal(info) ? -s->app.group : s->app.pid, number);
	log_event(LOG_DEBUG, "forward", LOG_FIELDS(log_int("child", s->app.pid)),
		  "SIG%s: %s", signal_name_of(number).text,
		  s->app.pid == 0 ? "no process to hand it on to"
		  : result < 0    ? strerror(errno)
				  : "handed on");
	if (asks_to_end(s, number))
		supervise_event(s, RESTART_TERMINATED);
}

static void take_signals(struct supervisor *s)
{
	struct signalfd_siginfo info;

	while (read(s->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		forward(s, &info);
	reap(s);
}

/* In the process of the sidecar: it has signals and watches of its own. */
static void forget_descriptors(void *arg)
{
	struct supervisor *s = arg;

	watch_free(s->watch);
	close(s->signal_fd);
}

static void run_sidecar(struct supervisor *s, int64_t now)
{
	struct err err;

	if (alone_is_due(s->in->alone, now) &&
	    alone_start(s->in->alone, forget_descriptors, s, now, &err) < 0)
		log_event(LOG_WARN, "sidecar-ended", NULL, "the sidecar: %s", err.msg);
}

/* Sleeps until something happens, at most until the deadline; then takes the signals.
 * True when the volume has to be looked at. */
static bool supervise_wait(struct supervisor *s, int64_t deadline)
{
	struct pollfd fds[] = {
		{ .fd = s->signal_fd, .events = POLLIN },
		{ .fd = watch_fd(s->watch), .events = POLLIN },
	};
	int64_t now = clock_now_ms(), due = watch_deadline(s->watch);
	bool is_changed;

	deadline = clock_sooner(
		clock_sooner(deadline, due),
		clock_sooner(log_deadline(now), alone_deadline(s->in->alone)));
	(void)poll(fds, ARRAY_LEN(fds), clock_ms_until(deadline, now));
	now = clock_now_ms();
	log_catch_up();
	is_changed = fds[1].revents != 0 || now >= due;
	if (is_changed) {
		watch_take_events();
		is_changed = watch_look(s->watch, now);
	}
	if (watch_news(s->watch) == WATCH_WENT_BLIND)
		log_event(LOG_WARN, "advice", NULL, "%s", watch_trouble(s->watch));
	take_signals(s);
	run_sidecar(s, now);
	return is_changed;
}

/* ---- the whole ---- */

/* What is there in place of the set. */
static const char *what_is_missing(const char *dir)
{
	return access(dir, F_OK) < 0 ? "there is no directory"
				     : "no complete set of files is in";
}

static int wait_for_set(struct supervisor *s, struct err *err)
{
	const struct settings *settings = s->in->settings;
	int64_t began = clock_now_ms(), until = began + settings->init_timeout_ms;
	int64_t now = began, tell_at = began;
	int set = -1;

	for (;;) {
		if (volume_open(settings->dir, &set, err) < 0)
			return -1;
		if (set >= 0 || s->stopped_by != 0)
			break;
		if (s->has_failed) {
			*err = s->failure;
			return -1;
		}
		if (now >= until)
			return err_set(
				err, ERR_UNAVAILABLE,
				"%s '%s' within AKVSYNC_INIT_TIMEOUT; %s",
				what_is_missing(settings->dir), settings->dir,
				s->in->alone->run != NULL
					? "the sidecar's errors, above, say why"
					: "does akvsync run in this pod, and is its "
					  "volume mounted here?");
		if (now >= tell_at) {
			log_event(LOG_INFO, "waiting",
				  LOG_FIELDS(log_int("seconds", (now - began) / 1000)),
				  "waiting: %s '%s' yet", what_is_missing(settings->dir),
				  settings->dir);
			tell_at = now + PROGRESS_MS;
		}
		(void)supervise_wait(s, clock_sooner(until, tell_at));
		now = clock_now_ms();
	}
	if (set >= 0)
		close(set);
	return 0;
}

static bool place_is_fine(struct supervisor *s)
{
	enum alone_place place = alone_look(s->in->alone);

	if (place == ALONE_PLACE_LOST)
		log_event(LOG_WARN, "sidecar-ended", NULL,
			  "somebody has removed files from '%s': the sidecar starts anew",
			  s->in->settings->dir);
	return place == ALONE_PLACE_FINE;
}

static int supervise_loop(struct supervisor *s, struct err *err)
{
	while (s->restart.state != RESTART_OVER) {
		bool is_changed = supervise_wait(s, s->restart.deadline);

		if (is_changed && s->app.pid > 0 && place_is_fine(s))
			look_for_change(s);
		if (clock_now_ms() >= s->restart.deadline)
			supervise_event(s, RESTART_DUE);
		if (s->has_failed) {
			*err = s->failure;
			return -1;
		}
	}
	s->end->code = s->has_left ? s->in->arguments->change_exit : s->app.code;
	return 0;
}

static int supervise_all(struct supervisor *s, struct err *err)
{
	auto_free char *link = volume_link(s->in->settings->dir);
	sigset_t all;
	int64_t seed[] = { clock_wall_ms(), getpid() };

	child_all_signals(&all);
	s->signal_fd = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->signal_fd < 0)
		return err_set_errno(err, ERR_IO, "cannot read signals");
	family_note(&s->family);
	jitter_seed(&s->jitter, seed, sizeof(seed));
	app_init(&s->app);
	restart_init(&s->restart, &s->in->arguments->restart);
	s->watch = watch_new(link, NULL, clock_now_ms());
	if (wait_for_set(s, err) < 0)
		return -1;
	if (s->stopped_by != 0) {
		s->end->code = 128 + s->stopped_by;
		return 0;
	}
	if (s->in->arguments->restart.policy == RESTART_POLICY_IGNORE) {
		watch_free(s->watch);
		s->watch = NULL;
	}
	return supervise_start(s, err) < 0 ? -1 : supervise_loop(s, err);
}

int supervise_run(const struct supervise_input *in, struct supervise_end *end,
		  struct err *err)
{
	struct supervisor s = {
		.in = in,
		.end = end,
		.signal_fd = -1,
		.app = { .arguments = in->arguments,
			 .origin = in->origin,
			 .values = { .dir = in->settings->dir,
				     .env = in->env,
				     .rules = &in->arguments->rules } },
	};
	int result;

	*end = (struct supervise_end){ 0 };
	result = supervise_all(&s, err);
	watch_free(s.watch);
	if (s.signal_fd >= 0)
		close(s.signal_fd);
	app_done(&s.app);
	family_done(&s.family);
	return result;
}
