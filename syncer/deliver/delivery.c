#include "deliver/delivery.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

#define RETRY_BASE_MS 1000
#define RETRY_CAP_MS 60000

void delivery_done(struct delivery *d)
{
	free(d->delivered);
	act_free(d->act);
	free(d->trying);
	paths_done(&d->missed);
	process_set_clear(&d->told);
	*d = DELIVERY_NONE;
}

static void delivery_set_text(char **field, const char *value)
{
	char *copy = xstrdup(value); /* it may be the field's own */

	free(*field);
	*field = copy;
}

void delivery_set(struct delivery *d, const char *generation)
{
	delivery_set_text(&d->delivered, generation);
}

void delivery_add_missed(struct delivery *d, const struct paths *changed)
{
	d->missed_unknown |= changed == NULL;
	if (changed != NULL)
		paths_add_all(&d->missed, changed);
}

void delivery_make_due(struct delivery *d, const struct paths *changed, int64_t at)
{
	delivery_add_missed(d, changed);
	d->due = at;
	d->attempts = 0;
	d->backoff = BACKOFF_INIT(RETRY_BASE_MS, RETRY_CAP_MS);
	d->err = (struct err){ 0 };
	process_set_clear(&d->told);
}

void delivery_begin(struct delivery *d, const struct target *t,
		    const struct act_host *host, const char *generation, int64_t now)
{
	d->due = CLOCK_NEVER;
	d->try_number = ++d->attempts;
	delivery_set_text(&d->trying, generation);
	d->act = act_start(
		&(struct act_work){ .target = t,
				    .host = host,
				    .generation = generation,
				    .changed = d->missed_unknown ? NULL : &d->missed,
				    .told = &d->told,
				    .now = now });
	if (!d->act->over && d->err.kind == ERR_NONE)
		err_set(&d->err, ERR_UNAVAILABLE, "notify '%s': there is no answer yet",
			t->text);
}

/* is_newer: it is due already, for a set that was published since. */
static void put_off(struct delivery *d, bool is_newer, struct jitter *jitter, int64_t now,
		    struct notify_outcome *out)
{
	d->err = out->err;
	out->waits = out->err.retry_after_ms > 0;
	if (out->waits && d->attempts > 0)
		d->attempts--; /* nothing has failed */
	out->retry_in_ms =
		out->waits ? out->err.retry_after_ms : backoff_next(&d->backoff, jitter);
	if (is_newer)
		out->retry_in_ms = clock_later(d->due - now, 0);
	else
		d->due = now + out->retry_in_ms;
}

static void note_delivered(struct delivery *d, bool is_newer, const char *newest)
{
	delivery_set(d, is_newer ? d->trying : newest);
	process_set_clear(&d->told);
	if (is_newer)
		return;
	d->err = (struct err){ 0 };
	d->missed_unknown = false;
	paths_done(&d->missed);
}

void delivery_take_back(struct delivery *d, const char *delivered, struct jitter *jitter,
			int64_t now, struct notify_outcome *out)
{
	bool is_newer = d->due != CLOCK_NEVER;

	delivery_set(d, delivered ? delivered : "");
	d->missed_unknown = true;
	out->ok = false;
	out->exit_code = 0;
	put_off(d, is_newer, jitter, now, out);
}

struct act *delivery_end(struct delivery *d, const struct target *t, const char *newest,
			 struct jitter *jitter, int64_t now, struct notify_outcome *out)
{
	bool is_newer = d->due != CLOCK_NEVER;
	struct act *a = d->act;

	d->act = NULL;
	*out = (struct notify_outcome){ .target = t->text,
					.generation = d->trying,
					.attempt = d->try_number,
					.ok = a->err.kind == ERR_NONE,
					.err = a->err,
					.processes = a->processes,
					.status = a->status,
					.exit_code = a->exit_code,
					.output = act_output(a) };
	if (a->warning.kind != ERR_NONE && !d->warned) {
		d->warned = true;
		out->warning = a->warning;
		(void)err_wrap(&out->warning, "notify '%s'", t->text);
	}
	if (out->ok) {
		note_delivered(d, is_newer, newest);
	} else {
		(void)err_wrap(&out->err, "notify '%s'", t->text);
		put_off(d, is_newer, jitter, now, out);
	}
	return a;
}
