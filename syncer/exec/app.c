#include "exec/app.h"

#include <errno.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/signal_name.h"
#include "exec/terminal.h"
#include "report/log.h"

void app_init(struct app *a)
{
	values_init(&a->values);
	a->has_terminal = terminal_is_ours();
}

void app_done(struct app *a)
{
	values_done(&a->values);
}

/* ---- its start ---- */

static void tell_advice(struct app *a, const struct variables_made *made)
{
	if (made->skipped.len > 0 && !a->advised)
		log_event(LOG_WARN, "advice", NULL,
			  "--all never sets what changes how programs are found and run: "
			  "%s; give another name by --env NAME=akvsync:PATH",
			  buf_str(&made->skipped));
	if (made->partial.len > 0 && !a->advised)
		log_event(LOG_WARN, "advice", NULL,
			  "%s: a reference inside of a longer value is not replaced; "
			  "give the secret a variable of its own, or let akvsync write "
			  "the whole text by a template",
			  buf_str(&made->partial));
	a->advised = true;
}

static void tell_running(const struct app *a)
{
	auto_buf struct buf names = BUF_INIT(VALUES_NAMES_MAX_BYTES);

	for (size_t i = 0; i < a->values.given.given_count; i++)
		buf_printf(&names, "%s%s", i ? ", " : "", a->values.given.given[i].name);
	log_event(LOG_INFO, "running",
		  LOG_FIELDS(log_int("child", a->pid),
			     log_str("variables", buf_str(&names))),
		  "'%s' runs with %zu variable%s from '%s'%s", a->arguments->command[0],
		  a->values.given.given_count,
		  a->values.given.given_count == 1 ? "" : "s", a->values.dir,
		  a->values.given.given_count == 0
			  ? "; no variable has the value akvsync:PATH"
			  : "");
}

int app_start(struct app *a, struct faults *faults, bool *cannot_run, struct err *err)
{
	struct child_plan plan = {
		.origin = a->origin,
		.command = a->arguments->command,
		.in_foreground = terminal_is_for_command(),
	};
	struct variables_made made;
	int result;

	if (values_make(&a->values, &made, err) < 0) {
		*faults = made.faults;
		made.faults = (struct faults){ 0 };
		variables_done(&made);
		return -1;
	}
	plan.env = made.env;
	result = child_start(&plan, &a->pid, err);
	variables_forget_values(&made);
	values_gave(&a->values, &made);
	*cannot_run = result < 0;
	if (result < 0) {
		a->pid = 0;
		return -1;
	}
	a->group = a->pid;
	a->is_stopped = a->is_refused = false;
	if (plan.in_foreground)
		terminal_give(a->group);
	tell_advice(a, &a->values.given);
	tell_running(a);
	return 0;
}

/* ---- what a change leads to ---- */

/* False, and told of once, when CMD has become another user, as a set-uid program does:
 * nothing can be done then until it ends. */
static bool app_send(struct app *a, pid_t to, int number)
{
	if (kill(to, number) == 0 || errno != EPERM)
		return true;
	if (!a->is_refused)
		log_event(LOG_WARN, "not-permitted", LOG_FIELDS(log_int("child", a->pid)),
			  "'%s' runs as another user, whom exec may not signal: it keeps "
			  "the values that it has until it ends; run exec as that user, "
			  "or give it the capability KILL",
			  a->arguments->command[0]);
	a->is_refused = true;
	return false;
}

void app_ask_to_end(struct app *a)
{
	const struct arguments *o = a->arguments;
	auto_buf struct buf names = BUF_INIT(VALUES_NAMES_MAX_BYTES);
	bool ends = o->restart.policy == RESTART_POLICY_EXIT;

	values_names(&a->values, &names);
	if (!app_send(a, o->kill_group ? -a->group : a->pid, o->stop_signal))
		return;
	log_event(LOG_INFO, ends ? "leave" : "restart",
		  LOG_FIELDS(log_int("child", a->pid),
			     log_str("variables", buf_str(&names))),
		  "'%s' is asked to end%s: a value changed", o->command[0],
		  ends ? "" : ", and will be started again");
	if (a->is_stopped)
		(void)kill(-a->group, SIGCONT);
}

void app_tell(struct app *a)
{
	auto_buf struct buf names = BUF_INIT(VALUES_NAMES_MAX_BYTES);
	struct signal_name name = signal_name_of(a->arguments->change_signal);

	values_names(&a->values, &names);
	if (app_send(a, a->pid, a->arguments->change_signal))
		log_event(LOG_INFO, "signal",
			  LOG_FIELDS(log_int("child", a->pid),
				     log_str("signal", name.text),
				     log_str("variables", buf_str(&names))),
			  "'%s' got SIG%s: a value changed", a->arguments->command[0],
			  name.text);
	values_told(&a->values);
}

void app_kill(struct app *a)
{
	if (app_send(a, a->pid, SIGKILL))
		log_event(LOG_WARN, "kill", LOG_FIELDS(log_int("child", a->pid)),
			  "'%s' did not end within the grace, and is killed",
			  a->arguments->command[0]);
	(void)kill(-a->group, SIGKILL);
}

/* ---- what becomes of it ---- */

int app_exit_code(const siginfo_t *info)
{
	return info->si_code == CLD_EXITED ? info->si_status : 128 + info->si_status;
}

void app_stopped(struct app *a, int number)
{
	a->is_stopped = terminal_follow_stop(a->group, number, a->has_terminal);
}

void app_continue(struct app *a)
{
	if (terminal_is_for_command())
		terminal_give(a->group);
	(void)kill(a->is_stopped ? -a->group : a->pid, SIGCONT);
	a->is_stopped = false;
}

void app_ended(struct app *a, const siginfo_t *info)
{
	a->code = app_exit_code(info);
	a->pid = 0;
	terminal_take_back(a->group);
	if (info->si_code == CLD_EXITED) {
		log_event(LOG_INFO, "ended", LOG_FIELDS(log_int("code", a->code)),
			  "'%s' has ended with exit code %d", a->arguments->command[0],
			  a->code);
		return;
	}
	log_event(LOG_INFO, "ended", LOG_FIELDS(log_int("code", a->code)),
		  "'%s' was ended by SIG%s", a->arguments->command[0],
		  signal_name_of(info->si_status).text);
}
