#include "run/answers.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

static void answers_look(const struct loop *l, struct progress *out)
{
	if (l->round != NULL)
		round_progress(l->round, clock_now_ms(), out);
	else
		*out = (struct progress){ 0 };
}

bool answers_failure(const struct loop *l, struct err *out)
{
	const struct err *before = loop_cause(l);
	struct progress now;

	answers_look(l, &now);
	*out = now.failed.kind != ERR_NONE || before == NULL ? now.failed : *before;
	return out->kind != ERR_NONE;
}

/* The set is older than it may be, as AKVSYNC_MAX_STALENESS says.  The age is left out: a
 * kubelet has few events for a pod, and each text that differs is another one. */
static void answers_tell_stale(const struct loop *l, struct buf *out)
{
	auto_free char *most = text_from_duration(l->settings->max_staleness_ms);
	struct err cause;

	buf_printf(out, "no sync has succeeded for longer than AKVSYNC_MAX_STALENESS=%s",
		   most);
	if (answers_failure(l, &cause))
		buf_printf(out, ": %s", cause.msg);
	buf_text(out, "; the last good files stay");
}

/* Readers do not reach all of the set. */
static void answers_tell_missing(const struct loop *l, struct buf *out)
{
	struct err cause;

	buf_text(out, "a file or a link of the set was removed by another program");
	if (answers_failure(l, &cause))
		buf_printf(out, ", and cannot be made again: %s", cause.msg);
}

static void answers_tell_starting(const struct loop *l, struct buf *out)
{
	const struct err *cause = loop_cause(l);
	const char *before = cause ? cause->msg : NULL;
	const struct err *refused =
		incidents_cause(&l->active.incidents, INCIDENT_CONFIGURATION, NULL);
	const char *awaited = mirror_awaited(l->mirror);
	struct progress now;

	answers_look(l, &now);
	if (now.waits)
		buf_printf(out, "%s: ", now.words);
	if (now.failed.kind != ERR_NONE)
		buf_text(out, now.failed.msg);
	else if (now.waits)
		buf_printf(out, "no answer yet%s%s", before ? "; before: " : "",
			   before ? before : "");
	else if (before == NULL && awaited != NULL &&
		 active_is_complete(&l->active, l->publish))
		buf_printf(out, "Secret '%.100s': no answer yet", awaited);
	else
		buf_text(out, before ? before : "the first sync is under way");
	if (refused != NULL)
		buf_printf(out, "; the changed configuration file is refused: %s",
			   refused->msg);
}

void answers_tell_briefly(const struct loop *l, struct buf *out)
{
	if (l->phase == LOOP_STARTING)
		answers_tell_starting(l, out);
	else if (loop_is_stale(l, clock_now_ms()))
		answers_tell_stale(l, out);
	else if (!publish_is_whole(l->publish))
		answers_tell_missing(l, out);
	else
		buf_text(out, "ok");
}

/* A set that has been complete stays usable whatever the vaults do later. */
void answers_tell(void *arg, struct buf *out)
{
	const struct loop *l = arg;
	int64_t now = clock_now_ms();

	answers_tell_briefly(l, out);
	if (l->phase == LOOP_STARTING)
		return;
	if (l->active.incidents.count > 0 && loop_is_ready(l, now))
		buf_text(out, "; but:");
	incidents_tell(&l->active.incidents, now, out);
}
