#include "deliver/precheck.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

struct precheck {
	const struct targets *targets;
	const struct act_host *host;
	char *generation;
	const struct paths *changed;
	size_t at;                 /* the target that is asked; their count: all agree */
	struct act *act;           /* NULL: it is still to be asked */
	const struct target *last; /* that was asked */
	int64_t retry_at;          /* not before this */
};

static const struct target *asked(const struct precheck *p)
{
	return &p->targets->prechecks[p->at];
}

/* Skips those that only other paths concern. */
static void precheck_skip(struct precheck *p)
{
	while (p->at < p->targets->precheck_count && asked(p)->filters.count > 0 &&
	       !paths_match(&asked(p)->filters, p->changed))
		p->at++;
}

struct precheck *precheck_start(const struct targets *targets,
				const struct act_host *host, const char *generation,
				const struct paths *changed, int64_t now)
{
	struct precheck p = {
		.targets = targets, .host = host, .changed = changed, .retry_at = now
	};
	struct precheck *out;

	precheck_skip(&p);
	if (p.at == targets->precheck_count)
		return NULL;
	out = xcalloc(1, sizeof(*out));
	*out = p;
	out->generation = xstrdup(generation);
	return out;
}

void precheck_free(struct precheck *p)
{
	if (p == NULL)
		return;
	act_free(p->act);
	free(p->generation);
	free(p);
}

/* Begins to ask, when it is time. */
static void precheck_ask(struct precheck *p, int64_t now)
{
	if (now < p->retry_at)
		return;
	p->last = asked(p);
	p->act = act_start(&(struct act_work){ .target = p->last,
					       .host = p->host,
					       .generation = p->generation,
					       .changed = p->changed,
					       .now = now });
	if (p->act->over && p->act->err.retry_after_ms > 0) {
		p->retry_at = now + p->act->err.retry_after_ms;
		act_free(p->act);
		p->act = NULL;
	}
}

bool precheck_run(struct precheck *p, int64_t now)
{
	while (p->at < p->targets->precheck_count) {
		if (p->act == NULL)
			precheck_ask(p, now);
		if (p->act == NULL || !act_run(p->act, now))
			return false;
		if (p->act->err.kind != ERR_NONE)
			return true;
		p->at++;
		precheck_skip(p);
		if (p->at == p->targets->precheck_count)
			return true;
		act_free(p->act);
		p->act = NULL;
	}
	return true;
}

int64_t precheck_deadline(const struct precheck *p)
{
	if (p->at == p->targets->precheck_count)
		return CLOCK_NEVER;
	return p->act ? act_deadline(p->act) : p->retry_at;
}

int precheck_result(const struct precheck *p, struct err *err)
{
	if (p->at == p->targets->precheck_count)
		return 0;
	if (p->act != NULL && p->act->over) {
		*err = p->act->err;
		err->kind = ERR_IO;
	} else {
		err_set(err, ERR_IO, "its program had not ended when the time was over");
	}
	return err_wrap(err, "precheck '%.200s'", asked(p)->text);
}

const char *precheck_target(const struct precheck *p)
{
	return p->last ? p->last->text : "";
}

const char *precheck_output(const struct precheck *p)
{
	return p->act ? act_output(p->act) : "";
}
