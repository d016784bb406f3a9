#include "sync/account.h"

#include "base/clock.h"

/* 9999-12-31T23:59:59Z, the last time that has a text; a vault may say any number. */
#define LAST_UNIX_S INT64_C(253402300799)

/* The files of the set that the task makes: how many there are, and the newest. */
static void account_files(const struct task *t, const struct publish *publish,
			  struct state_sighting *seen)
{
	const char *path;
	mode_t mode;

	for (size_t i = 0; (path = task_path(t, i, &mode)) != NULL; i++) {
		const struct manifest_entry *entry = publish_at(publish, path, NULL);

		if (entry == NULL)
			continue;
		if (seen->files++ == 0)
			seen->version = entry->version;
		seen->changed_unix_ms =
			clock_later(seen->changed_unix_ms, entry->mtime_ns / 1000000);
	}
}

static bool account_is_confirmed(const struct task *t)
{
	return t->err.kind == ERR_NONE &&
	       (t->value.item.state == FETCH_GOT || task_needs_no_answer(t));
}

static struct state_vault *account_vault(struct state *state, const struct source *source)
{
	const struct cloud_vault *vault = &source->vault;

	return state_vault(state, vault->host, vault->name, vault->url);
}

static void account_vaults(struct state *state, const struct plan *plan)
{
	for (struct state_vault *v = state->vaults; v; v = v->next)
		v->used = false;
	for (const struct task *t = plan->tasks; t; t = t->next)
		account_vault(state, t->source)->used = true;
	for (const struct listing *l = plan->listings; l; l = l->next)
		account_vault(state, l->source)->used = true;
}

void account_objects(struct state *state, const struct plan *plan,
		     const struct publish *publish, enum round_outcome outcome,
		     int64_t now)
{
	int64_t wall_ms = clock_wall_ms();

	account_vaults(state, plan);
	state_objects_begin(state);
	for (const struct task *t = plan->tasks; t; t = t->next) {
		const struct vault_object *got = &t->value.got;
		struct state_sighting seen = {
			.path = t->path,
			.name = t->name,
			.version = "",
			.kind = t->object->kind,
			.vault = account_vault(state, t->source),
			.confirmed = round_succeeded(outcome) && account_is_confirmed(t),
			.rotated = t->rotates && round_succeeded(outcome),
		};

		/* An optional object that does not exist is no object of the set. */
		if (t->verdict->fate == FATE_ABSENT || t->verdict->fate == FATE_GO)
			continue;
		account_files(t, publish, &seen);
		if (t->value.item.state == FETCH_GOT) {
			seen.expires_unix_s =
				got->expires > 0 ? clock_sooner(got->expires, LAST_UNIX_S)
						 : 0;
			seen.created_unix_s = got->created > 0 ? got->created : 0;
		}
		state_object_seen(state, &seen, now, wall_ms);
	}
	state_objects_end(state);
}

void account_sync(struct state *state, const struct round_result *result, int64_t now)
{
	static const enum state_sync outcomes[] = {
		[ROUND_UNCHANGED] = SYNC_UNCHANGED, [ROUND_FIRST] = SYNC_PUBLISHED,
		[ROUND_REPLACED] = SYNC_PUBLISHED,  [ROUND_HELD] = SYNC_HELD,
		[ROUND_VETOED] = SYNC_VETOED,       [ROUND_REFUSED] = SYNC_REFUSED,
	};
	enum state_sync what = outcomes[result->outcome];
	bool failed = result->failures.worst.kind != ERR_NONE;

	if (what == SYNC_PUBLISHED)
		state_published(state);
	if (failed && round_succeeded(result->outcome))
		what = SYNC_PARTIAL;
	state_synced(state, what, !failed, result->took_ms, now);
}
