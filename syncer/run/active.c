#include "run/active.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "report/log.h"

#define PAUSE_MIN_MS 1000

/* ---- one list ---- */

static void active_list_set(struct active_list *list, const struct objects *objects)
{
	struct buf text = BUF_INIT(OBJECTS_TEXT_MAX);

	objects_write(objects, &text);
	list->objects = objects;
	list->number = objects_number(objects);
	list->text = xstrdup(buf_str(&text));
	buf_done(&text);
}

static void active_list_done(struct active_list *list)
{
	if (list->configuration != NULL)
		configuration_done(list->configuration);
	free(list->configuration);
	objects_done(&list->remembered);
	free(list->text);
	absences_done(&list->absences);
	*list = (struct active_list){ 0 };
}

/* ---- both ---- */

void active_init(struct active *a, const struct configuration *configuration)
{
	*a = (struct active){ .started = configuration };
	active_list_set(&a->list, &configuration->objects);
}

void active_done(struct active *a)
{
	active_list_done(&a->list);
	active_list_done(&a->next);
	incidents_done(&a->incidents);
	templates_done(&a->refused);
}

static void active_try_next(struct active *a)
{
	a->state = ACTIVE_TRYING_NEXT;
	a->next_failed = (struct failures){ 0 };
	a->pause = BACKOFF_INIT(PAUSE_MIN_MS, active_settings(a)->poll_interval_ms);
}

bool active_remember(struct active *a, struct sources *sources,
		     const struct publish *publish)
{
	struct active_list old = { 0 };
	const char *text = publish_list(publish);
	struct err err;

	if (text == NULL || publish_fits(publish, a->list.number))
		return false;
	if (objects_read_back(&old.remembered, text, a->started->settings.file_mode,
			      &err) < 0 ||
	    sources_add(sources, &old.remembered, &err) < 0 ||
	    !publish_fits(publish, objects_number(&old.remembered))) {
		log_event(
			LOG_DEBUG, "list-unknown", NULL,
			"the list of objects that the files on the volume were made for "
			"is not known; the configured one is used");
		active_list_done(&old);
		return false;
	}
	a->next = a->list;
	a->list = old;
	active_list_set(&a->list, &a->list.remembered);
	active_try_next(a);
	return true;
}

const struct configuration *active_configuration(const struct active *a)
{
	if (a->next.configuration != NULL)
		return a->next.configuration;
	return a->list.configuration ? a->list.configuration : a->started;
}

const struct configuration *active_mirrored(const struct active *a)
{
	return a->list.configuration ? a->list.configuration : a->started;
}

const struct templates *active_watched(const struct active *a)
{
	return a->refused.count > 0 ? &a->refused
				    : &active_configuration(a)->objects.templates;
}

const struct settings *active_settings(const struct active *a)
{
	return &active_configuration(a)->settings;
}

bool active_is_complete(const struct active *a, const struct publish *publish)
{
	return publish_fits(publish, a->list.number) && publish_is_whole(publish) &&
	       !a->env_behind;
}

void active_log_notes(const struct active *a)
{
	const struct configuration *c = active_configuration(a);

	if (c->secrets_off)
		log_event(LOG_WARN, "secrets-off", NULL,
			  "%s: Kubernetes Secrets are listed, but none is written; set "
			  "AKVSYNC_KUBERNETES_SECRETS=true in the pod's environment, and "
			  "give the pod the Role that 'akvsync check' prints",
			  configuration_place(c));
	if (c->ignored.len > 0)
		log_event(LOG_WARN, "ignored",
			  LOG_FIELDS(log_str("names", buf_str(&c->ignored))),
			  "%s: what has no meaning here is ignored: %s",
			  configuration_place(c), buf_str(&c->ignored));
	if (c->repeated.len > 0)
		log_event(LOG_WARN, "repeated",
			  LOG_FIELDS(log_str("names", buf_str(&c->repeated))),
			  "%s: what is listed again is taken once: %s",
			  configuration_place(c), buf_str(&c->repeated));
	if (c->overridden.len > 0)
		log_event(LOG_WARN, "overridden",
			  LOG_FIELDS(log_str("names", buf_str(&c->overridden))),
			  "set by the configuration file, but overridden by the "
			  "environment: %s; remove one of the two",
			  buf_str(&c->overridden));
}

struct act_host active_host(const struct settings *settings,
			    const struct sources *sources, const struct publish *publish)
{
	return (struct act_host){ .http = sources->http,
				  .publish = publish,
				  .dir = settings->dir,
				  .dir_fd = publish_dir_fd(publish),
				  .restart_min_ms = settings->restart_min_ms };
}

/* ---- a changed file ---- */

static int active_check(const struct active *a, const struct configuration *c,
			struct sources *sources, const struct publish *publish,
			struct notify **notify, struct err *err)
{
	const char *fixed = settings_needs_restart(&a->started->settings, &c->settings);
	struct act_host host;

	if (fixed != NULL)
		return err_set(err, ERR_CONFIG, "%s has changed, which needs a restart",
			       fixed);
	if (sources_add(sources, &c->objects, err) < 0 ||
	    confine_check(a->confine, c, sources, err) < 0)
		return -1;
	host = active_host(&c->settings, sources, publish);
	return notify_new(notify, c->settings.notify, &host, c->settings.notify_splay_ms,
			  sources->jitter, err);
}

static void active_log_applied(void)
{
	log_event(LOG_INFO, "configuration-applied", NULL,
		  "the new configuration is active");
}

/* The list that was read is the active one from now on. */
static void active_replace(struct active *a, struct configuration *c)
{
	struct active_list list = { .configuration = c };

	if (objects_number(&c->objects) == a->list.number) {
		list.absences = a->list.absences;
		a->list.absences = (struct absences){ 0 };
	}
	active_list_done(&a->list);
	a->list = list;
	active_list_set(&a->list, &c->objects);
	a->state = ACTIVE_STEADY;
	active_log_applied();
}

/* A list whose set is not on the volume keeps no file up to date: another list takes its
 * place at once. */
static void active_take(struct active *a, struct configuration *c,
			const struct publish *publish)
{
	active_list_done(&a->next);
	if (objects_number(&c->objects) == a->list.number ||
	    !publish_fits(publish, a->list.number)) {
		active_replace(a, c);
		return;
	}
	a->next.configuration = c;
	active_list_set(&a->next, &c->objects);
	active_try_next(a);
}

bool active_reload(struct active *a, struct sources *sources,
		   const struct publish *publish, struct notify **notify)
{
	struct configuration *c;
	struct err err;
	int loaded;

	if (!a->file_changed)
		return false;
	a->file_changed = false;
	templates_done(&a->refused);
	c = xcalloc(1, sizeof(*c));
	loaded = configuration_load(c, a->started->env, true, &err);
	if (loaded < 0 || active_check(a, c, sources, publish, notify, &err) < 0) {
		(void)incidents_note(&a->incidents, LOG_ERROR, INCIDENT_CONFIGURATION,
				     NULL, &err,
				     loaded < 0 ? "the running configuration stays, but "
						  "a restart with this file would fail"
						: "the running configuration stays",
				     clock_now_ms());
		log_event(LOG_ERROR, "configuration-refused", NULL,
			  "%s; the running configuration stays%s", err.msg,
			  loaded < 0 ? ", but a restart with this file would fail" : "");
		a->refused = c->objects.templates;
		c->objects.templates = (struct templates){ 0 };
		configuration_done(c);
		free(c);
		return false;
	}
	incidents_close(&a->incidents, INCIDENT_CONFIGURATION, NULL, true,
			clock_now_ms());
	log_event(LOG_INFO, "configuration-read",
		  LOG_FIELDS(log_int("objects", (int64_t)c->objects.count)),
		  "read '%s': %zu object%s", configuration_place(c), c->objects.count,
		  c->objects.count == 1 ? "" : "s");
	active_take(a, c, publish);
	active_log_notes(a);
	return true;
}

void active_withdraw_targets(struct active *a, const struct notify *notify, int64_t now)
{
	struct incidents *all = &a->incidents;

	for (size_t i = all->count; i > 0; i--) {
		const struct incident *it = all->items[i - 1];

		if (it->kind == INCIDENT_NOTIFY && !notify_has(notify, it->name))
			incidents_close(all, INCIDENT_NOTIFY, it->name, false, now);
	}
}

/* ---- rounds ---- */

struct round_work active_work(struct active *a, struct sources *sources,
			      struct publish *publish, const struct notify *notify)
{
	struct active_list *list = a->state == ACTIVE_TRYING_NEXT ? &a->next : &a->list;

	/* Incidents begin once for the rounds of both lists, so a failure of one list
	 * does not end in the round of the other. */
	if (a->state != ACTIVE_SERVING)
		incidents_begin(&a->incidents);
	return (struct round_work){
		.sources = sources,
		.objects = list->objects,
		.number = list->number,
		.text = list->text,
		.publish = publish,
		.notify = notify,
		.incidents = &a->incidents,
		.absences = &list->absences,
		.poll_interval_ms = active_settings(a)->poll_interval_ms,
		.is_next = a->state == ACTIVE_TRYING_NEXT,
	};
}

static void active_adopt(struct active *a)
{
	active_list_done(&a->list);
	a->list = a->next;
	a->next = (struct active_list){ 0 };
	a->state = ACTIVE_STEADY;
	active_log_applied();
}

/* Each try of the next list asks the vaults for both lists, though the active one needs
 * nothing.  So the pauses grow, since a vault that does not exist looks like one that is
 * down. */
static void active_add_next(struct active *a, struct failures *f, struct jitter *jitter)
{
	const struct failures *next = &a->next_failed;
	int delay_ms = next->vault_retry_after_ms;

	if (!next->try_soon)
		return;
	if (!f->try_soon) {
		int pause_ms = (int)backoff_next(&a->pause, jitter);

		delay_ms = delay_ms < pause_ms ? pause_ms : delay_ms;
	}
	f->try_soon = true;
	if (f->vault_retry_after_ms < delay_ms)
		f->vault_retry_after_ms = delay_ms;
	if (f->retry_after_ms < next->retry_after_ms)
		f->retry_after_ms = next->retry_after_ms;
}

bool active_judge(struct active *a, struct round_result *result, struct jitter *jitter,
		  int64_t now)
{
	if (a->state != ACTIVE_TRYING_NEXT || round_succeeded(result->outcome))
		a->env_behind = result->env_behind;
	switch (a->state) {
	case ACTIVE_STEADY:
		break;
	case ACTIVE_TRYING_NEXT:
		if (!round_succeeded(result->outcome)) {
			a->next_failed = result->failures;
			a->state = ACTIVE_SERVING;
			return true;
		}
		active_adopt(a);
		break;
	case ACTIVE_SERVING:
		active_add_next(a, &result->failures, jitter);
		a->state = ACTIVE_TRYING_NEXT;
		break;
	}
	incidents_end(&a->incidents, now);
	return false;
}
