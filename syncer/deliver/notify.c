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
	for (size_t i = 0; i < n->targets.count; i++)
		free(n->states[i].delivered);
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
}

void notify_resume(struct notify *n, const char *generation, int64_t now)
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
		else if (strcmp(s->delivered, generation) != 0)
			make_due(s, now);
	}
	/* Not written, the same is found again at the next start. */
	(void)!write_state(n, &ignored);
}

void notify_published(struct notify *n, const char *generation, bool first, int64_t now)
{
	int64_t at = now + jitter_between(n->jitter, 0, n->splay_ms);
	struct err ignored;

	set_text(&n->generation, generation);
	for (size_t i = 0; i < n->targets.count; i++) {
		struct state *s = &n->states[i];

		if (first) /* for on=first ones: known, but told of nothing yet */
			set_text(&s->delivered,
				 n->targets.items[i].on_first ? "" : generation);
		if (!first || n->targets.items[i].on_first)
			make_due(s, at);
	}
	if (first)
		(void)!write_state(n, &ignored);
}

int64_t notify_deadline(const struct notify *n)
{
	int64_t soonest = CLOCK_NEVER;

	for (size_t i = 0; i < n->targets.count; i++)
		soonest = clock_sooner(soonest, n->states[i].due);
	return soonest;
}

static int act(const struct target *t, int *processes, struct err *err)
{
	*processes = 1;
	if (t->pidfile != NULL)
		return process_signal_pidfile(t->pidfile, t->signal, err);
	return process_signal_name(t->process, t->signal, processes, err);
}

static void run_target(struct notify *n, size_t i, int64_t now,
		       struct notify_outcome *out)
{
	const struct target *t = &n->targets.items[i];
	struct state *s = &n->states[i];
	struct err unsaved;

	*out = (struct notify_outcome){ .target = t->text,
					.generation = n->generation,
					.on_first = t->on_first,
					.attempt = ++s->attempts };
	out->ok = act(t, &out->processes, &out->err) == 0;
	if (!out->ok) {
		err_wrap(&out->err, "notify '%s'", t->text);
		out->retry_in_ms = backoff_next(&s->backoff, n->jitter);
		s->due = now + out->retry_in_ms;
		return;
	}
	s->due = CLOCK_NEVER;
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

bool notify_first_pending(const struct notify *n)
{
	for (size_t i = 0; i < n->targets.count; i++)
		if (n->targets.items[i].on_first && n->states[i].due != CLOCK_NEVER)
			return true;
	return false;
}
