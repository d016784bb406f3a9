#include "run/source.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

int sources_get(struct sources *all, const char *vault, struct source **out,
		struct err *err)
{
	struct cloud_vault resolved = { 0 };
	struct source **link = &all->first, *s;

	if (cloud_vault_resolve(&resolved, vault, all->cloud, err) < 0)
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
	*link = s;
	*out = s;
	return 0;
}

int sources_add(struct sources *all, const struct objects *objects, struct err *err)
{
	struct source *source;

	for (size_t i = 0; i < objects->count; i++)
		if (sources_get(all, objects->items[i].vault, &source, err) < 0)
			return err_wrap(err, "AKVSYNC_OBJECTS: object %zu", i + 1);
	return 0;
}

int sources_open(struct sources *all, const struct settings *s,
		 const struct objects *objects, struct jitter *jitter, struct err *err)
{
	const struct http_options options = { .ca_file = s->ca_file,
					      .timeout_ms = s->request_timeout_ms };
	struct source *source;

	*all = (struct sources){
		.jitter = jitter,
		.cloud = cloud_at(s->cloud),
		.identity = { .authority = s->authority,
			      .tenant = s->tenant_id,
			      .client = s->client_id,
			      .assertion_file = s->assertion_file },
	};
	if (sources_get(all, s->vault, &source, err) < 0 ||
	    sources_add(all, objects, err) < 0 || http_new(&all->http, &options, err) < 0)
		return -1;
	all->token = token_new(all->http, &all->identity);
	return 0;
}

void sources_done(struct sources *all)
{
	token_free(all->token);
	http_free(all->http);
	all->token = NULL;
	all->http = NULL;
	while (all->first != NULL) {
		struct source *s = all->first;

		all->first = s->next;
		cloud_vault_done(&s->vault);
		free(s->resource);
		free(s);
	}
	all->count = 0;
}
