#include "run/start.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "deliver/directory.h"
#include "net/noproxy.h"
#include "report/log.h"
#include "report/termlog.h"
#include "run/answers.h"
#include "run/picture.h"
#include "run/signals.h"
#include "run/watches.h"
#include "sync/compose.h"
#include "sync/session.h"

/* An earlier process that is being killed releases the volume within moments, and a lack
 * of memory or descriptors may pass. */
#define VOLUME_WAIT_MS 5000
#define VOLUME_RETRY_MS 100

/* A pod keeps its rhythm, and two pods have different ones. */
static void start_seed(struct loop *l)
{
	const char *uid = l->settings->pod_uid;
	int64_t own[] = { clock_wall_ms(), getpid() };

	if (uid != NULL)
		jitter_seed(&l->jitter, uid, strlen(uid));
	else
		jitter_seed(&l->jitter, own, sizeof(own));
}

/* ---- opening ---- */

/* The path of a credential stands in no message. */
static void start_watch(struct loop *l, enum loop_watch which, const char *path)
{
	static const char *const names[WATCHES] = {
		[WATCH_CREDENTIAL] = "the credential's file",
		[WATCH_PASSWORD] = "the credential's password",
	};

	if (path != NULL)
		l->watches[which] = watch_new(path, names[which], clock_now_ms());
}

static void start_observe(void *arg, const struct http_seen *seen)
{
	struct loop *l = arg;
	const struct source *s = l->sources.first;
	struct state_vault *v = NULL;

	while (s != NULL && strcmp(s->vault.host, seen->host) != 0)
		s = s->next;
	if (s != NULL)
		v = state_vault(&l->state, s->vault.host, s->vault.name, s->vault.url);
	state_requested(&l->state, v, seen);
}

/* Everything that can be wrong with the configuration, before anything is touched.  Each
 * file is watched before it is read. */
static int start_configure(struct loop *l, struct err *err)
{
	const struct settings *s = l->settings;
	const struct identity *identity = &l->sources.identity;
	struct notify *parsed = NULL;

	if (notify_new(&parsed, s->notify, NULL, s->notify_splay_ms, &l->jitter, err) < 0)
		return -1;
	notify_free(parsed);
	start_watch(l, WATCH_CA, s->ca_file);
	start_watch(l, WATCH_EXTRA_CA, s->extra_ca_file);
	if (session_open(&l->sources, s, l->active.list.objects, &l->jitter, err) < 0)
		return -1;
	http_observe(l->sources.http, start_observe, l);
	/* Read when a token is asked for. */
	start_watch(l, WATCH_CREDENTIAL, identity_file(identity));
	start_watch(l, WATCH_PASSWORD,
		    identity->kind == IDENTITY_CERTIFICATE ? identity->password_file
							   : NULL);
	return 0;
}

static int start_try_volume(struct loop *l, struct err *err)
{
	const struct settings *s = l->settings;
	int64_t now = clock_now_ms();
	struct act_host host;

	if (l->publish == NULL &&
	    publish_open(&l->publish, s->dir, s->retain_ms, now, err) < 0)
		return -1;
	host = active_host(s, &l->sources, l->publish);
	if (l->notify == NULL && notify_new(&l->notify, s->notify, &host,
					    s->notify_splay_ms, &l->jitter, err) < 0)
		return -1;
	return notify_resume(l->notify, publish_generation(l->publish),
			     publish_is_first(l->publish), l->mode == LOOP_INIT, now,
			     err);
}

/* Opens the volume and reads its state; waits a moment while another process holds its
 * lock. */
static int start_open_volume(struct loop *l, struct err *err)
{
	int64_t until = clock_now_ms() + VOLUME_WAIT_MS;
	struct http_wait wait = { .fd = l->signal_fd };

	while (start_try_volume(l, err) < 0) {
		if (err->kind != ERR_UNAVAILABLE)
			return -1;
		if (clock_now_ms() >= until) {
			err->kind = ERR_IO;
			return -1;
		}
		if (http_wait(l->sources.http, &wait, 1, VOLUME_RETRY_MS, err) < 0)
			return -1;
		loop_take_signals(l);
		if (l->stopping)
			return err_set(err, ERR_IO, "stopped while waiting for '%s'",
				       l->settings->dir);
	}
	return 0;
}

/* Syncing goes on without an answer to probes. */
static void start_open_health(struct loop *l)
{
	const char *port = l->settings->listen;
	struct err err;

	l->facts.tell = answers_tell;
	l->facts.write = picture_write;
	l->facts.arg = l;
	if (l->mode != LOOP_SIDECAR)
		return;
	l->health = health_new(&l->facts);
	if (health_open_path(l->health, publish_dir_fd(l->publish), &err) < 0)
		log_event(LOG_WARN, "advice", NULL,
			  "%s: 'akvsync probe' and 'akvsync refresh' get no answer",
			  err.msg);
	if (port != NULL && health_open_port(l->health, port, &err) < 0)
		log_event(LOG_WARN, "advice", NULL,
			  "%s; until a restart probes over HTTP get no answer", err.msg);
}

static void start_log(const struct loop *l)
{
	auto_buf struct buf settings = BUF_INIT(256 * 1024);
	size_t objects = l->active.list.objects->count;
	const char *vault = l->sources.first->vault.url;
	const char *mode = l->mode == LOOP_INIT ? "init" : "sidecar";
	/* Two screens of JSON hide the lines that people read; `check` shows the same. */
	bool is_text = l->settings->log_format == FORMAT_TEXT;
	char entry[NOPROXY_ENTRY_LEN];
	const char *advice;

	buf_text(&settings, "{");
	settings_describe(l->settings, &settings);
	buf_text(&settings, "}");
	log_event(LOG_INFO, "start",
		  LOG_FIELDS(log_str("version", AKVSYNC_VERSION), log_str("mode", mode),
			     log_int("pid", getpid()), log_int("uid", geteuid()),
			     log_int("gid", getegid()), log_str("vault", vault),
			     log_int("objects", (int64_t)objects),
			     log_str("auth", identity_name(l->sources.identity.kind)),
			     log_str("identity", identity_id(&l->sources.identity)),
			     log_raw("settings", is_text ? NULL : buf_str(&settings))),
		  "akvsync " AKVSYNC_VERSION " %s: %zu object%s of %s into %s", mode,
		  objects, objects == 1 ? "" : "s", vault, l->settings->dir);
	active_log_notes(&l->active);
	if (!l->settings->verify_challenge)
		log_event(LOG_WARN, "advice", NULL,
			  "AKVSYNC_VERIFY_CHALLENGE=false: access tokens also go to a "
			  "vault "
			  "whose challenge names another domain; use it for tests only");
	for (size_t i = 0;
	     (advice = noproxy_mistake(l->settings->no_proxy, i, entry)) != NULL; i++)
		log_event(LOG_WARN, "advice", NULL, "NO_PROXY: '%s' names no host: %s",
			  entry, advice);
	loop_advise(l);
	for (size_t i = 0; (advice = publish_advice(l->publish, i)) != NULL; i++)
		if (advice != directory_advice_group || !l->settings->is_of_exec)
			log_event(LOG_WARN, "advice", NULL, "%s", advice);
}

/* A crash may have come between the swap and the env files. */
static void start_write_env_files(struct loop *l)
{
	const struct active_list *list = &l->active.list;
	struct failures failures = { 0 };

	l->active.env_behind = !compose_write_env_files(
		&list->objects->templates, l->publish, list->number, &l->active.incidents,
		&failures, clock_now_ms());
	notify_hold_exit(l->notify, failures.env_unwritten);
}

/* What an earlier container left on the volume.  init has to publish the configured list,
 * whatever was active before. */
static void start_pick_up(struct loop *l)
{
	const char *generation = publish_generation(l->publish);
	bool changed = l->mode == LOOP_SIDECAR &&
		       active_remember(&l->active, &l->sources, l->publish);
	const char *note = ", of another list of objects";

	start_write_env_files(l);
	if (publish_fits(l->publish, l->active.list.number))
		note = ", some of them removed by another program";
	if (active_is_complete(&l->active, l->publish) && mirror_is_complete(l->mirror)) {
		l->phase = LOOP_READY;
		termlog_clear(l->settings->termination_log);
		note = changed ? ", complete for an earlier list of objects; the "
				 "configured one is tried next"
			       : ", complete for this configuration";
	}
	if (generation != NULL)
		log_event(LOG_INFO, "resume",
			  LOG_FIELDS(log_str("generation", generation)),
			  "found %zu file%s on the volume%s", publish_count(l->publish),
			  publish_count(l->publish) == 1 ? "" : "s", note);
}

static void start_open_mirror(struct loop *l, int64_t now)
{
	const struct mirror_host host = { .http = l->sources.http,
					  .jitter = &l->jitter,
					  .incidents = &l->active.incidents,
					  .publish = l->publish };

	l->mirror = mirror_new(&host);
	mirror_use(l->mirror, active_mirrored(&l->active), now);
	mirror_hold(l->mirror, true); /* until a round has looked for newer values */
}

static int start_open(struct loop *l, struct err *err)
{
	int64_t now = clock_now_ms();

	l->signal_fd = signals_open(err);
	if (l->signal_fd < 0)
		return -1;
	start_seed(l);
	if (start_configure(l, err) < 0 || start_open_volume(l, err) < 0)
		return -1;
	schedule_init(&l->schedule, l->settings->poll_interval_ms);
	start_open_mirror(l, now);
	start_log(l);
	start_pick_up(l);
	if (l->mode == LOOP_SIDECAR)
		l->active.file_changed |= watches_follow(&l->watches[WATCH_TEMPLATES],
							 active_watched(&l->active), now);
	start_open_health(l);
	if (confine_enter(&l->confine, l->active.started, &l->sources, l->publish, err) <
	    0)
		return -1;
	log_event(LOG_INFO, "sandbox", NULL, "sandbox: %s", l->confine.sandbox.text);
	l->next_round_at = now;
	l->give_up_at =
		l->mode == LOOP_INIT ? now + l->settings->init_timeout_ms : CLOCK_NEVER;
	return 0;
}

static void start_close(struct loop *l)
{
	health_free(l->health); /* it tells of the round */
	round_free(l->round);
	for (int i = 0; i < WATCHES; i++)
		watch_free(l->watches[i]);
	notify_free(l->notify);
	mirror_free(l->mirror);
	publish_close(l->publish);
	session_close(&l->sources);
	active_done(&l->active);
	confine_done(&l->confine);
	state_done(&l->state);
	if (l->signal_fd >= 0)
		close(l->signal_fd);
}

/* ---- the end ---- */

/* Whether init has done its work, and the failure when it has not.  had_set: an earlier
 * start had left a complete set. */
static int start_judge_init(const struct loop *l, bool had_set, struct start_end *end,
			    struct err *err)
{
	const struct err *unnotified = notify_first_failure(l->notify);
	const char *awaited = mirror_awaited(l->mirror);

	if (l->phase == LOOP_FINISHED && unnotified == NULL)
		return 0;
	if (l->phase == LOOP_FINISHED) {
		end->notify_failed = true;
		*err = *unnotified;
		return -1;
	}
	if (!answers_failure(l, err))
		err_set(err, ERR_UNAVAILABLE,
			"Secret '%.100s': no answer of the API server "
			"yet",
			awaited ? awaited : "");
	end->notify_failed = l->last.vetoed && err->kind == ERR_IO;
	if (!had_set || l->settings->stale != STALE_ACCEPT)
		return -1;
	log_event(
		LOG_WARN, "stale", LOG_FIELDS(log_str("cause", err->msg)),
		"starting with what an earlier start left, since not every object could "
		"be read, or not every Secret written, now (AKVSYNC_INIT_STALE=refuse "
		"turns this off)");
	return 0;
}

/* The kubelet stops a sidecar whose startup probe has failed for too long.  Such a start
 * has failed, and its end says why, like that of init. */
static int start_judge_stopped(const struct loop *l, struct start_end *end,
			       struct err *err)
{
	auto_buf struct buf text = BUF_INIT(sizeof(err->msg));

	if (!answers_failure(l, err)) {
		answers_tell((void *)(uintptr_t)l, &text);
		return err_set(err, ERR_UNAVAILABLE, "stopped before %s: %s",
			       active_is_complete(&l->active, l->publish)
				       ? "all Secrets were written"
				       : "the first set was published",
			       buf_str(&text));
	}
	end->interrupted = false;
	end->notify_failed = l->last.vetoed && err->kind == ERR_IO;
	return -1;
}

static int start_work(struct loop *l, struct start_end *end, struct err *err)
{
	bool opened = start_open(l, err) == 0;
	bool had_set = opened && l->phase == LOOP_READY;
	bool failed = !opened || loop_run(l, err) < 0;
	enum loop_phase enough = l->mode == LOOP_INIT ? LOOP_FINISHED : LOOP_READY;

	/* Once the set of init is published, a signal only ends the tries to notify the
	 * app. */
	end->interrupted = l->stopping && l->exit_code == 0 && l->phase < enough;
	end->code = l->exit_code;
	if (failed)
		return -1;
	if (l->mode == LOOP_INIT)
		return end->interrupted ? 0 : start_judge_init(l, had_set, end, err);
	return end->interrupted ? start_judge_stopped(l, end, err) : 0;
}

int start_run(enum loop_mode mode, const struct configuration *configuration,
	      struct watch *watch, struct start_end *end, struct err *err)
{
	struct loop l = { .mode = mode,
			  .settings = &configuration->settings,
			  .watches[WATCH_CONFIGURATION] = watch,
			  .signal_fd = -1 };
	int result;

	*end = (struct start_end){ 0 };
	active_init(&l.active, configuration);
	l.active.confine = &l.confine;
	state_init(&l.state, clock_now_ms());
	result = start_work(&l, end, err);
	if (result < 0 && (mode == LOOP_SIDECAR || !end->interrupted))
		termlog_write(configuration->settings.termination_log, err);
	start_close(&l);
	return result;
}
