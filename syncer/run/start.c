#include "run/start.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "report/log.h"
#include "run/signals.h"

/* A predecessor that is being killed lets go of the volume within moments. */
#define LOCK_WAIT_MS 5000
#define LOCK_RETRY_MS 100

/* A pod keeps its rhythm, and two pods have different ones. */
static void seed(struct loop *l)
{
	const char *uid = l->settings->pod_uid;
	int64_t own[] = { clock_wall_ms(), getpid() };

	if (uid != NULL)
		jitter_seed(&l->jitter, uid, strlen(uid));
	else
		jitter_seed(&l->jitter, own, sizeof(own));
}

/* Everything that can be wrong with the configuration, before anything is touched. */
static int configure(struct loop *l, struct err *err)
{
	const struct settings *s = l->settings;
	struct notify *parsed = NULL;

	if (notify_new(&parsed, s->notify, -1, s->notify_splay_ms, &l->jitter, err) < 0)
		return -1;
	notify_free(parsed);
	return session_open(&l->sources, s, desire_objects(&l->desire), &l->jitter, err);
}

void start_take_signals(struct loop *l)
{
	struct signals_taken taken = signals_take(l->signal_fd);

	if (taken.poll)
		log_event(LOG_INFO, "poll-requested", NULL, "polling now: SIGHUP");
	if (taken.stop)
		log_event(LOG_INFO, "stop",
			  LOG_FIELDS(log_int("from_pid", taken.stop_pid)), "stopping: %s",
			  taken.stop_number == SIGTERM ? "SIGTERM" : "SIGINT");
	l->again |= taken.poll;
	l->look |= taken.poll;
	l->stopping |= taken.stop;
}

/* Probes are a convenience: syncing goes on without. */
static void open_health(struct loop *l)
{
	struct err err;

	l->facts.last = &l->last;
	if (l->mode == LOOP_SIDECAR &&
	    health_new(&l->health, publish_dir_fd(l->publish), &l->facts, &err) < 0)
		log_event(LOG_WARN, "advice", NULL,
			  "%s: 'akvsync probe' and 'akvsync refresh' get no answer",
			  err.msg);
}

/* Opens the volume; waits a moment for whoever else writes to it. */
static int open_volume(struct loop *l, struct err *err)
{
	int64_t until = clock_now_ms() + LOCK_WAIT_MS;
	struct http_wait wait = { .fd = l->signal_fd };

	for (;;) {
		int64_t now = clock_now_ms();

		if (publish_open(&l->publish, l->settings->dir, l->settings->retain_ms,
				 now, err) == 0)
			return 0;
		if (err->kind != ERR_UNAVAILABLE || now >= until) {
			err->kind = ERR_IO;
			return -1;
		}
		if (http_wait(l->sources.http, &wait, 1, LOCK_RETRY_MS, err) < 0)
			return -1;
		start_take_signals(l);
		if (l->stopping)
			return err_set(err, ERR_IO, "stopped while waiting for '%s'",
				       l->settings->dir);
	}
}

static void say_start(struct loop *l)
{
	auto_buf struct buf settings = BUF_INIT(256 * 1024);
	const struct objects *objects = desire_objects(&l->desire);
	const char *advice;

	buf_text(&settings, "{");
	settings_describe(l->settings, &settings);
	buf_text(&settings, "}");
	log_event(LOG_INFO, "start",
		  LOG_FIELDS(log_str("version", AKVSYNC_VERSION),
			     log_str("mode", l->mode == LOOP_INIT ? "init" : "sidecar"),
			     log_int("pid", getpid()), log_int("uid", geteuid()),
			     log_int("gid", getegid()),
			     log_str("vault", l->sources.first->vault.url),
			     log_int("objects", (int64_t)objects->count),
			     log_str("auth", identity_name(l->sources.identity.kind)),
			     log_str("identity", identity_id(&l->sources.identity)),
			     log_raw("settings", buf_str(&settings))),
		  "akvsync " AKVSYNC_VERSION " %s: %zu object%s of %s into %s",
		  l->mode == LOOP_INIT ? "init" : "sidecar", objects->count,
		  objects->count == 1 ? "" : "s", l->sources.first->vault.url,
		  l->settings->dir);
	desire_say(&l->desire);
	if (!l->settings->verify_challenge)
		log_event(LOG_WARN, "advice", NULL,
			  "AKVSYNC_VERIFY_CHALLENGE=false: access tokens also go to a "
			  "vault "
			  "whose challenge names another domain; use it for tests only");
	for (size_t i = 0; (advice = publish_advice(l->publish, i)) != NULL; i++)
		log_event(LOG_WARN, "advice", NULL, "%s", advice);
}

/* What an earlier container left on the volume. */
static void pick_up(struct loop *l, int64_t now)
{
	const char *generation = publish_generation(l->publish);

	publish_configure(l->publish, round_configuration(desire_objects(&l->desire)));
	l->synced = publish_fits(l->publish);
	notify_resume(l->notify, generation, l->mode == LOOP_INIT, now);
	if (generation != NULL)
		log_event(LOG_INFO, "resume",
			  LOG_FIELDS(log_str("generation", generation)),
			  "found %zu file%s on the volume%s", publish_count(l->publish),
			  publish_count(l->publish) == 1 ? "" : "s",
			  l->synced ? ", complete for this configuration" : "");
}

static void open_watches(struct loop *l, int64_t now)
{
	const struct identity *identity = &l->sources.identity;
	const char *paths[WATCHES] = {
		[WATCH_CREDENTIAL] = identity_file(identity),
		[WATCH_PASSWORD] = identity->kind == IDENTITY_CERTIFICATE
					   ? identity->password_file
					   : NULL,
		[WATCH_CA] = l->settings->ca_file,
		[WATCH_EXTRA_CA] = l->settings->extra_ca_file,
	};
	for (int i = 0; i < WATCHES; i++)
		if (paths[i] != NULL)
			l->watches[i] = watch_new(paths[i], now);
}

int start_open(struct loop *l, struct err *err)
{
	const struct settings *s = l->settings;
	int64_t now = clock_now_ms();

	l->signal_fd = signals_open(err);
	if (l->signal_fd < 0)
		return -1;
	seed(l);
	if (configure(l, err) < 0 || open_volume(l, err) < 0 ||
	    notify_new(&l->notify, s->notify, publish_dir_fd(l->publish),
		       s->notify_splay_ms, &l->jitter, err) < 0)
		return -1;
	schedule_init(&l->schedule, s->poll_interval_ms);
	say_start(l);
	open_watches(l, now);
	if (l->mode == LOOP_SIDECAR)
		desire_watch(&l->desire, now);
	pick_up(l, now);
	open_health(l);
	l->next_round_at = now;
	l->give_up_at = l->mode == LOOP_INIT ? now + s->init_timeout_ms : CLOCK_NEVER;
	return 0;
}

void start_close(struct loop *l)
{
	round_free(l->round);
	for (int i = 0; i < WATCHES; i++)
		watch_free(l->watches[i]);
	health_free(l->health);
	notify_free(l->notify);
	publish_close(l->publish);
	session_close(&l->sources);
	desire_done(&l->desire);
	if (l->signal_fd >= 0)
		close(l->signal_fd);
}
