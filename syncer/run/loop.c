#include "run/loop.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "report/log.h"
#include "report/termlog.h"
#include "run/start.h"

/* Up to this poll interval connections stay open; Azure drops idle ones at 4 minutes. */
#define KEEP_ALIVE_MAX_MS 60000
/* on=first targets that still fail after this many tries fail `init`. */
#define FIRST_NOTIFY_TRIES 5

static void take_health(struct loop *l)
{
	l->facts.started = l->synced;
	health_run(l->health);
	if (!l->facts.refresh)
		return;
	l->facts.refresh = false;
	if (!l->again) /* once a round, however often it is asked for */
		log_event(LOG_INFO, "poll-requested", NULL,
			  "polling now: akvsync refresh");
	l->again = true;
	l->look = true;
}

/* The termination log tells of a start that fails, and is empty after one that works. */
static void note_first_sync(struct loop *l, const struct round_result *result)
{
	const char *path = l->settings->termination_log;

	if (l->reported)
		return;
	if (l->synced) {
		termlog_clear(path);
		l->reported = true;
	} else if (result->worst.kind != ERR_NONE) {
		termlog_write(path, &result->worst);
	}
}

static void finish_round(struct loop *l, int64_t now)
{
	struct round_result result;
	bool was_synced = l->synced;

	round_end(l->round, now, &result);
	l->round = NULL;
	if (desire_judge(&l->desire, &result, now)) {
		l->next_round_at = now;
		return;
	}
	l->last = result.worst;
	l->synced |= result.complete;
	if (result.published)
		notify_published(l->notify, publish_generation(l->publish),
				 result.first || l->mode == LOOP_INIT, now);
	note_first_sync(l, &result);
	if (!was_synced && l->synced)
		log_event(LOG_INFO, "ready", NULL, "all objects are on the volume");
	l->next_round_at =
		now + schedule_next(&l->schedule, &result, l->synced, &l->jitter);
	if (l->settings->poll_interval_ms > KEEP_ALIVE_MAX_MS)
		http_close_idle(l->sources.http);
	else if (l->synced)
		http_keep_alive(l->sources.http);
	if (l->mode != LOOP_INIT)
		return;
	if (result.complete) {
		l->finished = true;
		l->next_round_at = CLOCK_NEVER;
	} else if (schedule_gives_up(&l->schedule, &result)) {
		l->give_up_at = now;
	}
}

/* Takes over what the configuration file says now. */
static void reload(struct loop *l)
{
	struct notify *notify = NULL;

	if (!desire_reload(&l->desire, &l->sources, &l->jitter,
			   publish_dir_fd(l->publish), &notify))
		return;
	l->settings = &desire_configuration(&l->desire)->settings;
	notify_free(l->notify);
	l->notify = notify;
	notify_resume(l->notify, publish_generation(l->publish), false, clock_now_ms());
	schedule_init(&l->schedule, l->settings->poll_interval_ms);
	l->again = true;
}

/* Between rounds, so that no request is under way with the old certificates. */
static void reload_trust(struct loop *l)
{
	struct err err;

	l->reload_trust = false;
	if (http_reload_trust(l->sources.http, &err) < 0) {
		log_event(LOG_WARN, "trust", NULL, "%s; those read before stay in use",
			  err.msg);
		return;
	}
	log_event(LOG_INFO, "trust", NULL, "read the trusted certificates anew");
	if (l->last.kind == ERR_UNAVAILABLE)
		l->again = true;
}

/* The deadline comes in the middle of a round.  What the round before found out says more
 * than that this one had no answer yet. */
static void cut_round(struct loop *l, int64_t now)
{
	struct err before = l->last;

	finish_round(l, now);
	if (l->last.kind == ERR_UNAVAILABLE && before.kind != ERR_NONE)
		l->last = before;
}

static void run_rounds(struct loop *l, int64_t now)
{
	struct round_work work;

	if (l->finished)
		return;
	if (l->round == NULL && l->reload_trust)
		reload_trust(l);
	if (l->round == NULL)
		reload(l);
	if (l->round == NULL && l->again) {
		l->again = false;
		l->next_round_at = now;
	}
	if (l->round == NULL && now >= l->next_round_at) {
		work = desire_work(&l->desire, &l->sources, l->publish);
		l->sources.hurried = !l->synced;
		l->round = round_start(&work, now);
	}
	if (l->round == NULL)
		return;
	if (round_run(l->round, now))
		finish_round(l, now);
	else if (now >= l->give_up_at)
		cut_round(l, now);
}

static void say_outcome(const struct notify_outcome *o)
{
	auto_free char *in = text_from_duration(o->retry_in_ms);

	if (o->ok) {
		log_event(LOG_INFO, "notified",
			  LOG_FIELDS(log_str("target", o->target),
				     log_str("generation", o->generation),
				     log_int("processes", o->processes),
				     log_int("attempt", o->attempt)),
			  "notified '%s'", o->target);
		return;
	}
	log_event(o->attempt == 1 ? LOG_WARN : LOG_DEBUG, "notify-failed",
		  LOG_FIELDS(log_str("target", o->target),
			     log_str("generation", o->generation),
			     log_int("attempt", o->attempt), log_str("retry_in", in)),
		  "%s", o->err.msg);
}

static void run_notify(struct loop *l, int64_t now)
{
	struct notify_outcome outcome;

	while (notify_run(l->notify, now, &outcome))
		say_outcome(&outcome);
}

/* One of the files is another one now. */
static void take_file(struct loop *l, int which)
{
	if (which != WATCH_CREDENTIAL && which != WATCH_PASSWORD) {
		l->reload_trust = true;
		return;
	}
	/* A token that Entra refused may be good now: no need to wait for the backoff.  A
	 * round that is under way may have read the old one: poll again after it. */
	if (l->last.kind != ERR_IDENTITY)
		return;
	log_event(LOG_INFO, "poll-requested", NULL,
		  "polling now: the credential's file was replaced");
	l->again = true;
}

/* Somebody asked for a poll, perhaps since a change was not noticed. */
static void look_at_files(struct loop *l, int64_t now)
{
	l->look = false;
	for (int i = 0; i < WATCHES; i++)
		if (watch_look(l->watches[i], now))
			take_file(l, i);
	desire_look(&l->desire, now);
}

/* Hot reload is late from now on, or no longer. */
static void say_watch(struct watch *w)
{
	switch (watch_news(w)) {
	case WATCH_NO_NEWS:
		break;
	case WATCH_WENT_BLIND:
		log_event(LOG_WARN, "watch-blind",
			  LOG_FIELDS(log_str("path", watch_path(w))), "%s",
			  watch_trouble(w));
		break;
	case WATCH_SEES_AGAIN:
		log_event(LOG_INFO, "watch-restored",
			  LOG_FIELDS(log_str("path", watch_path(w))),
			  "hot reload of '%s' is immediate again", watch_path(w));
		break;
	}
}

static void say_watches(struct loop *l)
{
	for (int i = 0; i < WATCHES; i++)
		say_watch(l->watches[i]);
	say_watch(l->desire.watch);
}

static int64_t wake_at(const struct loop *l, int64_t now)
{
	int64_t at =
		clock_sooner(publish_deadline(l->publish), notify_deadline(l->notify));

	at = clock_sooner(at, l->give_up_at);
	at = clock_sooner(at, health_deadline(l->health, now));
	at = clock_sooner(at, desire_deadline(&l->desire));
	at = clock_sooner(at, log_deadline(now));
	for (int i = 0; i < WATCHES; i++)
		at = clock_sooner(at, watch_deadline(l->watches[i]));
	if (l->round != NULL)
		return clock_sooner(at, round_deadline(l->round));
	return (l->again || l->reload_trust || desire_is_due(&l->desire)) && !l->finished
		       ? 0
		       : clock_sooner(at, l->next_round_at);
}

static int wait_and_take(struct loop *l, struct err *err)
{
	struct http_wait waits[WATCHES + 3];
	int64_t now = clock_now_ms();
	int timeout_ms = clock_ms_until(wake_at(l, now), now);

	for (int i = 0; i < WATCHES; i++)
		waits[i].fd = watch_fd(l->watches[i]);
	waits[WATCHES].fd = l->signal_fd;
	waits[WATCHES + 1].fd = health_fd(l->health);
	waits[WATCHES + 2].fd = desire_fd(&l->desire);
	if (http_wait(l->sources.http, waits, ARRAY_LEN(waits), timeout_ms, err) < 0)
		return -1;
	now = clock_now_ms();
	if (waits[WATCHES].ready)
		start_take_signals(l);
	for (int i = 0; i < WATCHES; i++)
		if ((waits[i].ready || now >= watch_deadline(l->watches[i])) &&
		    watch_run(l->watches[i], now))
			take_file(l, i);
	if (waits[WATCHES + 2].ready || now >= desire_deadline(&l->desire))
		desire_take(&l->desire, now);
	take_health(l);
	if (l->look)
		look_at_files(l, now);
	say_watches(l);
	return 0;
}

/* Nothing is left to do, or no time to do it in. */
static bool is_over(const struct loop *l, int64_t now)
{
	if (l->stopping)
		return true;
	if (l->mode != LOOP_INIT)
		return false;
	if (l->finished && !notify_first_pending(l->notify, FIRST_NOTIFY_TRIES))
		return true;
	return l->round == NULL && now >= l->give_up_at;
}

static int spin(struct loop *l, struct err *err)
{
	for (;;) {
		int64_t now;

		if (wait_and_take(l, err) < 0)
			return -1;
		if (l->stopping)
			return 0;
		http_run(l->sources.http);
		now = clock_now_ms();
		run_rounds(l, now);
		run_notify(l, now);
		publish_run(l->publish, now);
		log_catch_up();
		if (is_over(l, now))
			return 0;
	}
}

static bool is_outage(const struct err *err)
{
	return err->kind == ERR_UNAVAILABLE || err->kind == ERR_GARBLED;
}

/* What init has come to. */
static int judge(const struct loop *l, struct loop_end *end, struct err *err)
{
	const struct err *untold = notify_first_failure(l->notify, 1);

	if (l->finished && untold == NULL)
		return 0;
	if (l->finished) {
		end->notify_failed = true;
		*err = *untold;
		return -1;
	}
	if (l->synced && is_outage(&l->last) && l->settings->stale == STALE_ACCEPT) {
		log_event(
			LOG_WARN, "stale", LOG_FIELDS(log_str("cause", l->last.msg)),
			"starting with the files of an earlier start: the vault was not "
			"reached in time (AKVSYNC_INIT_STALE=refuse turns this off)");
		termlog_clear(l->settings->termination_log);
		return 0;
	}
	*err = l->last;
	return -1;
}

static int run(struct loop *l, struct loop_end *end, struct err *err)
{
	if (start_open(l, err) < 0 || spin(l, err) < 0) {
		end->interrupted = l->stopping;
		return -1;
	}
	/* Once the set of init is published, a signal only ends the tries to tell of it.
	 */
	end->interrupted = l->stopping && !l->finished;
	if (l->mode == LOOP_INIT && !end->interrupted)
		return judge(l, end, err);
	return 0;
}

int loop_run(enum loop_mode mode, const struct configuration *configuration,
	     struct loop_end *end, struct err *err)
{
	struct loop l = { .mode = mode,
			  .settings = &configuration->settings,
			  .signal_fd = -1 };
	int result;

	*end = (struct loop_end){ 0 };
	desire_init(&l.desire, configuration);
	result = run(&l, end, err);
	if (result < 0 && !end->interrupted)
		termlog_write(configuration->settings.termination_log, err);
	start_close(&l);
	return result;
}
