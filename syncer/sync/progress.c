#include "sync/progress.h"

#include <stdio.h>

#include "base/clock.h"
#include "sync/fate.h"

/* Answers that take longer are told of. */
#define PROGRESS_SILENCE_MS 1000
/* Seconds are told in such steps, so that a kubelet does not count each of them as
 * another event. */
#define PROGRESS_STEP_S 5

/* ---- what has failed ---- */

static void progress_fail(struct progress *out, const struct err *err,
			  enum fate_need need)
{
	if (err->kind != ERR_NONE && !fate_is_excused(fate_error(err), need) &&
	    (out->failed.kind == ERR_NONE || err_outranks(err, &out->failed)))
		out->failed = *err;
}

static void progress_add_item(struct progress *out, const struct fetch_item *item,
			      enum fate_need need)
{
	if (item->state != FETCH_NONE && item->state != FETCH_GOT)
		progress_fail(out, &item->err, need);
}

static void progress_add_failures(struct progress *out, const struct plan *plan,
				  int64_t now)
{
	for (size_t i = 0; i < plan->sources->count; i++) {
		struct err err;

		if (fetch_failure(plan->fetches[i], &err, now))
			progress_fail(out, &err, FATE_REQUIRED);
	}
	for (const struct listing *l = plan->listings; l; l = l->next) {
		enum fate_need need = l->object->optional ? FATE_OPTIONAL : FATE_REQUIRED;

		progress_add_item(out, &l->item, need);
		progress_add_item(out, &l->current.item, need);
	}
	for (const struct task *t = plan->tasks; t; t = t->next) {
		progress_add_item(out, &t->value.item, t->need);
		progress_add_item(out, &t->password.item, t->need);
	}
}

/* ---- what is waited for ---- */

static void progress_add_waits(struct progress *out, const struct plan *plan, int64_t now)
{
	struct access_silence longest = { .asked_at = CLOCK_NEVER };
	const struct source *of = NULL;
	int64_t seconds;

	for (const struct source *s = plan->sources->first; s; s = s->next) {
		struct access_silence silence;

		if (!fetch_is_silent(plan->fetches[s->index], &silence, now) ||
		    silence.asked_at >= longest.asked_at)
			continue;
		longest = silence;
		of = s;
	}
	if (of == NULL || now - longest.asked_at < PROGRESS_SILENCE_MS)
		return;
	seconds = (now - longest.since) / 1000;
	if (seconds > PROGRESS_STEP_S)
		seconds -= seconds % PROGRESS_STEP_S;
	out->waits = true;
	snprintf(out->words, sizeof(out->words),
		 "waiting for %s%s%s for %lld s, attempt %d",
		 longest.of_token ? "an access token" : "vault '",
		 longest.of_token ? "" : of->vault.name, longest.of_token ? "" : "'",
		 (long long)seconds, longest.attempt);
}

void progress_look(struct progress *out, const struct plan *plan, int64_t now)
{
	*out = (struct progress){ 0 };
	progress_add_failures(out, plan, now);
	progress_add_waits(out, plan, now);
}
