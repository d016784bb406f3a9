#include "run/desire.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "report/log.h"
#include "run/watch.h"

void desire_init(struct desire *d, const struct configuration *configuration)
{
	*d = (struct desire){ .started = configuration };
}

static void wish_done(struct wish *w)
{
	if (w->configuration != NULL)
		configuration_done(w->configuration);
	free(w->configuration);
	absences_done(&w->absences);
	*w = (struct wish){ 0 };
}

void desire_done(struct desire *d)
{
	watch_free(d->watch);
	wish_done(&d->running);
	wish_done(&d->wanted);
	incidents_done(&d->incidents);
}

/* ---- the file ---- */

void desire_watch(struct desire *d, int64_t now)
{
	if (d->started->path != NULL)
		d->watch = watch_new(d->started->path, now);
}

int64_t desire_deadline(const struct desire *d)
{
	return watch_deadline(d->watch);
}

int desire_fd(const struct desire *d)
{
	return watch_fd(d->watch);
}

void desire_take(struct desire *d, int64_t now)
{
	d->changed |= watch_run(d->watch, now);
}

void desire_look(struct desire *d, int64_t now)
{
	d->changed |= watch_look(d->watch, now);
}

bool desire_is_due(const struct desire *d)
{
	return d->changed;
}

/* ---- what holds ---- */

static const struct configuration *running(const struct desire *d)
{
	return d->running.configuration ? d->running.configuration : d->started;
}

const struct configuration *desire_configuration(const struct desire *d)
{
	return d->wanted.configuration ? d->wanted.configuration : running(d);
}

const struct objects *desire_objects(const struct desire *d)
{
	return &running(d)->objects;
}

void desire_say(const struct desire *d)
{
	const struct configuration *c = desire_configuration(d);

	if (c->file.ignored.len > 0)
		log_event(LOG_WARN, "ignored",
			  LOG_FIELDS(log_str("names", buf_str(&c->file.ignored))),
			  "has no meaning here and is ignored: %s",
			  buf_str(&c->file.ignored));
}

/* ---- a changed file ---- */

static int check(const struct desire *d, const struct configuration *c,
		 struct sources *sources, struct jitter *jitter, int dir_fd,
		 struct notify **notify, struct err *err)
{
	const char *fixed = settings_needs_restart(&d->started->settings, &c->settings);

	if (fixed != NULL)
		return err_set(err, ERR_CONFIG, "%s has changed, which needs a restart",
			       fixed);
	if (sources_add(sources, &c->objects, err) < 0)
		return -1;
	return notify_new(notify, c->settings.notify, dir_fd, c->settings.notify_splay_ms,
			  jitter, err);
}

bool desire_reload(struct desire *d, struct sources *sources, struct jitter *jitter,
		   int dir_fd, struct notify **notify)
{
	struct configuration *c;
	struct err err;

	if (!d->changed)
		return false;
	d->changed = false;
	c = xcalloc(1, sizeof(*c));
	if (configuration_load(c, d->started->env, true, &err) < 0 ||
	    check(d, c, sources, jitter, dir_fd, notify, &err) < 0) {
		log_event(LOG_ERROR, "configuration-refused", NULL,
			  "%s; the running configuration stays", err.msg);
		configuration_done(c);
		free(c);
		return false;
	}
	wish_done(&d->wanted);
	d->wanted.configuration = c;
	d->keeps_old = false;
	d->pause_ms = 0;
	log_event(LOG_INFO, "configuration-read",
		  LOG_FIELDS(log_int("objects", (int64_t)c->objects.count)),
		  "read '%s': %zu object%s", c->path, c->objects.count,
		  c->objects.count == 1 ? "" : "s");
	desire_say(d);
	return true;
}

/* ---- rounds ---- */

struct round_work desire_work(struct desire *d, struct sources *sources,
			      struct publish *publish)
{
	struct wish *wish = &d->running;

	/* A failure of either list stays one while both have their rounds. */
	if (!d->keeps_old)
		incidents_begin(&d->incidents);
	d->tries_wanted = d->wanted.configuration != NULL && !d->keeps_old;
	d->keeps_old = false;
	if (d->tries_wanted)
		wish = &d->wanted;
	return (struct round_work){
		.sources = sources,
		.objects = wish->configuration ? &wish->configuration->objects
					       : &d->started->objects,
		.publish = publish,
		.incidents = &d->incidents,
		.absences = &wish->absences,
		.poll_interval_ms = desire_configuration(d)->settings.poll_interval_ms,
	};
}

bool desire_judge(struct desire *d, struct round_result *result, int64_t now)
{
	if (!d->tries_wanted) {
		incidents_end(&d->incidents, now);
		/* Each try asks for both lists, and the old set is well: ever more
		 * seldom, since a vault that does not exist looks like one in need. */
		if (d->held.transient && !result->transient) {
			d->pause_ms = clock_sooner(
				2 * d->pause_ms + 1000,
				desire_configuration(d)->settings.poll_interval_ms);
			if (result->retry_after_ms < d->pause_ms)
				result->retry_after_ms = d->pause_ms;
		}
		result->transient |= d->held.transient;
		if (result->retry_after_ms < d->held.retry_after_ms)
			result->retry_after_ms = d->held.retry_after_ms;
		return false;
	}
	d->tries_wanted = false;
	d->held = (struct round_result){ 0 };
	if (result->held) {
		d->held = *result;
		d->keeps_old = true;
		return true;
	}
	incidents_end(&d->incidents, now);
	wish_done(&d->running);
	d->running = d->wanted;
	d->wanted = (struct wish){ 0 };
	log_event(LOG_INFO, "configuration-applied", NULL,
		  "the new configuration is in force");
	return false;
}
