#include "run/loop.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "deliver/hook.h"
#include "deliver/process.h"
#include "report/log.h"
#include "report/termlog.h"
#include "run/outcomes.h"
#include "run/signals.h"
#include "run/watches.h"
#include "sync/account.h"

/* Up to this poll interval connections stay open; Azure drops idle ones at 4 minutes. */
#define KEEP_ALIVE_MAX_MS 60000

bool loop_is_stale(const struct loop *l, int64_t now)
{
	int64_t most = l->settings->max_staleness_ms;

	return most > 0 && state_staleness_ms(&l->state, now) > most;
}

bool loop_is_ready(const struct loop *l, int64_t now)
{
	return l->phase != LOOP_STARTING && !loop_is_stale(l, now) &&
	       publish_is_whole(l->publish);
}

/* ---- signals, probes and files ---- */

void loop_take_signals(struct loop *l)
{
	struct signals_taken taken = signals_take(l->signal_fd);

	if (taken.poll) {
		log_event(LOG_INFO, "poll-requested", NULL, "polling now: SIGHUP");
		l->pending |= PENDING_POLL | PENDING_LOOK;
	}
	if (taken.stop) {
		log_event(LOG_INFO, "stop",
			  LOG_FIELDS(log_int("from_pid", taken.stop_pid)), "stopping: %s",
			  taken.stop_number == SIGTERM ? "SIGTERM" : "SIGINT");
		l->stopping = true;
	}
}

static void loop_take_health(struct loop *l)
{
	l->facts.started = l->phase != LOOP_STARTING;
	l->facts.ready = loop_is_ready(l, clock_now_ms());
	health_run(l->health);
	if (!l->facts.refresh)
		return;
	l->facts.refresh = false;
	if (!(l->pending &
	      PENDING_POLL)) /* once a round, however often it is asked for */
		log_event(LOG_INFO, "poll-requested", NULL,
			  "polling now: akvsync refresh");
	l->pending |= PENDING_POLL | PENDING_LOOK;
}

/* One of the watched files has changed. */
static void loop_take_file(struct loop *l, enum loop_watch which)
{
	switch (which) {
	case WATCH_CA:
	case WATCH_EXTRA_CA:
		l->pending |= PENDING_TRUST;
		return;
	case WATCH_CREDENTIAL:
	case WATCH_PASSWORD:
		break;
	case WATCH_CONFIGURATION:
	case WATCH_TEMPLATES:
	case WATCHES:
	default:
		l->active.file_changed = true;
		return;
	}
	/* A credential that Entra refused may be good now, so the next try need not wait
	 * for the backoff.  A round that is under way may have read the old one: poll
	 * again after it. */
	if (l->last.worst.kind != ERR_IDENTITY)
		return;
	log_event(LOG_INFO, "poll-requested", NULL,
		  "polling now: the credential's file was replaced");
	l->pending |= PENDING_POLL;
}

/* Changes are noticed late from now on, or at once again. */
static void loop_log_watch(struct watch *w)
{
	switch (watch_news(w)) {
	case WATCH_NO_NEWS:
		break;
	case WATCH_WENT_BLIND:
		log_event(LOG_WARN, "watch-blind",
			  LOG_FIELDS(log_str("path", watch_name(w))), "%s",
			  watch_trouble(w));
		break;
	case WATCH_SEES_AGAIN:
		log_event(LOG_INFO, "watch-restored",
			  LOG_FIELDS(log_str("path", watch_name(w))),
			  "hot reload of '%s' is immediate again", watch_name(w));
		break;
	}
}

/* All watches look when an event came, and also when somebody asks for a poll, perhaps
 * since a change was not noticed; a blind one looks when its time has come. */
static void loop_take_watches(struct loop *l, const struct http_wait *waits, int64_t now)
{
	bool all = l->pending & PENDING_LOOK;

	l->pending &= ~(unsigned)PENDING_LOOK;
	for (int i = 0; i < WATCHES; i++)
		all |= waits[i].fd >= 0 && waits[i].ready;
	if (all)
		watch_take_events();
	for (int i = 0; i < WATCHES; i++) {
		struct watch *w = l->watches[i];

		if ((all || now >= watch_deadline(w)) && watch_look(w, now))
			loop_take_file(l, (enum loop_watch)i);
		loop_log_watch(w);
	}
}

static int64_t loop_wake_at(const struct loop *l, int64_t now)
{
	int64_t at =
		clock_sooner(publish_deadline(l->publish), notify_deadline(l->notify));

	at = clock_sooner(at, mirror_deadline(l->mirror));
	at = clock_sooner(at, l->give_up_at);
	at = clock_sooner(at, health_deadline(l->health, now));
	at = clock_sooner(at, log_deadline(now));
	for (int i = 0; i < WATCHES; i++)
		at = clock_sooner(at, watch_deadline(l->watches[i]));
	if (l->round != NULL)
		return clock_sooner(at, round_deadline(l->round));
	if (l->phase == LOOP_FINISHED)
		return at;
	if (l->pending || l->active.file_changed)
		return now;
	return clock_sooner(at, l->next_round_at);
}

static int loop_wait(struct loop *l, struct err *err)
{
	struct http_wait waits[WATCHES + 2 + 2 * HOOKS_MAX];
	struct http_wait *signals = &waits[WATCHES], *health = &waits[WATCHES + 1];
	unsigned count = WATCHES + 2, hooks;
	int fds[2 * HOOKS_MAX];
	int64_t now = clock_now_ms();
	int timeout_ms = clock_ms_until(loop_wake_at(l, now), now);

	for (int i = 0; i < WATCHES; i++)
		waits[i].fd = watch_fd(l->watches[i]);
	signals->fd = l->signal_fd;
	health->fd = health_fd(l->health);
	hooks = hooks_fds(fds);
	for (unsigned i = 0; i < hooks; i++)
		waits[count++].fd = fds[i];
	if (http_wait(l->sources.http, waits, count, timeout_ms, err) < 0)
		return -1;
	now = clock_now_ms();
	if (signals->ready)
		loop_take_signals(l);
	loop_take_health(l);
	loop_take_watches(l, waits, now);
	return 0;
}

/* ---- between rounds ---- */

void loop_advise(const struct loop *l)
{
	const char *target = notify_signal_target(l->notify);

	if (l->mode == LOOP_SIDECAR && target != NULL && process_is_alone())
		log_event(LOG_WARN, "advice", LOG_FIELDS(log_str("target", target)),
			  "notify '%s': akvsync sees only the processes of its own "
			  "container, so no app gets the signal; set "
			  "shareProcessNamespace: true on the pod, as the component "
			  "'signal' of the manifests does",
			  target);
}

/* The list whose Secrets are written may be another one than before, or its set has come.
 * The configuration of before is not read any more, it may be gone. */
static void loop_follow_list(struct loop *l, const struct configuration *before,
			     int64_t now)
{
	if (active_mirrored(&l->active) != before)
		mirror_use(l->mirror, active_mirrored(&l->active), now);
	mirror_hold(l->mirror, !publish_fits(l->publish, l->active.list.number));
}

/* Takes over what the configuration file says now. */
static void loop_reload(struct loop *l)
{
	const struct configuration *before = active_mirrored(&l->active);
	struct notify *notify = NULL;
	bool applied;

	if (!l->active.file_changed)
		return;
	applied = active_reload(&l->active, &l->sources, l->publish, &notify);
	l->active.file_changed |= watches_follow(
		&l->watches[WATCH_TEMPLATES], active_watched(&l->active), clock_now_ms());
	if (!applied)
		return;
	l->settings = active_settings(&l->active);
	loop_follow_list(l, before, clock_now_ms());
	notify_take_over(notify, l->notify, clock_now_ms());
	notify_free(l->notify);
	l->notify = notify;
	active_withdraw_targets(&l->active, l->notify, clock_now_ms());
	loop_advise(l);
	schedule_init(&l->schedule, l->settings->poll_interval_ms);
	l->pending |= PENDING_POLL;
}

/* No request is under way with the old certificates. */
static void loop_reload_trust(struct loop *l)
{
	struct err err;

	l->pending &= ~(unsigned)PENDING_TRUST;
	if (http_reload_trust(l->sources.http, &err) < 0) {
		log_event(LOG_WARN, "trust", NULL, "%s; those read before stay in use",
			  err.msg);
		return;
	}
	log_event(LOG_INFO, "trust", NULL, "read the trusted certificates anew");
	if (l->last.try_soon)
		l->pending |= PENDING_POLL;
}

static void loop_start_round(struct loop *l, int64_t now)
{
	struct round_work work;

	if (l->pending & PENDING_TRUST)
		loop_reload_trust(l);
	loop_reload(l);
	/* A round for the active list, behind one for the next, is the second half of a
	 * poll: who asks for a poll meanwhile wants both lists to be tried. */
	if ((l->pending & PENDING_POLL) && l->active.state != ACTIVE_SERVING) {
		l->pending &= ~(unsigned)PENDING_POLL;
		l->next_round_at = now;
	}
	if (now < l->next_round_at)
		return;
	work = active_work(&l->active, &l->sources, l->publish, l->notify);
	work.state = &l->state;
	l->sources.hurried = l->phase == LOOP_STARTING;
	l->round = round_start(&work, now);
}

/* ---- rounds ---- */

const struct err *loop_cause(const struct loop *l)
{
	return l->last.worst.kind != ERR_NONE ? &l->last.worst
					      : mirror_failure(l->mirror);
}

/* The termination log shows why a start fails, and is empty after one that works. */
static void loop_note_complete(struct loop *l)
{
	const char *path = l->settings->termination_log;
	const struct err *cause = loop_cause(l);

	if (l->phase != LOOP_STARTING)
		return;
	if (active_is_complete(&l->active, l->publish) && mirror_is_complete(l->mirror)) {
		l->phase = LOOP_READY;
		termlog_clear(path);
		log_event(LOG_INFO, "ready", NULL, "a complete set is on the volume");
		loop_take_health(l); /* probes wait for it */
	} else if (cause != NULL) {
		termlog_write(path, cause);
	}
}

/* init has no next poll to wait for: it tries again what failed, and is over when a round
 * has left nothing to try again and the Secrets are written, too. */
static void loop_finish_init(struct loop *l, int64_t now)
{
	const struct err *unwritten = mirror_failure(l->mirror);

	if (l->phase == LOOP_READY && l->next_round_at == CLOCK_NEVER &&
	    mirror_awaited(l->mirror) == NULL)
		l->phase = LOOP_FINISHED;
	else if (unwritten != NULL && unwritten->kind == ERR_CONFIG)
		l->give_up_at = now;
}

/* What a round's end means for init. */
static void loop_judge_init(struct loop *l, const struct round_result *result,
			    int64_t now)
{
	if (active_is_complete(&l->active, l->publish) &&
	    round_succeeded(result->outcome) && result->failures.worst.kind == ERR_NONE)
		l->next_round_at = CLOCK_NEVER;
	else if (schedule_gives_up(&l->schedule, result))
		l->give_up_at = now;
	loop_finish_init(l, now);
}

static void loop_finish_round(struct loop *l, int64_t now)
{
	const struct configuration *before = active_mirrored(&l->active);
	struct round_result result;
	bool changed, synced, again;

	round_end(l->round, now, &result);
	l->round = NULL;
	again = active_judge(&l->active, &result, &l->jitter, now);
	loop_follow_list(l, before, now);
	if (again) {
		l->next_round_at = now;
		return;
	}
	account_sync(&l->state, &result, now);
	l->last = result.failures;
	notify_hold_exit(l->notify, l->last.env_unwritten);
	changed = result.outcome == ROUND_FIRST || result.outcome == ROUND_REPLACED;
	synced = active_is_complete(&l->active, l->publish);
	if (changed)
		notify_published(l->notify, publish_generation(l->publish),
				 publish_changed(l->publish),
				 result.outcome == ROUND_FIRST || l->mode == LOOP_INIT,
				 now);
	mirror_round(l->mirror, changed, now);
	loop_note_complete(l);
	l->next_round_at =
		now + schedule_next(&l->schedule, &result, synced && l->mode != LOOP_INIT,
				    &l->jitter);
	if (l->settings->poll_interval_ms > KEEP_ALIVE_MAX_MS)
		http_close_idle(l->sources.http);
	else if (l->phase != LOOP_STARTING)
		http_keep_alive(l->sources.http);
	if (l->mode == LOOP_INIT)
		loop_judge_init(l, &result, now);
}

/* The deadline comes in the middle of a round.  The failure of the round before says more
 * than that this one has no answer yet, of a vault or a precheck. */
static void loop_cut_round(struct loop *l, int64_t now)
{
	struct failures before = l->last;

	loop_finish_round(l, now);
	if ((l->last.worst.kind == ERR_UNAVAILABLE || l->last.vetoed) &&
	    before.worst.kind != ERR_NONE)
		l->last = before;
}

static void loop_run_rounds(struct loop *l, int64_t now)
{
	if (l->phase == LOOP_FINISHED)
		return;
	if (l->round == NULL)
		loop_start_round(l, now);
	if (l->round == NULL)
		return;
	if (round_run(l->round, now))
		loop_finish_round(l, now);
	else if (now >= l->give_up_at)
		loop_cut_round(l, now);
}

/* ---- the cluster's Secrets ---- */

static void loop_run_mirror(struct loop *l, int64_t now)
{
	if (!mirror_run(l->mirror, now))
		return;
	/* libcurl keeps what it sent last: a token, and perhaps values. */
	http_close_idle(l->sources.http);
	loop_note_complete(l);
	if (l->mode == LOOP_INIT)
		loop_finish_init(l, now);
}

/* ---- the app ---- */

static void loop_run_notify(struct loop *l, int64_t now)
{
	struct notify_outcome outcome;

	while (l->exit_code == 0 && notify_run(l->notify, now, &outcome)) {
		outcomes_log(&l->active.incidents, &outcome, now);
		if (!outcome.waits)
			state_notified(&l->state, outcome.target, outcome.ok, now);
		l->exit_code = outcome.exit_code;
	}
	if (l->exit_code == 0)
		return;
	log_event(LOG_INFO, "stop", LOG_FIELDS(log_int("code", l->exit_code)),
		  "stopping with code %d, for the pod's containers to be restarted",
		  l->exit_code);
	l->stopping = true;
}

/* ---- all of it ---- */

/* Nothing is left to do, or no time is left. */
static bool loop_is_over(const struct loop *l, int64_t now)
{
	if (l->stopping)
		return true;
	if (l->mode != LOOP_INIT)
		return false;
	if (l->phase == LOOP_FINISHED &&
	    !notify_first_pending(l->notify, LOOP_FIRST_NOTIFY_TRIES))
		return true;
	return l->round == NULL && now >= l->give_up_at;
}

int loop_run(struct loop *l, struct err *err)
{
	for (;;) {
		int64_t now;

		if (loop_wait(l, err) < 0)
			return -1;
		if (l->stopping)
			return 0;
		http_run(l->sources.http);
		now = clock_now_ms();
		loop_run_rounds(l, now);
		loop_run_mirror(l, now);
		loop_run_notify(l, now);
		publish_run(l->publish, now);
		confine_report();
		log_catch_up();
		if (loop_is_over(l, now))
			return 0;
	}
}
