#include "deliver/act_exit.h"

#include <limits.h>

#include "base/clock.h"
#include "base/text.h"
#include "deliver/act.h"
#include "deliver/restarts.h"

/* Of command/command.h, which is above. */
#define OWN_FIRST 2
#define OWN_LAST 8
#define OWN_INTERRUPTED 143

static int act_exit_parse(struct target *t, char *rest, struct err *err)
{
	int64_t code;

	if (t->on_first)
		return err_set(err, ERR_CONFIG,
			       "nothing has to be restarted for the first set: leave out "
			       "on=first");
	if (text_number(rest, 255, &code) < 0)
		return err_set(
			err, ERR_CONFIG,
			"exit= takes a code from 1 to 255, such as 88, not '%.20s'",
			rest);
	if (code == 0 || (code >= OWN_FIRST && code <= OWN_LAST) ||
	    code == OWN_INTERRUPTED)
		return err_set(err, ERR_CONFIG,
			       "akvsync ends with code %d for other reasons; choose one "
			       "that stands for nothing else, such as 88",
			       (int)code);
	t->code = (int)code;
	return 0;
}

static void act_exit_describe(const struct target *t, struct buf *out)
{
	buf_printf(out, "ends akvsync with code %d", t->code);
}

/* Whether it may end now, which is remembered then. */
static int act_exit_allow(const struct act_work *w, struct err *err)
{
	const struct act_host *host = w->host;
	int64_t wall_ms = clock_wall_ms();
	int64_t wait_ms =
		restarts_wait_ms(host->dir_fd, host->restart_min_ms, wall_ms, err);

	if (wait_ms < 0)
		return -1;
	if (wait_ms == 0)
		return restarts_note(host->dir_fd, w->target->code, wall_ms, err);
	err_set(err, ERR_IO,
		"akvsync ended for the app less than AKVSYNC_RESTART_MIN ago");
	err->retry_after_ms = wait_ms < INT_MAX ? (int)wait_ms : INT_MAX;
	return -1;
}

static void act_exit_start(struct act *a, const struct act_work *w)
{
	struct err err;
	int allowed = act_exit_allow(w, &err);

	if (allowed == 0)
		a->exit_code = w->target->code;
	act_end(a, allowed, &err);
}

const struct target_kind act_exit = {
	.word = "exit",
	.form = "exit=CODE",
	.options = TARGET_ON,
	.parse = act_exit_parse,
	.describe = act_exit_describe,
	.start = act_exit_start,
};
