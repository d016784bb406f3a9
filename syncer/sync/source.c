#include "sync/source.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/retry.h"
#include "report/log.h"

int sources_get(struct sources *all, const char *vault, struct source **out,
		struct err *err)
{
	struct cloud_vault resolved = { 0 };
	struct source **link = &all->first, *s;

	if (vault == NULL && all->first != NULL) {
		*out = all->first;
		return 0;
	}
	if (cloud_vault_resolve(&resolved, vault, all->cloud, !all->verify, err) < 0)
		return -1;
	for (; *link != NULL; link = &(*link)->next) {
		if (strcmp((*link)->vault.url, resolved.url) != 0)
			continue;
		cloud_vault_done(&resolved);
		*out = *link;
		return 0;
	}
	s = xcalloc(1, sizeof(*s));
	s->shared = all;
	s->index = all->count++;
	s->vault = resolved;
	s->resource = xstrdup(resolved.resource);
	pace_init(&s->pace);
	*link = s;
	*out = s;
	return 0;
}

const char *source_id(const struct source *s, const char *url)
{
	return s->shared->verify ? url : url + strlen(s->vault.url);
}

bool source_is_throttled(const struct http_reply *reply)
{
	return reply->status == 429 ||
	       (reply->retry_after_ms > 0 && status_passes(reply->status));
}

void source_slow_down(struct source *s, const struct err *err, int64_t now)
{
	pace_throttled(&s->pace, err->retry_after_ms, s->shared->jitter, now);
	s->throttled = *err;
	log_event(LOG_DEBUG, "retry", LOG_FIELDS(log_int("in_ms", s->pace.open_at - now)),
		  "%s", err->msg);
}

int sources_add(struct sources *all, const struct objects *objects, struct err *err)
{
	struct source *source;

	for (size_t i = 0; i < objects->count; i++) {
		const struct object *o = &objects->items[i];

		if (sources_get(all, o->vault, &source, err) < 0)
			return err_wrap(err, "AKVSYNC_OBJECTS: object %zu", o->place);
		if (source->vault.hsm && o->kind != OBJECT_KEY)
			return err_set(err, ERR_CONFIG,
				       "AKVSYNC_OBJECTS: object %zu: '%s' is a Managed "
				       "HSM, which holds keys only; write key/NAME",
				       o->place, source->vault.host);
	}
	return 0;
}

void sources_done(struct sources *all)
{
	while (all->first != NULL) {
		struct source *s = all->first;

		all->first = s->next;
		cloud_vault_done(&s->vault);
		free(s->resource);
		free(s);
	}
	all->count = 0;
}
