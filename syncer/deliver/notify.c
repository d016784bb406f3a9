#include "deliver/notify.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "deliver/act_exit.h"
#include "deliver/delivery.h"
#include "deliver/notified.h"

struct notify {
	struct targets targets;
	struct delivery *states; /* one a target */
	struct act_host host;
	int64_t splay_ms;
	struct jitter *jitter;
	char *generation; /* the newest */
	char *left; /* what a target that was removed has missed, for a new one to come */
	bool exit_held;   /* exit= waits */
	bool replaced;    /* it is known to have replaced an earlier one */
	bool app_may_run; /* there was a set before the one that was lost */
	struct act *last; /* the try that notify_run() told of last */
};

int notify_new(struct notify **out, const char *text, const struct act_host *host,
	       int64_t splay_ms, struct jitter *jitter, struct err *err)
{
	struct targets targets;
	struct notify *n;

	if (targets_parse(&targets, text, err) < 0)
		return -1;
	n = xcalloc(1, sizeof(*n));
	n->targets = targets;
	n->states = xcalloc(targets.count, sizeof(*n->states));
	n->host = host ? *host : (struct act_host){ .dir_fd = -1 };
	n->splay_ms = splay_ms;
	n->jitter = jitter;
	for (size_t i = 0; i < targets.count; i++)
		n->states[i] = DELIVERY_NONE;
	*out = n;
	return 0;
}

void notify_free(struct notify *n)
{
	if (n == NULL)
		return;
	for (size_t i = 0; i < n->targets.count; i++)
		delivery_done(&n->states[i]);
	free(n->states);
	act_free(n->last);
	targets_done(&n->targets);
	free(n->generation);
	free(n->left);
	free(n);
}

static void set_text(char **field, const char *value)
{
	char *copy = value ? xstrdup(value) : NULL;

	free(*field);
	*field = copy;
}

/* Its place among the targets; their count: it is not configured. */
static size_t find_target(const struct notify *n, const char *text)
{
	size_t i = 0;

	while (i < n->targets.count && strcmp(n->targets.items[i].text, text) != 0)
		i++;
	return i;
}

bool notify_has(const struct notify *n, const char *text)
{
	return find_target(n, text) < n->targets.count;
}

/* The older of two generations, of which NULL is none.  Their names sort by time, and ""
 * stands for the time before the first set. */
static const char *older(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return a ? a : b;
	return strcmp(a, b) < 0 ? a : b;
}

/* The oldest generation that was delivered last to a target which is behind; NULL: there
 * is no such target. */
static const char *left_behind(struct notify *n, const struct json *delivered)
{
	const char *oldest = NULL;

	for (const struct json *m = json_first(delivered); m; m = json_next(m)) {
		const char *last = json_text(m);

		if (last == NULL || strcmp(last, n->generation) == 0)
			continue;
		oldest = older(oldest, last);
		n->replaced |= last[0] != '\0'; /* by the current one */
	}
	return oldest;
}

static int write_state(const struct notify *n, struct err *err)
{
	struct buf text = notified_begin();

	for (size_t i = 0; i < n->targets.count; i++)
		if (n->states[i].delivered != NULL)
			json_add_pair(&text, n->targets.items[i].text,
				      n->states[i].delivered);
	return notified_write(n->host.dir_fd, &text, err);
}

/* When this is not written, the next start finds the same again, or notifies the app once
 * more: the promise is "at least once". */
static void keep_state(const struct notify *n)
{
	struct err ignored;

	(void)!write_state(n, &ignored);
}

/* ---- events ---- */

/* What a new target takes over from those that it replaces: the generation that they were
 * notified of last.  Those that were notified of none have missed the first set.  Only
 * on=first targets are notified of that one, unless it was replaced since. */
static const char *inherited(const struct notify *n, const struct target *t,
			     const char *left)
{
	if (left == NULL || (left[0] == '\0' && !t->on_first && !n->replaced))
		return n->generation;
	return left;
}

int notify_resume(struct notify *n, const char *generation, bool is_first,
		  bool before_app, int64_t now, struct err *err)
{
	struct notified notified;
	const char *left = "";

	if (notified_read(n->host.dir_fd, &notified, err) < 0)
		return -1;
	if (generation == NULL) {
		n->app_may_run = !before_app && notified.memory != NOTIFIED_NONE;
		notified_done(&notified);
		return 0;
	}
	set_text(&n->generation, generation);
	if (notified.memory == NOTIFIED_READ)
		left = left_behind(n, notified.delivered);
	else
		n->replaced = !is_first;
	for (size_t i = 0; i < n->targets.count; i++) {
		const struct target *t = &n->targets.items[i];
		struct delivery *s = &n->states[i];
		const char *last = notified_last(&notified, t->text);

		if (last == NULL)
			last = inherited(n, t, left);
		if (strcmp(last, generation) != 0 && (t->on_first || !before_app))
			delivery_make_due(s, NULL, now);
		delivery_set(s, last);
	}
	/* Before the app runs, the generations that other targets have missed must not be
	 * forgotten. */
	if (!before_app || notified.memory != NOTIFIED_READ)
		keep_state(n);
	notified_done(&notified);
	return 0;
}

static bool is_behind(const struct notify *n, const struct delivery *s)
{
	return s->due != CLOCK_NEVER || s->act != NULL ||
	       (s->delivered != NULL && n->generation != NULL &&
		strcmp(s->delivered, n->generation) != 0);
}

/* A target that stays configured: the set that it was notified of, and how its tries
 * went. */
static void take_over_target(const struct notify *n, struct delivery *s,
			     struct delivery *old, int64_t now)
{
	delivery_done(s);
	*s = *old;
	*old = DELIVERY_NONE;
	/* What failed is tried at once; a splay goes on, no longer than the new one. */
	if (s->due != CLOCK_NEVER)
		s->due = s->attempts > 0 ? now : clock_sooner(s->due, now + n->splay_ms);
}

/* Of old's targets that are behind, the oldest generation that one was notified of; NULL:
 * none is behind.  only_removed: of those that n does not have any more. */
static const char *behind_before(const struct notify *n, const struct notify *old,
				 bool only_removed)
{
	const char *oldest = old->left;

	for (size_t i = 0; i < old->targets.count; i++) {
		const struct delivery *s = &old->states[i];

		if (is_behind(old, s) &&
		    !(only_removed && notify_has(n, old->targets.items[i].text)))
			oldest = older(oldest, s->delivered ? s->delivered : "");
	}
	return oldest;
}

void notify_take_over(struct notify *n, struct notify *old, int64_t now)
{
	auto_free char *removed = NULL;
	auto_free char *left = NULL;
	bool has_new = false;

	set_text(&left, behind_before(n, old, false));
	set_text(&removed, behind_before(n, old, true));
	set_text(&n->generation, old->generation);
	n->replaced = old->replaced;
	n->app_may_run = old->app_may_run;
	n->exit_held = old->exit_held;
	if (n->generation == NULL)
		return;
	for (size_t i = 0; i < n->targets.count; i++) {
		const struct target *t = &n->targets.items[i];
		struct delivery *s = &n->states[i];
		size_t same = find_target(old, t->text);
		const char *last = inherited(n, t, left);

		if (same < old->targets.count) {
			take_over_target(n, s, &old->states[same], now);
			continue;
		}
		has_new = true;
		if (strcmp(last, n->generation) != 0)
			delivery_make_due(s, NULL, now);
		delivery_set(s, last);
	}
	if (!has_new)
		set_text(&n->left, removed);
	keep_state(n);
}

/* Whether a set that changes these paths is one for the target. */
static bool concerns(const struct target *t, const struct paths *changed)
{
	return t->filters.count == 0 || changed == NULL ||
	       paths_match(&t->filters, changed);
}

void notify_published(struct notify *n, const char *generation,
		      const struct paths *changed, bool before_app, int64_t now)
{
	int64_t splay_ms;
	bool passed;

	before_app &= !n->app_may_run;
	splay_ms = before_app ? 0 : jitter_between(n->jitter, 0, n->splay_ms);
	passed = before_app; /* some count as delivered */

	for (size_t i = 0; i < n->targets.count; i++) {
		const struct target *t = &n->targets.items[i];
		struct delivery *s = &n->states[i];
		bool owes = !before_app && is_behind(n, s);
		bool is_event = concerns(t, changed) && (!before_app || t->on_first);

		if (!owes && !is_event) {
			s->due = CLOCK_NEVER;
			delivery_set(s, generation);
			passed = true;
			continue;
		}
		if (before_app) /* known, but not notified yet */
			delivery_set(s, "");
		if (is_event)
			delivery_make_due(s, changed,
					  clock_sooner(s->due, now + splay_ms));
		else
			delivery_add_missed(s, changed);
	}
	set_text(&n->generation, generation);
	n->replaced = !before_app;
	n->app_may_run = false; /* from now on ..notified says what was delivered */
	/* Also without a target: without ..notified, a later start believes that the
	 * process was killed before this point. */
	if (passed)
		keep_state(n);
}

/* ---- tries ---- */

void notify_hold_exit(struct notify *n, bool hold)
{
	n->exit_held = hold;
}

/* exit= ends the program, so it comes after the first try of all others. */
static bool has_to_wait(const struct notify *n, size_t i)
{
	bool waits = false;

	if (n->targets.items[i].kind != &act_exit)
		return false;
	waits = n->exit_held;
	for (size_t k = 0; k < n->targets.count && !waits; k++)
		waits = n->targets.items[k].kind != &act_exit &&
			(n->states[k].act != NULL ||
			 (n->states[k].due != CLOCK_NEVER && n->states[k].attempts == 0));
	return waits;
}

int64_t notify_deadline(const struct notify *n)
{
	int64_t soonest = CLOCK_NEVER;

	for (size_t i = 0; i < n->targets.count; i++) {
		const struct delivery *s = &n->states[i];

		if (s->act != NULL)
			soonest = clock_sooner(soonest, act_deadline(s->act));
		else if (!has_to_wait(n, i))
			soonest = clock_sooner(soonest, s->due);
	}
	return soonest;
}

/* Ends the try of a target, and remembers one that worked.  The program does not end by
 * exit= when that cannot be remembered: it would do so again for the same set. */
static void end_try(struct notify *n, size_t i, int64_t now, struct notify_outcome *out)
{
	struct delivery *s = &n->states[i];
	auto_free char *before = s->delivered ? xstrdup(s->delivered) : NULL;
	struct err err;

	n->last =
		delivery_end(s, &n->targets.items[i], n->generation, n->jitter, now, out);
	if (!out->ok || write_state(n, &err) == 0 || out->exit_code == 0)
		return;
	out->err = err;
	(void)err_wrap(&out->err, "notify '%s': cannot remember that akvsync ended",
		       n->targets.items[i].text);
	delivery_take_back(s, before, n->jitter, now, out);
}

bool notify_run(struct notify *n, int64_t now, struct notify_outcome *out)
{
	act_free(n->last);
	n->last = NULL;
	for (size_t i = 0; i < n->targets.count; i++) {
		struct delivery *s = &n->states[i];

		if (s->act == NULL && now >= s->due && !has_to_wait(n, i))
			delivery_begin(s, &n->targets.items[i], &n->host, n->generation,
				       now);
		if (s->act == NULL || !act_run(s->act, now))
			continue;
		end_try(n, i, now, out);
		return true;
	}
	return false;
}

struct precheck *notify_precheck(const struct notify *n, const char *generation,
				 const struct paths *changed, int64_t now)
{
	return precheck_start(&n->targets, &n->host, generation, changed, now);
}

const char *notify_signal_target(const struct notify *n)
{
	for (size_t i = 0; i < n->targets.count; i++)
		if (n->targets.items[i].process || n->targets.items[i].pidfile)
			return n->targets.items[i].text;
	return NULL;
}

static bool is_open_first(const struct notify *n, size_t i)
{
	return n->targets.items[i].on_first &&
	       (n->states[i].due != CLOCK_NEVER || n->states[i].act != NULL);
}

const struct err *notify_first_failure(const struct notify *n)
{
	for (size_t i = 0; i < n->targets.count; i++)
		if (is_open_first(n, i) && n->states[i].err.kind != ERR_NONE)
			return &n->states[i].err;
	return NULL;
}

bool notify_first_pending(const struct notify *n, int tries)
{
	for (size_t i = 0; i < n->targets.count; i++)
		if (is_open_first(n, i) &&
		    (n->states[i].act != NULL || n->states[i].attempts < tries))
			return true;
	return false;
}
