#include "report/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "azure/token.h"
#include "base/mem.h"
#include "base/sorted.h"

const char *const state_request_words[STATE_REQUESTS] = {
	[REQUEST_SECRET] = "secret",           [REQUEST_KEY] = "key",
	[REQUEST_CERTIFICATE] = "certificate", [REQUEST_LIST] = "list",
	[REQUEST_CHALLENGE] = "challenge",
};
const char *const state_freshness_words[] = {
	[OBJECT_UP_TO_DATE] = "up-to-date",
	[OBJECT_STALE] = "stale",
	[OBJECT_MISSING] = "missing",
};
const char *const state_sync_words[STATE_SYNCS] = {
	[SYNC_UNCHANGED] = "unchanged", [SYNC_PUBLISHED] = "published",
	[SYNC_PARTIAL] = "partial",     [SYNC_HELD] = "held",
	[SYNC_VETOED] = "vetoed",       [SYNC_REFUSED] = "refused",
};

const struct histogram_bounds state_sync_bounds = {
	{ 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000 }, 10
};
const struct histogram_bounds state_request_bounds = {
	{ 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000 }, 10
};
const struct histogram_bounds state_rotation_bounds = {
	{ 1000, 5000, 15000, 30000, 60000, 120000, 300000, 900000, 3600000, 21600000 }, 10
};

void state_init(struct state *s, int64_t now)
{
	*s = (struct state){ .started_at = now,
			     .last_sync_at = STATE_NEVER,
			     .last_success = STATE_NEVER };
}

static void state_object_done(struct state_object *o)
{
	free(o->path);
	free(o->name);
	free(o->version);
}

void state_done(struct state *s)
{
	for (size_t i = 0; i < s->object_count; i++)
		state_object_done(&s->objects[i]);
	free(s->objects);
	while (s->vaults != NULL) {
		struct state_vault *v = s->vaults;

		s->vaults = v->next;
		free(v->name);
		free(v->url);
		free(v->host);
		free(v);
	}
	for (size_t i = 0; i < s->token_count; i++)
		free(s->tokens[i].resource);
	free(s->tokens);
	for (size_t i = 0; i < s->target_count; i++)
		free(s->targets[i].text);
	free(s->targets);
	*s = (struct state){ 0 };
}

/* ---- requests ---- */

struct state_vault *state_vault(struct state *s, const char *host, const char *name,
				const char *url)
{
	struct state_vault **at = &s->vaults;

	for (; *at != NULL; at = &(*at)->next)
		if (strcmp((*at)->host, host) == 0)
			return *at;
	*at = xcalloc(1, sizeof(**at));
	(*at)->name = xstrdup(name);
	(*at)->url = xstrdup(url);
	(*at)->host = xstrdup(host);
	(*at)->used = true;
	return *at;
}

void state_code_word(char out[static STATE_CODE_LEN], const struct state_code *code)
{
	static const char *const failures[] = {
		[HTTP_OK] = "none",       [HTTP_DNS] = "dns",
		[HTTP_PROXY] = "proxy",   [HTTP_CONNECT] = "connect",
		[HTTP_TLS] = "tls",       [HTTP_TIMEOUT] = "timeout",
		[HTTP_BROKEN] = "broken", [HTTP_TOO_BIG] = "too-big",
	};

	if (code->status != 0)
		snprintf(out, STATE_CODE_LEN, "%d", code->status);
	else
		snprintf(out, STATE_CODE_LEN, "%s", failures[code->failure]);
}

static void state_count(struct state_codes *codes, const struct http_seen *seen)
{
	for (size_t i = 0; i < STATE_CODES; i++) {
		struct state_code *c = &codes->items[i];

		if (c->count == 0)
			*c = (struct state_code){ seen->status, seen->failure, 0 };
		if (c->status == seen->status && c->failure == seen->failure) {
			c->count++;
			return;
		}
	}
	codes->others++;
}

void state_requested(struct state *s, struct state_vault *v, const struct http_seen *seen)
{
	if (strcmp(seen->purpose, TOKEN_PURPOSE) == 0) {
		state_count(&s->token_codes, seen);
		histogram_add(&s->token_durations, &state_request_bounds, seen->took_ms);
		return;
	}
	for (int i = 0; v != NULL && i < STATE_REQUESTS; i++) {
		if (strcmp(seen->purpose, state_request_words[i]) != 0)
			continue;
		state_count(&v->codes[i], seen);
		histogram_add(&v->durations, &state_request_bounds, seen->took_ms);
		v->requests++;
		v->throttled += seen->status == 429;
	}
}

void state_token(struct state *s, const char *resource, int64_t expires_at)
{
	if (expires_at == STATE_NEVER)
		return;
	for (size_t i = 0; i < s->token_count; i++)
		if (strcmp(s->tokens[i].resource, resource) == 0) {
			s->tokens[i].expires_at = expires_at;
			return;
		}
	s->tokens = xgrow(s->tokens, s->token_count, sizeof(*s->tokens));
	s->tokens[s->token_count++] =
		(struct state_token){ xstrdup(resource), expires_at };
}

void state_forget_token(struct state *s, size_t index)
{
	free(s->tokens[index].resource);
	s->token_count--;
	memmove(&s->tokens[index], &s->tokens[index + 1],
		(s->token_count - index) * sizeof(*s->tokens));
}

/* ---- objects ---- */

void state_objects_begin(struct state *s)
{
	for (size_t i = 0; i < s->object_count; i++)
		s->objects[i].seen = false;
}

static int state_compare_object(const void *key, const void *item)
{
	return strcmp(key, ((const struct state_object *)item)->path);
}

static struct state_object *state_object_at(struct state *s, const char *path)
{
	bool found;
	size_t at = sorted_place(s->objects, s->object_count, sizeof(*s->objects), path,
				 state_compare_object, &found);

	if (found)
		return &s->objects[at];
	s->objects = sorted_open(s->objects, s->object_count++, sizeof(*s->objects), at);
	s->objects[at] = (struct state_object){ .path = xstrdup(path),
						.confirmed_at = STATE_NEVER };
	return &s->objects[at];
}

static void state_replace(char **at, const char *text)
{
	if (*at != NULL && strcmp(*at, text) == 0)
		return;
	free(*at);
	*at = xstrdup(text);
}

void state_object_seen(struct state *s, const struct state_sighting *seen, int64_t now,
		       int64_t wall_ms)
{
	struct state_object *o = state_object_at(s, seen->path);

	state_replace(&o->name, seen->name);
	state_replace(&o->version, seen->version);
	o->kind = seen->kind;
	o->vault = seen->vault;
	o->files = seen->files;
	o->changed_unix_ms = seen->changed_unix_ms;
	o->seen = true;
	o->freshness = seen->files == 0  ? OBJECT_MISSING
		       : seen->confirmed ? OBJECT_UP_TO_DATE
					 : OBJECT_STALE;
	if (seen->confirmed) {
		o->confirmed_at = now;
		o->expires_unix_s = seen->expires_unix_s;
	}
	if (!seen->rotated)
		return;
	s->rotations++;
	if (seen->created_unix_s > 0)
		histogram_add(&s->rotation_delays, &state_rotation_bounds,
			      wall_ms - seen->created_unix_s * 1000);
}

void state_objects_end(struct state *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->object_count; i++) {
		if (s->objects[i].seen)
			s->objects[kept++] = s->objects[i];
		else
			state_object_done(&s->objects[i]);
	}
	s->object_count = kept;
}

/* ---- syncs ---- */

void state_synced(struct state *s, enum state_sync what, bool succeeded, int64_t took_ms,
		  int64_t now)
{
	s->syncs[what]++;
	histogram_add(&s->sync_durations, &state_sync_bounds, took_ms);
	s->last_sync = what;
	s->last_sync_at = now;
	s->last_sync_took_ms = took_ms;
	if (succeeded) {
		s->last_success = now;
		s->failures_in_a_row = 0;
	} else {
		s->failures_in_a_row++;
	}
}

void state_published(struct state *s)
{
	s->generations++;
}

int64_t state_staleness_ms(const struct state *s, int64_t now)
{
	return now - (s->last_success == STATE_NEVER ? s->started_at : s->last_success);
}

/* ---- notifying ---- */

void state_notified(struct state *s, const char *target, bool ok, int64_t now)
{
	struct state_target *t = NULL;

	for (size_t i = 0; i < s->target_count; i++)
		if (strcmp(s->targets[i].text, target) == 0)
			t = &s->targets[i];
	if (t == NULL) {
		s->targets = xgrow(s->targets, s->target_count, sizeof(*s->targets));
		t = &s->targets[s->target_count++];
		*t = (struct state_target){ .text = xstrdup(target),
					    .last_success = STATE_NEVER };
	}
	t->failing = !ok;
	if (!ok) {
		t->failures++;
		return;
	}
	t->successes++;
	t->last_success = now;
}

void state_forget_target(struct state *s, size_t index)
{
	free(s->targets[index].text);
	s->target_count--;
	memmove(&s->targets[index], &s->targets[index + 1],
		(s->target_count - index) * sizeof(*s->targets));
}
