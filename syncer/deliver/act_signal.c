#include "deliver/act_signal.h"

#include <signal.h>
#include <string.h>

#include "base/mem.h"
#include "base/signal_name.h"
#include "base/text.h"
#include "deliver/act.h"
#include "deliver/process.h"

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

/* Those on which programs reload or stop. */
static int act_signal_parse_signal(const char *s, int *out, struct err *err)
{
	static const int known[] = { SIGHUP,  SIGINT,  SIGQUIT, SIGUSR1,
				     SIGUSR2, SIGTERM, SIGWINCH };
	int number = 0;

	(void)signal_name_parse(s, &number);
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (known[i] == number) {
			*out = number;
			return 0;
		}
	}
	return err_set(err, ERR_CONFIG,
		       "'%.40s' is not a signal to notify with; use one of HUP, INT, "
		       "QUIT, USR1, USR2, TERM, WINCH",
		       s);
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
	if (act_signal_parse_signal(text_trim(rest), &t->signal, err) < 0)
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
	buf_printf(out, "sends SIG%s to ", signal_name_of(t->signal).text);
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
