#include "sync/proposal.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/http.h"
#include "report/log.h"

/* Bytes of the versions that a line names, at most one path more. */
#define VERSIONS_MAX 2048
#define VERSIONS_ROOM 8192

struct proposal proposal_empty(void)
{
	return (struct proposal){ .versions = BUF_INIT(VERSIONS_MAX + VERSIONS_ROOM),
				  .gone = BUF_INIT(VERSIONS_MAX + VERSIONS_ROOM) };
}

void proposal_done(struct proposal *p)
{
	composition_done(&p->composition);
	free(p->files);
	buf_done(&p->versions);
	buf_done(&p->gone);
	precheck_free(p->precheck);
	*p = (struct proposal){ 0 };
}

void proposal_name(struct buf *names, const char *path, const char *version)
{
	if (names->len <= VERSIONS_MAX)
		buf_printf(names, "%s%s%s%s", names->len ? "," : "", path,
			   version ? "@" : "", version ? version : "");
	else if (names->data[names->len - 1] != '\xa6') /* the end of … */
		buf_text(names, ",…");
}

/* ---- preparing ---- */

void proposal_prepare(struct proposal *p, const struct round_work *work, int64_t now)
{
	const struct publish_set wanted = { .files = p->files,
					    .count = p->count,
					    .configuration = work->number,
					    .list = work->text };
	bool has_news = p->has_news || !publish_fits(work->publish, work->number) ||
			publish_count(work->publish) != p->count;

	struct err err;

	if (p->held_by.kind != ERR_NONE || p->failed.kind != ERR_NONE || !has_news)
		return;
	p->is_prepared = publish_prepare(work->publish, &wanted, &p->result, &err) == 0;
	if (!p->is_prepared && (errno == EMFILE || errno == ENFILE)) {
		/* The round is over for the connections, which hold most of them. */
		http_close_idle(work->sources->http);
		p->is_prepared =
			publish_prepare(work->publish, &wanted, &p->result, &err) == 0;
	}
	if (!p->is_prepared)
		p->failed = err;
	if (p->is_prepared && p->result != PUBLISH_UNCHANGED && work->notify != NULL)
		p->precheck =
			notify_precheck(work->notify, publish_prepared(work->publish),
					publish_changed(work->publish), now);
}

bool proposal_run(struct proposal *p, int64_t now)
{
	return p->precheck == NULL || precheck_run(p->precheck, now);
}

int64_t proposal_deadline(const struct proposal *p)
{
	return p->precheck ? precheck_deadline(p->precheck) : CLOCK_NEVER;
}

/* ---- publishing ---- */

static void proposal_warn_unread(const struct plan *plan)
{
	for (const struct task *t = plan->tasks; t; t = t->next)
		if (t->has_new_files && t->new_files.unread.kind != ERR_NONE)
			log_event(LOG_WARN, "unread-pem",
				  LOG_FIELDS(log_str("what", t->path)),
				  "%s is written as the vault holds it, with its "
				  "certificates in whatever order they are: %s",
				  t->words, t->new_files.unread.msg);
}

static void proposal_warn_without_key(const struct plan *plan)
{
	for (const struct task *t = plan->tasks; t; t = t->next)
		if (t->has_new_files && t->new_files.without_key)
			log_event(LOG_WARN, "no-private-key",
				  LOG_FIELDS(log_str("what", t->path)),
				  "%s has no private key, only certificates: is it not "
				  "exportable (key_props.exportable of its policy)?",
				  t->words);
}

/* An edit by hand, or an app that writes into its secrets. */
static void proposal_warn_altered(const struct plan *plan)
{
	for (const struct task *t = plan->tasks; t; t = t->next)
		if (t->has_new_files && t->verdict->fate == FATE_NEW &&
		    task_files_on_volume(t) == FATE_ALTERED_FILES)
			log_event(LOG_WARN, "altered",
				  LOG_FIELDS(log_str("what", t->path)),
				  "another program had changed or removed the files of "
				  "%s; they were made anew",
				  t->words);
}

static void proposal_log(const struct proposal *p, const struct round_work *work,
			 const struct plan *plan, int64_t started)
{
	size_t changed = publish_changed(work->publish)->count;

	proposal_warn_altered(plan);
	log_event(LOG_INFO, "published",
		  LOG_FIELDS(log_str("generation", publish_generation(work->publish)),
			     log_int("files", (int64_t)p->count),
			     log_int("changed", (int64_t)changed),
			     log_str("versions", buf_str(&p->versions)),
			     log_str("gone", buf_str(&p->gone)),
			     log_int("ms", clock_now_ms() - started)),
		  "published %zu file%s, %zu changed", p->count, p->count == 1 ? "" : "s",
		  changed);
	proposal_warn_without_key(plan);
	proposal_warn_unread(plan);
}

/* What the program of a precheck printed. */
static void proposal_log_output(const struct proposal *p, enum log_level level)
{
	const char *rest = precheck_output(p->precheck);
	char line[HOOK_LINE_LEN];

	while (hook_line(&rest, line))
		log_event(level, "output",
			  LOG_FIELDS(log_str("target", precheck_target(p->precheck))),
			  "%s", line);
}

/* Why there is no new set.  True: that is news. */
static bool proposal_report(const struct round_work *work, enum incident_kind kind,
			    const char *name, const struct err *err, int64_t now)
{
	bool has_files = publish_generation(work->publish) != NULL;
	const char *consequence = "no files have been published yet";

	if (work->is_next && kind == INCIDENT_SET)
		consequence = "the list of objects of before stays active";
	else if (has_files)
		consequence = "the last good files stay";
	return incidents_report(work->incidents,
				has_files && kind != INCIDENT_VOLUME ? LOG_WARN
								     : LOG_ERROR,
				kind, name, err, consequence, now);
}

static enum round_outcome proposal_hold(const struct proposal *p,
					const struct round_work *work, int64_t now,
					struct failures *failures)
{
	struct err held = p->held_by;

	err_wrap(&held, work->is_next ? "the new configuration waits"
				      : "no new set is published");
	proposal_report(work, INCIDENT_SET, NULL, &held, now);
	if (p->failed.kind != ERR_NONE)
		proposal_report(work, INCIDENT_VOLUME, NULL, &p->failed, now);
	else
		incidents_hold(work->incidents, INCIDENT_VOLUME, NULL);
	incidents_hold_all(work->incidents, INCIDENT_PRECHECK);
	if (failures->worst.kind == ERR_NONE)
		failures->worst = p->held_by;
	return ROUND_HELD;
}

/* The next try is the next poll: what a program refuses once, it will mostly refuse
 * again. */
static enum round_outcome proposal_veto(const struct proposal *p,
					const struct round_work *work,
					const struct err *why, int64_t now,
					struct failures *failures)
{
	bool is_news = proposal_report(work, INCIDENT_PRECHECK,
				       precheck_target(p->precheck), why, now);

	proposal_log_output(p, is_news ? LOG_INFO : LOG_DEBUG);
	publish_abandon(work->publish);
	incidents_confirm(work->incidents, INCIDENT_VOLUME, NULL);
	failures->vetoed = true;
	if (failures->worst.kind == ERR_NONE)
		failures->worst = *why;
	return ROUND_VETOED;
}

static enum round_outcome proposal_refuse(const struct round_work *work,
					  const struct err *why, int64_t now,
					  struct failures *failures)
{
	proposal_report(work, INCIDENT_VOLUME, NULL, why, now);
	incidents_hold_all(work->incidents, INCIDENT_PRECHECK);
	failures->try_soon = true;
	if (err_outranks(why, &failures->worst))
		failures->worst = *why;
	return ROUND_REFUSED;
}

static enum round_outcome proposal_publish_now(struct proposal *p,
					       const struct round_work *work,
					       const struct plan *plan, int64_t started,
					       int64_t now, struct failures *failures)
{
	static const enum round_outcome outcomes[] = {
		[PUBLISH_UNCHANGED] = ROUND_UNCHANGED,
		[PUBLISH_FIRST] = ROUND_FIRST,
		[PUBLISH_REPLACED] = ROUND_REPLACED,
	};
	bool all_answered = failures->worst.kind == ERR_NONE;
	struct err err;

	if (p->is_prepared)
		compose_remove_env_files(&work->objects->templates, work->publish,
					 work->number);
	if (p->is_prepared && publish_finish(work->publish, now, &err) < 0)
		return proposal_refuse(work, &err, now, failures);
	/* Or nothing is left to publish. */
	if (p->is_prepared || all_answered)
		incidents_confirm(work->incidents, INCIDENT_VOLUME, NULL);
	else
		incidents_hold(work->incidents, INCIDENT_VOLUME, NULL);
	if (p->result == PUBLISH_UNCHANGED)
		log_event(LOG_DEBUG, "unchanged",
			  LOG_FIELDS(log_int("ms", now - started)), "nothing changed");
	else
		proposal_log(p, work, plan, started);
	return outcomes[p->result];
}

enum round_outcome proposal_publish(struct proposal *p, const struct round_work *work,
				    const struct plan *plan, int64_t started, int64_t now,
				    struct failures *failures)
{
	struct err why;

	if (p->held_by.kind != ERR_NONE)
		return proposal_hold(p, work, now, failures);
	incidents_confirm(work->incidents, INCIDENT_SET, NULL);
	if (p->failed.kind != ERR_NONE)
		return proposal_refuse(work, &p->failed, now, failures);
	if (p->precheck != NULL) {
		if (precheck_result(p->precheck, &why) < 0)
			return proposal_veto(p, work, &why, now, failures);
		proposal_log_output(p, LOG_INFO);
		incidents_confirm_all(work->incidents, INCIDENT_PRECHECK);
	}
	return proposal_publish_now(p, work, plan, started, now, failures);
}
