#include "sync/mirror.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/shape.h"
#include "base/text.h"
#include "cluster/writer.h"
#include "deliver/written.h"
#include "report/log.h"
#include "sync/secret_content.h"

#define RETRY_BASE_MS 1000
#define RETRY_CAP_MS 60000
/* A Secret that somebody deleted or changed comes back after so many polls. */
#define RECHECK_POLLS 3

struct mirror_secret {
	const struct secret_object *object;
	bool complete; /* it was written since the pod has it */
	int64_t due_at;
	int64_t not_before; /* the API server asked for that; 0: it did not */
	struct backoff backoff;
	char source[CLUSTER_NUMBER_LEN]; /* what was written last; "": nothing */
	bool yielded;
	struct err err; /* of the latest try; ERR_NONE: it worked, or there was none */
};

struct mirror {
	struct mirror_host host;
	const struct configuration *configuration;
	struct mirror_secret *items;
	size_t count;
	bool held; /* the set on the volume is not of this configuration */
	char list[CLUSTER_NUMBER_LEN]; /* a number for all that is asked for */
	int64_t since_ms;              /* wall time since when this pod has it */
	unsigned polls;                /* since the last look */

	/* What is under way; writer NULL: nothing. */
	struct mirror_secret *current;
	struct api_server server;
	struct cluster_secret secret;
	struct writer *writer;
};

/* ---- the list ---- */

struct mirror *mirror_new(const struct mirror_host *host)
{
	struct mirror *m = xcalloc(1, sizeof(*m));

	m->host = *host;
	return m;
}

static void mirror_stop(struct mirror *m)
{
	writer_free(m->writer);
	m->writer = NULL;
	m->current = NULL;
	cluster_secret_done(&m->secret);
	api_server_close(&m->server);
}

void mirror_free(struct mirror *m)
{
	if (m == NULL)
		return;
	mirror_stop(m);
	free(m->items);
	free(m);
}

/* The same in any order. */
static uint64_t mirror_number(const struct secret_objects *all)
{
	uint64_t sum = all->count;

	for (size_t i = 0; i < all->count; i++)
		sum += secret_object_number(&all->items[i]);
	return sum;
}

static void mirror_save(const struct mirror *m)
{
	struct buf members = written_begin();
	struct err err;

	for (size_t i = 0; i < m->count; i++)
		if (m->items[i].source[0] != '\0')
			json_add_pair(&members, m->items[i].object->name,
				      m->items[i].source);
	if (written_save(publish_dir_fd(m->host.publish), m->list, m->since_ms, &members,
			 &err) < 0)
		log_event(LOG_DEBUG, "secrets-memory", NULL, "%s", err.msg);
}

/* What fails of a Secret that is not listed any more is no longer asked for. */
static void mirror_withdraw(struct mirror *m, const struct secret_objects *all,
			    int64_t now)
{
	struct incidents *open = m->host.incidents;

	for (size_t i = open->count; i > 0; i--) {
		const struct incident *it = open->items[i - 1];
		bool listed = it->kind != INCIDENT_SECRET;

		for (size_t k = 0; k < all->count && !listed; k++)
			listed = strcmp(all->items[k].name, it->name) == 0;
		if (!listed)
			incidents_close(open, INCIDENT_SECRET, it->name, false, now);
	}
}

void mirror_use(struct mirror *m, const struct configuration *c, int64_t now)
{
	const struct secret_objects *all = &c->secrets;
	struct written before = written_read(publish_dir_fd(m->host.publish));
	struct mirror_secret *items = xcalloc(all->count, sizeof(*items));
	bool same;

	mirror_stop(m);
	mirror_withdraw(m, all, now);
	m->configuration = c;
	snprintf(m->list, sizeof(m->list), "%016" PRIx64, mirror_number(all));
	same = strcmp(before.list, m->list) == 0;
	m->since_ms = same ? before.since_ms : clock_wall_ms();
	for (size_t i = 0; i < all->count; i++) {
		struct mirror_secret *s = &items[i];

		s->object = &all->items[i];
		s->due_at = now;
		s->backoff = BACKOFF_INIT(RETRY_BASE_MS, RETRY_CAP_MS);
		snprintf(s->source, sizeof(s->source), "%s",
			 written_source(&before, s->object->name));
		s->complete = same && s->source[0] != '\0';
	}
	written_done(&before);
	free(m->items);
	m->items = items;
	m->count = all->count;
	if (!same && m->count > 0)
		mirror_save(m);
}

void mirror_round(struct mirror *m, bool changed, int64_t now)
{
	if (changed) /* what is being written is out of date */
		mirror_stop(m);
	else if (++m->polls < RECHECK_POLLS || m->writer != NULL)
		return; /* later, when the request that is under way has ended */
	m->polls = 0;
	for (size_t i = 0; i < m->count; i++)
		m->items[i].due_at = clock_later(now, m->items[i].not_before);
}

void mirror_hold(struct mirror *m, bool held)
{
	if (held)
		mirror_stop(m);
	m->held = held;
}

bool mirror_is_complete(const struct mirror *m)
{
	for (size_t i = 0; i < m->count; i++)
		if (!m->items[i].complete)
			return false;
	return true;
}

const char *mirror_awaited(const struct mirror *m)
{
	for (size_t i = 0; i < m->count; i++)
		if (m->items[i].due_at != CLOCK_NEVER)
			return m->items[i].object->name;
	return NULL;
}

const struct err *mirror_failure(const struct mirror *m)
{
	const struct err *worst = NULL;

	for (size_t i = 0; i < m->count; i++) {
		const struct err *e = &m->items[i].err;

		if (e->kind != ERR_NONE && (worst == NULL || err_outranks(e, worst)))
			worst = e;
	}
	return worst;
}

/* ---- one Secret ---- */

static void mirror_fail(struct mirror *m, struct mirror_secret *s, const struct err *err,
			int64_t now)
{
	int64_t delay = backoff_next(&s->backoff, m->host.jitter);

	s->err = *err;
	err_wrap(&s->err, "Secret '%.100s'", s->object->name);
	s->not_before = now + err->retry_after_ms;
	s->due_at = clock_later(now + delay, s->not_before);
	if (incidents_note(m->host.incidents, LOG_WARN, INCIDENT_SECRET, s->object->name,
			   &s->err, "the files are not affected", now))
		log_event(LOG_WARN, "failure",
			  LOG_FIELDS(log_str("kind", "kubernetes-secret"),
				     log_str("name", s->object->name)),
			  "%s; the files are not affected", s->err.msg);
}

static void mirror_log(const struct mirror_secret *s, enum writer_result result,
		       bool was_yielded)
{
	const char *name = s->object->name;

	if (result == WRITER_CREATED || result == WRITER_CHANGED)
		log_event(LOG_INFO, "secret-written", LOG_FIELDS(log_str("name", name)),
			  "%s Kubernetes Secret '%s'",
			  result == WRITER_CREATED ? "created" : "updated", name);
	else if (result == WRITER_YIELDED && !was_yielded)
		log_event(LOG_INFO, "secret-left", LOG_FIELDS(log_str("name", name)),
			  "left Kubernetes Secret '%s' as a newer pod has written it",
			  name);
}

static void mirror_succeed(struct mirror *m, struct mirror_secret *s,
			   enum writer_result result, int64_t now)
{
	bool was_yielded = s->yielded;
	bool same = strcmp(s->source, m->secret.source) == 0;

	s->err.kind = ERR_NONE;
	s->complete = true;
	s->yielded = result == WRITER_YIELDED;
	s->due_at = CLOCK_NEVER;
	s->not_before = 0;
	backoff_reset(&s->backoff);
	snprintf(s->source, sizeof(s->source), "%s", m->secret.source);
	if (!same)
		mirror_save(m);
	incidents_close(m->host.incidents, INCIDENT_SECRET, s->object->name, true, now);
	mirror_log(s, result, was_yielded);
}

/* Who would own it.  HOSTNAME may stand in for POD_UID elsewhere, but owns nothing. */
static int mirror_set_owner(struct cluster_secret *secret, const struct settings *s,
			    struct err *err)
{
	bool has_uid = shape_is_guid(s->pod_uid ? s->pod_uid : "");

	if (has_uid && s->pod_name != NULL) {
		secret->pod_name = s->pod_name;
		secret->pod_uid = s->pod_uid;
		return 0;
	}
	if (secret->object->owner != SECRET_OWNER_POD)
		return 0;
	return err_set(err, ERR_CONFIG,
		       "to own it the pod needs the variable %s from %s, as the "
		       "component kubernetes-secrets sets it; or set owner: none",
		       has_uid ? "POD_NAME" : "POD_UID",
		       has_uid ? "metadata.name" : "metadata.uid");
}

/* Starts, unless what it takes is not there. */
static int mirror_begin(struct mirror *m, struct mirror_secret *s, struct err *err)
{
	const struct configuration *c = m->configuration;
	const struct settings *settings = &c->settings;

	if (secret_content_make(&m->secret, s->object, &c->objects, m->host.publish,
				err) < 0)
		return -1;
	snprintf(m->secret.written, sizeof(m->secret.written), "%s", s->source);
	m->secret.since_ms = m->since_ms;
	if (mirror_set_owner(&m->secret, settings, err) < 0 ||
	    api_server_open(&m->server, settings, err) < 0) {
		cluster_secret_done(&m->secret);
		return -1;
	}
	m->current = s;
	m->writer = writer_new(m->host.http, &m->server, settings, &m->secret);
	return 0;
}

static bool mirror_take_result(struct mirror *m, int64_t now)
{
	enum writer_result result;
	struct err err;

	if (m->writer == NULL || writer_state(m->writer, &result, &err) != WRITER_OVER)
		return false;
	if (result == WRITER_FAILED)
		mirror_fail(m, m->current, &err, now);
	else
		mirror_succeed(m, m->current, result, now);
	mirror_stop(m);
	return true;
}

/* ---- all of them ---- */

static struct mirror_secret *mirror_next(const struct mirror *m, int64_t *due_at)
{
	struct mirror_secret *next = NULL;

	*due_at = CLOCK_NEVER;
	/* Without a set there is nothing to write. */
	if (m->held || publish_generation(m->host.publish) == NULL)
		return NULL;
	for (size_t i = 0; i < m->count; i++) {
		struct mirror_secret *s = &m->items[i];

		if (s->due_at >= *due_at)
			continue;
		next = s;
		*due_at = s->due_at;
	}
	return next;
}

int64_t mirror_deadline(const struct mirror *m)
{
	enum writer_result result;
	struct err err;
	int64_t at;

	if (m->writer != NULL)
		return writer_state(m->writer, &result, &err) == WRITER_OVER
			       ? 0
			       : CLOCK_NEVER;
	mirror_next(m, &at);
	return at;
}

bool mirror_run(struct mirror *m, int64_t now)
{
	bool ended = mirror_take_result(m, now);

	struct mirror_secret *s;
	struct err err;
	int64_t due_at;

	if (m->writer != NULL)
		return ended;
	/* One in each call: to make what is in it may take long. */
	s = mirror_next(m, &due_at);
	if (s == NULL || due_at > now || mirror_begin(m, s, &err) == 0)
		return ended;
	mirror_fail(m, s, &err, now);
	return true;
}
