#include "deliver/act_signal.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "deliver/act.h"
#include "deliver/process.h"
#include "deliver/signal_name.h"

static int act_signal_parse_whom(struct target *t, const char *what, const char *value,
				 struct err *err)
{
	bool by_name = strcmp(what, "process") == 0;

	/* Behind another word may be a secret. */
	if (!by_name && strcmp(what, "pidfile") != 0)
		return err_set(err, ERR_CONFIG,
			       "expected process= or pidfile=, not '%.*s='",
			       (int)strspn(what, "-_abcdefghijklmnopqrstuvwxyz"), what);
	if (target_check_rest(value, err) < 0)
		return -1;
	if (by_name && strchr(value, ',') != NULL)
		return err_set(err, ERR_CONFIG,
			       "process= takes one name; entries are separated by ';'");
	if (by_name && strchr(value, '/') != NULL)
		return err_set(err, ERR_CONFIG,
			       "process= takes a name such as nginx, without '/'");
	if (!by_name && value[0] != '/')
		return err_set(err, ERR_CONFIG,
			       "pidfile= takes an absolute path such as /run/app.pid");
	*(by_name ? &t->process : &t->pidfile) = xstrdup(value);
	return 0;
}

static int act_signal_parse(struct target *t, char *rest, struct err *err)
{
	char *what = strchr(rest, ',');
	char *value;

	if (what == NULL)
		return err_set(err, ERR_CONFIG,
			       "it does not say whom to signal; write "
			       "signal=HUP,process=NAME or signal=HUP,pidfile=PATH");
	*what++ = '\0';
	if (signal_number(text_trim(rest), &t->signal, err) < 0)
		return -1;
	what = text_trim(what);
	value = strchr(what, '=');
	if (value == NULL || value[1] == '\0')
		return err_set(err, ERR_CONFIG,
			       "expected process=NAME or pidfile=PATH behind the signal");
	*value++ = '\0';
	return act_signal_parse_whom(t, what, value, err);
}

static void act_signal_describe(const struct target *t, struct buf *out)
{
	buf_printf(out, "sends SIG%s to ", signal_name(t->signal));
	if (t->process != NULL)
		buf_printf(out, "the process '%s'", t->process);
	else
		buf_printf(out, "the process that '%s' names", t->pidfile);
}

static void act_signal_start(struct act *a, const struct act_work *w)
{
	const struct target *t = w->target;
	struct err err;
	int result;

	if (t->pidfile != NULL)
		result = process_signal_pidfile(t->pidfile, t->signal, &a->warning, &err);
	else
		result = process_signal_name(t->process, t->signal, w->told, &a->warning,
					     &err);
	a->processes = t->pidfile != NULL ? 1 : (int)w->told->count;
	act_end(a, result, &err);
}

const struct target_kind act_signal = {
	.word = "signal",
	.form = "signal=NAME,process=NAME or signal=NAME,pidfile=PATH",
	.options = TARGET_ON,
	.parse = act_signal_parse,
	.describe = act_signal_describe,
	.start = act_signal_start,
};
