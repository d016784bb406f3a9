#include "deliver/act_exec.h"

#include <string.h>

#include "base/mem.h"
#include "base/redact.h"
#include "base/text.h"
#include "deliver/act.h"
#include "deliver/publish.h"

#define CHANGED_MAX (1024 * 1024)

static int act_exec_parse(struct target *t, char *rest, struct err *err)
{
	return target_split(t, rest, err);
}

static int act_precheck_parse(struct target *t, char *rest, struct err *err)
{
	static const char word[] = "exec ";

	if (t->on_first)
		return err_set(err, ERR_CONFIG,
			       "a precheck runs before each set, also the first: leave "
			       "out on=first");
	if (!text_starts(rest, word))
		return err_set(err, ERR_CONFIG, "expected precheck=exec PATH ARG…");
	return target_split(t, rest + strlen(word), err);
}

static void act_exec_describe(const struct target *t, struct buf *out)
{
	auto_free char *timeout = text_from_duration(t->timeout_ms);

	buf_text(out, t->kind->before ? "asks" : "runs");
	for (char **arg = t->argv; *arg; arg++) {
		buf_text(out, " ");
		redact_entries(*arg, out);
	}
	buf_printf(out, ", for at most %s", timeout);
}

/* Where it is not known what has changed, all that is there is given. */
static void act_exec_changed(const struct act_work *w, struct buf *out)
{
	const struct manifest_entry *e;

	if (w->changed != NULL) {
		paths_write(w->changed, out);
		return;
	}
	for (size_t i = 0; (e = publish_entry(w->host->publish, i, NULL)) != NULL; i++)
		buf_printf(out, "%s%s", i ? "\n" : "", e->path);
}

static void act_exec_start(struct act *a, const struct act_work *w)
{
	auto_buf struct buf changed = BUF_INIT(CHANGED_MAX);
	const struct act_host *host = w->host;
	auto_free char *new_dir = w->target->kind->before
					  ? xasprintf("%s/%s", host->dir, w->generation)
					  : NULL;
	struct hook_order order = { .argv = w->target->argv,
				    .timeout_ms = w->target->timeout_ms,
				    .generation = w->generation,
				    .dir = host->dir,
				    .new_dir = new_dir };
	struct err err;

	act_exec_changed(w, &changed);
	order.changed = buf_str(&changed);
	if (hook_start(&a->hook, &order, w->now, &err) < 0)
		act_end(a, -1, &err);
}

const struct target_kind act_exec = {
	.word = "exec",
	.form = "exec=PATH ARG…",
	.options = TARGET_ON | TARGET_TIMEOUT,
	.timeout_ms = 30000,
	.parse = act_exec_parse,
	.describe = act_exec_describe,
	.start = act_exec_start,
};

const struct target_kind act_precheck = {
	.word = "precheck",
	.form = "precheck=exec PATH ARG…",
	.options = TARGET_ON | TARGET_TIMEOUT,
	.timeout_ms = 30000,
	.before = true,
	.parse = act_precheck_parse,
	.describe = act_exec_describe,
	.start = act_exec_start,
};
