#include "deliver/notify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "deliver/process.h"
#include "deliver/target.h"

#define STATE_NAME "..notified"
#define STATE_FORMAT 1
#define STATE_MAX (64 * 1024)
#define RETRY_BASE_MS 1000
#define RETRY_CAP_MS 60000

/* A target and where it stands. */
struct state {
	char *delivered; /* the last generation it was notified of, "": none; NULL: not
			    known */
	int64_t due;     /* CLOCK_NEVER: nothing to deliver */
	struct backoff backoff;
	int attempts;
	struct err err;          /* of the last attempt for this generation */
	struct process_set told; /* of this generation */
	bool warned;             /* of what it may not notice, or may end by */
};

struct notify {
	struct targets targets;
	struct state *states; /* one a target */
	int dir_fd;
	int64_t splay_ms;
	struct jitter *jitter;
	char *generation; /* the newest */
	char *left; /* what a target that was removed has missed, for a new one to come */
	bool replaced; /* it is known to have replaced an earlier one */
};

int notify_new(struct notify **out, const char *text, int dir_fd, int64_t splay_ms,
	       struct jitter *jitter, struct err *err)
{
	struct targets targets;
	struct notify *n;

	if (targets_parse(&targets, text, err) < 0)
		return -1;
	n = xcalloc(1, sizeof(*n));
	n->targets = targets;
	n->states = xcalloc(targets.count, sizeof(*n->states));
	n->dir_fd = dir_fd;
	n->splay_ms = splay_ms;
	n->jitter = jitter;
	for (size_t i = 0; i < targets.count; i++)
		n->states[i].due = CLOCK_NEVER;
	*out = n;
	return 0;
}

void notify_free(struct notify *n)
{
	if (n == NULL)
		return;
	for (size_t i = 0; i < n->targets.count; i++) {
		free(n->states[i].delivered);
		process_set_clear(&n->states[i].told);
	}
	free(n->states);
	targets_done(&n->targets);
	free(n->generation);
	free(n->left);
	free(n);
}

static void set_text(char **field, const char *value)
{
	free(*field);
	*field = value ? xstrdup(value) : NULL;
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

/* ---- ..notified: {"format":1,"delivered":{"signal=HUP,process=nginx":"..2026_…"}} ----
 */

enum memory {
	MEMORY_NONE,    /* no ..notified: nothing was ever delivered */
	MEMORY_FOREIGN, /* something that cannot be understood */
	MEMORY_READ,
};

/* Of MEMORY_READ, *root has the members. */
static int read_memory(const struct notify *n, enum memory *memory, struct json **root,
		       struct err *err)
{
	auto_buf struct buf text = BUF_INIT(STATE_MAX);
	struct err ignored;

	*memory = MEMORY_FOREIGN;
	if (file_read(n->dir_fd, STATE_NAME, &text, err) < 0) {
		if (errno == ENOENT)
			*memory = MEMORY_NONE;
		else if (!file_is_foreign(n->dir_fd, STATE_NAME, errno)) {
			err_wrap(err, "cannot read which targets were notified");
			err->kind = ERR_UNAVAILABLE;
			return -1;
		}
		return 0;
	}
	if (json_parse(buf_str(&text), text.len, root, &ignored) == 0 &&
	    json_int(*root, "format", 0) == STATE_FORMAT)
		*memory = MEMORY_READ;
	return 0;
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
	auto_buf struct buf text = BUF_INIT(STATE_MAX);
	const char *separator = "";

	buf_printf(&text, "{\"format\":%d,\"delivered\":{", STATE_FORMAT);
	for (size_t i = 0; i < n->targets.count; i++) {
		if (n->states[i].delivered == NULL)
			continue;
		buf_text(&text, separator);
		json_quote(&text, n->targets.items[i].text);
		buf_text(&text, ":");
		json_quote(&text, n->states[i].delivered);
		separator = ",";
	}
	buf_text(&text, "}}\n");
	return file_replace(n->dir_fd, STATE_NAME, 0600, buf_str(&text), text.len, err);
}

/* ---- events ---- */

static void make_due(struct state *s, int64_t at)
{
	s->due = at;
	s->attempts = 0;
	s->backoff = BACKOFF_INIT(RETRY_BASE_MS, RETRY_CAP_MS);
	s->err = (struct err){ 0 };
	process_set_clear(&s->told);
}

/* When this is not written, the next start finds the same again. */
static void keep_state(const struct notify *n)
{
	struct err ignored;

	(void)!write_state(n, &ignored);
}

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

int notify_resume(struct notify *n, const char *generation, bool before_app, int64_t now,
		  struct err *err)
{
	auto_json struct json *root = NULL;
	const struct json *delivered = NULL;
	const char *left = NULL;
	enum memory memory;

	if (generation == NULL)
		return 0;
	if (read_memory(n, &memory, &root, err) < 0)
		return -1;
	set_text(&n->generation, generation);
	if (memory == MEMORY_READ) {
		delivered = json_get(root, "delivered");
		left = left_behind(n, delivered);
	} else if (memory == MEMORY_NONE) {
		left = "";
	}
	for (size_t i = 0; i < n->targets.count; i++) {
		const struct target *t = &n->targets.items[i];
		struct state *s = &n->states[i];
		const char *last = delivered ? json_string(delivered, t->text) : NULL;

		if (last == NULL)
			last = inherited(n, t, left);
		if (strcmp(last, generation) != 0 && (t->on_first || !before_app))
			make_due(s, now);
		set_text(&s->delivered, last);
	}
	/* Before the app runs, the generations that other targets have missed must not be
	 * forgotten. */
	if (!before_app || memory != MEMORY_READ)
		keep_state(n);
	return 0;
}

static bool is_behind(const struct notify *n, const struct state *s)
{
	return s->due != CLOCK_NEVER || (s->delivered != NULL && n->generation != NULL &&
					 strcmp(s->delivered, n->generation) != 0);
}

/* A target that stays configured: the set that it was notified of, and how its tries
 * went. */
static void take_over_target(const struct notify *n, struct state *s,
			     const struct state *old, int64_t now)
{
	set_text(&s->delivered, old->delivered);
	/* What failed is tried at once; a splay goes on, no longer than the new one. */
	s->due = old->due;
	if (old->due != CLOCK_NEVER)
		s->due = old->attempts > 0 ? now
					   : clock_sooner(old->due, now + n->splay_ms);
	s->attempts = old->attempts;
	s->backoff = old->backoff;
	s->err = old->err;
	s->warned = old->warned;
	process_set_copy(&s->told, &old->told);
}

/* Of old's targets that are behind, the oldest generation that one was notified of; NULL:
 * none is behind.  only_removed: of those that n does not have any more. */
static const char *behind_before(const struct notify *n, const struct notify *old,
				 bool only_removed)
{
	const char *oldest = old->left;

	for (size_t i = 0; i < old->targets.count; i++) {
		const struct state *s = &old->states[i];

		if (is_behind(old, s) &&
		    !(only_removed && notify_has(n, old->targets.items[i].text)))
			oldest = older(oldest, s->delivered ? s->delivered : "");
	}
	return oldest;
}

void notify_take_over(struct notify *n, const struct notify *old, int64_t now)
{
	const char *left = behind_before(n, old, false);
	bool has_new = false;

	set_text(&n->generation, old->generation);
	n->replaced = old->replaced;
	if (n->generation == NULL)
		return;
	for (size_t i = 0; i < n->targets.count; i++) {
		const struct target *t = &n->targets.items[i];
		struct state *s = &n->states[i];
		size_t same = find_target(old, t->text);
		const char *last = inherited(n, t, left);

		if (same < old->targets.count) {
			take_over_target(n, s, &old->states[same], now);
			continue;
		}
		has_new = true;
		if (strcmp(last, n->generation) != 0)
			make_due(s, now);
		set_text(&s->delivered, last);
	}
	if (!has_new)
		set_text(&n->left, behind_before(n, old, true));
	keep_state(n);
}

void notify_published(struct notify *n, const char *generation, bool before_app,
		      int64_t now)
{
	int64_t splay_ms = before_app ? 0 : jitter_between(n->jitter, 0, n->splay_ms);

	set_text(&n->generation, generation);
	n->replaced = !before_app;
	for (size_t i = 0; i < n->targets.count; i++) {
		bool on_first = n->targets.items[i].on_first;
		struct state *s = &n->states[i];

		if (before_app) /* on=first: known, but not notified yet */
			set_text(&s->delivered, on_first ? "" : generation);
		if (!before_app || on_first)
			make_due(s, clock_sooner(s->due, now + splay_ms));
		else
			s->due = CLOCK_NEVER;
	}
	/* Also without a target: without ..notified, a later start believes that the
	 * process was killed before this point. */
	if (before_app)
		keep_state(n);
}

int64_t notify_deadline(const struct notify *n)
{
	int64_t soonest = CLOCK_NEVER;

	for (size_t i = 0; i < n->targets.count; i++)
		soonest = clock_sooner(soonest, n->states[i].due);
	return soonest;
}

static int act(const struct target *t, struct process_set *told, struct err *warning,
	       struct err *err)
{
	if (t->pidfile != NULL)
		return process_signal_pidfile(t->pidfile, t->signal, warning, err);
	return process_signal_name(t->process, t->signal, told, warning, err);
}

/* It was not notified. */
static void put_off(struct notify *n, struct state *s, int64_t now,
		    struct notify_outcome *out)
{
	s->err = out->err;
	out->waits = out->err.retry_after_ms > 0;
	if (out->waits)
		s->attempts--; /* nothing has failed */
	out->retry_in_ms = out->waits ? out->err.retry_after_ms
				      : backoff_next(&s->backoff, n->jitter);
	s->due = now + out->retry_in_ms;
}

static void run_target(struct notify *n, size_t i, int64_t now,
		       struct notify_outcome *out)
{
	const struct target *t = &n->targets.items[i];
	struct state *s = &n->states[i];
	struct err unsaved;

	*out = (struct notify_outcome){ .target = t->text,
					.generation = n->generation,
					.attempt = ++s->attempts };
	out->ok = act(t, &s->told, &out->warning, &out->err) == 0;
	if (s->warned)
		out->warning = (struct err){ 0 };
	if (out->warning.kind != ERR_NONE) {
		s->warned = true;
		(void)err_wrap(&out->warning, "notify '%s'", t->text);
	}
	if (!out->ok) {
		(void)err_wrap(&out->err, "notify '%s'", t->text);
		put_off(n, s, now, out);
		return;
	}
	out->processes = t->pidfile != NULL ? 1 : (int)s->told.count;
	s->due = CLOCK_NEVER;
	process_set_clear(&s->told);
	set_text(&s->delivered, n->generation);
	/* When this is not written, a restart notifies the app once more: the promise is
	 * "at least once". */
	(void)!write_state(n, &unsaved);
}

bool notify_run(struct notify *n, int64_t now, struct notify_outcome *out)
{
	for (size_t i = 0; i < n->targets.count; i++) {
		if (now < n->states[i].due)
			continue;
		run_target(n, i, now, out);
		return true;
	}
	return false;
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
	return n->targets.items[i].on_first && n->states[i].due != CLOCK_NEVER;
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
		if (is_open_first(n, i) && n->states[i].attempts < tries)
			return true;
	return false;
}
