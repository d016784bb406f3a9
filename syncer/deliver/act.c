#include "deliver/act.h"

#include "base/clock.h"
#include "base/mem.h"

struct act *act_start(const struct act_work *work)
{
	struct act *a = xcalloc(1, sizeof(*a));

	work->target->kind->start(a, work);
	return a;
}

void act_end(struct act *a, int result, const struct err *err)
{
	a->over = true;
	if (result < 0)
		a->err = *err;
}

bool act_run(struct act *a, int64_t now)
{
	struct err err;

	if (!a->over && a->hook != NULL && hook_run(a->hook, now))
		act_end(a, hook_result(a->hook, &err), &err);
	return a->over;
}

int64_t act_deadline(const struct act *a)
{
	return !a->over && a->hook ? hook_deadline(a->hook) : CLOCK_NEVER;
}

const char *act_output(const struct act *a)
{
	return a->hook ? hook_output(a->hook) : "";
}

void act_free(struct act *a)
{
	if (a == NULL)
		return;
	if (a->call != NULL)
		http_cancel(a->http, a->call);
	hook_free(a->hook);
	free(a);
}
