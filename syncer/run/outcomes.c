#include "run/outcomes.h"

#include <stdio.h>

#include "base/mem.h"
#include "base/text.h"
#include "deliver/hook.h"
#include "report/log.h"

/* What a program printed. */
static void outcomes_log_output(const struct notify_outcome *o, enum log_level level)
{
	char line[HOOK_LINE_LEN];

	for (const char *rest = o->output; hook_line(&rest, line);)
		log_event(level, "output", LOG_FIELDS(log_str("target", o->target)), "%s",
			  line);
}

/* A failure is an incident: logged when it begins or changes, and once an hour. */
static void outcomes_log_failure(struct incidents *incidents,
				 const struct notify_outcome *o, int64_t now)
{
	auto_free char *in = text_from_duration(o->retry_in_ms);
	bool is_news =
		!o->waits &&
		incidents_note(incidents, LOG_WARN, INCIDENT_NOTIFY, o->target, &o->err,
			       "the app may still use the files of before", now);
	enum log_level failed = is_news ? LOG_WARN : LOG_DEBUG;

	outcomes_log_output(o, is_news ? LOG_INFO : LOG_DEBUG);

	log_event(o->waits ? LOG_INFO : failed,
		  o->waits ? "notify-waits" : "notify-failed",
		  LOG_FIELDS(log_str("target", o->target),
			     log_str("generation", o->generation),
			     log_int("attempt", o->attempt), log_str("retry_in", in)),
		  "%s", o->err.msg);
}

/* A number for the log; 0 is left out, as "". */
static const char *outcomes_number(char out[static 16], int number)
{
	snprintf(out, 16, "%d", number);
	return number > 0 ? out : "";
}

void outcomes_log(struct incidents *incidents, const struct notify_outcome *o,
		  int64_t now)
{
	char processes[16], status[16];

	if (o->warning.kind != ERR_NONE)
		log_event(LOG_WARN, "advice", LOG_FIELDS(log_str("target", o->target)),
			  "%s", o->warning.msg);
	if (!o->ok) {
		outcomes_log_failure(incidents, o, now);
		return;
	}
	outcomes_log_output(o, LOG_INFO);
	incidents_close(incidents, INCIDENT_NOTIFY, o->target, true, now);
	log_event(
		LOG_INFO, "notified",
		LOG_FIELDS(log_str("target", o->target),
			   log_str("generation", o->generation),
			   log_raw("processes", outcomes_number(processes, o->processes)),
			   log_raw("status", outcomes_number(status, o->status)),
			   log_int("attempt", o->attempt)),
		"notified '%s'", o->target);
}
