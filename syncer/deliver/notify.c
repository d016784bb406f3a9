#include "deliver/notify.h"

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
	char *delivered; /* the last generation it was told of, "": none; NULL: not known
			  */
	int64_t due;     /* CLOCK_NEVER: nothing to tell */
	struct backoff backoff;
	int attempts;
	struct err err;          /* of the last attempt */
	struct process_set told; /* of this generation */
};

struct notify {
	struct targets targets;
	struct state *states; /* one a target */
	int dir_fd;
	int64_t splay_ms;
	struct jitter *jitter;
	char *generation; /* the newest */
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
	free(n);
}

static void set_text(char **field, const char *value)
{
	free(*field);
	*field = value ? xstrdup(value) : NULL;
}

/* ---- ..notified: {"format":1,"delivered":{"signal=HUP,process=nginx":"..2026_…"}} ----
 */

static void read_state(struct notify *n)
{
	auto_buf struct buf text = BUF_INIT(STATE_MAX);
	auto_json struct json *root = NULL;
	const struct json *delivered;
	struct err ignored;

	if (file_read(n->dir_fd, STATE_NAME, &text, &ignored) < 0 ||
	    json_parse(buf_str(&text), text.len, &root, &ignored) < 0 ||
	    json_int(root, "format", 0) != STATE_FORMAT)
		return;
	delivered = json_get(root, "delivered");
	for (size_t i = 0; i < n->targets.count; i++)
		set_text(&n->states[i].delivered,
			 json_string(delivered, n->targets.items[i].text));
}

static int write_state(const struct notify *n, struct err *err)
{
	auto_buf struct buf text = BUF_INIT(STATE_MAX);
	const char *separator = "";

	if (n->targets.count == 0)
		return 0;
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
	process_set_clear(&s->told);
}

void notify_resume(struct notify *n, const char *generation, bool before_app, int64_t now)
{
	struct err ignored;

	if (generation == NULL)
		return;
	set_text(&n->generation, generation);
	read_state(n);
	for (size_t i = 0; i < n->targets.count; i++) {
		struct state *s = &n->states[i];

		if (s->delivered == NULL)
			set_text(&s->delivered, generation);
		else if (strcmp(s->delivered, generation) != 0 &&
			 (n->targets.items[i].on_first || !before_app))
			make_due(s, now);
	}
	/* Not written, the same is found again at the next start. */
	(void)!write_state(n, &ignored);
}

void notify_published(struct notify *n, const char *generation, bool before_app,
		      int64_t now)
{
	int64_t splay_ms = before_app ? 0 : jitter_between(n->jitter, 0, n->splay_ms);
	struct err ignored;

	set_text(&n->generation, generation);
	for (size_t i = 0; i < n->targets.count; i++) {
		struct state *s = &n->states[i];

		if (before_app) /* for on=first ones: known, but told of nothing yet */
			set_text(&s->delivered,
				 n->targets.items[i].on_first ? "" : generation);
		if (!before_app || n->targets.items[i].on_first)
			make_due(s, now + splay_ms);
	}
	if (before_app)
		(void)!write_state(n, &ignored);
}

int64_t notify_deadline(const struct notify *n)
{
	int64_t soonest = CLOCK_NEVER;

	for (size_t i = 0; i < n->targets.count; i++)
		soonest = clock_sooner(soonest, n->states[i].due);
	return soonest;
}

static int act(const struct target *t, struct process_set *told, struct err *err)
{
	if (t->pidfile != NULL)
		return process_signal_pidfile(t->pidfile, t->signal, err);
	return process_signal_name(t->process, t->signal, told, err);
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
	out->ok = act(t, &s->told, &out->err) == 0;
	if (!out->ok) {
		err_wrap(&out->err, "notify '%s'", t->text);
		s->err = out->err;
		out->retry_in_ms = backoff_next(&s->backoff, n->jitter);
		s->due = now + out->retry_in_ms;
		return;
	}
	out->processes = t->pidfile != NULL ? 1 : (int)s->told.count;
	s->due = CLOCK_NEVER;
	process_set_clear(&s->told);
	set_text(&s->delivered, n->generation);
	/* Not written, a restart tells the app once more: at least once is the promise.
	 */
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

static bool is_open_first(const struct notify *n, size_t i)
{
	return n->targets.items[i].on_first && n->states[i].due != CLOCK_NEVER;
}

const struct err *notify_first_failure(const struct notify *n, int tries)
{
	for (size_t i = 0; i < n->targets.count; i++)
		if (is_open_first(n, i) && n->states[i].attempts >= tries)
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
