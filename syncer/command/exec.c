/* exec.c: `exec`: runs a command with values of the files in its environment. */
#include <stdlib.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "command/command.h"
#include "config/environment.h"
#include "config/variable.h"
#include "exec/supervise.h"
#include "report/log.h"
#include "report/termlog.h"

extern char **environ;

const struct command_option exec_options[] = {
	{ "--env", "NAME=REFERENCE", "one variable more" },
	{ "--all", "[=PREFIX]", "one for each file: db/password becomes DB_PASSWORD" },
	{ "--trim", "newline", "without the line end at the end of a value" },
	{ "--on-change", "restart|signal:SIG|exit[:CODE]|ignore",
	  "when a value changes: end CMD and start it again (the default); send it a "
	  "signal; end CMD, and exit with CODE (88); do nothing" },
	{ "--stop-signal", "SIG", "what asks CMD to end: TERM" },
	{ "--kill-group", NULL, "send that to all of CMD's process group" },
	{ "--grace", "DURATION", "so long until CMD is killed: 10s" },
	{ "--debounce", "DURATION",
	  "so long more changes are waited for, at most five times: 2s" },
	{ "--min-uptime", "DURATION",
	  "between two starts: 1s; doubled, up to 60 times, while CMD lives less than "
	  "ten "
	  "times of it" },
	{ "--keep-identity", NULL, "CMD gets AZURE_CLIENT_ID and the like, too" },
	{ NULL, NULL, NULL },
};

const char exec_details[] =
	"A variable whose whole value is a reference gets a file's content:\n"
	"  akvsync:PATH        the file PATH of AKVSYNC_DIR\n"
	"  akvsync:PATH#KEY    KEY of its JSON, or a JSON pointer: #/users/0/name\n"
	"  NAME@azurekeyvault  as akv2k8s has it, also with ?KEY\n"
	"CMD gets neither AKVSYNC_* nor the variables of an Azure identity.\n\n"
	"With AKVSYNC_OBJECTS or AKVSYNC_CONFIG set, exec also runs the sidecar, on a\n"
	"directory of its own, and needs nothing else.\n\n"
	"Exit code: CMD's; 128 and the number of the signal that ended CMD; 127: there "
	"is\n"
	"no CMD; 126: it cannot be run. AKVSYNC_INIT_TIMEOUT is how long exec waits for\n"
	"the first set of files, AKVSYNC_NOTIFY_SPLAY delays a restart at random.\n";

/* The sidecar of a process that stands alone. */
static int run_sidecar_in(const char *dir)
{
	if (setenv("AKVSYNC_DIR", dir, 1) < 0)
		return EXIT_LOCAL;
	return command_sidecar_of_exec();
}

/* Whether this process has to bring the files itself, since it is told which. */
static bool stands_alone(char *const *env)
{
	return variable_find(env, "AKVSYNC_OBJECTS") != NULL ||
	       variable_find(env, "AKVSYNC_CONFIG") != NULL;
}

static int open_alone(struct alone *alone, struct settings *s, char *const *env,
		      const struct child_origin *origin, struct err *err)
{
	bool is_named = variable_find(env, "AKVSYNC_DIR") != NULL;

	if (!stands_alone(env))
		return 0;
	if (alone_open(alone, is_named ? s->dir : NULL, run_sidecar_in, origin, err) < 0)
		return -1;
	free(s->dir);
	s->dir = xstrdup(alone->dir);
	return 0;
}

static int exec_fail(const struct settings *s, const struct supervise_end *end,
		     const struct err *err)
{
	int code = command_exit_code(err);

	if (end->is_from_start)
		code = err->kind == ERR_NOTFOUND ? EXIT_NO_PROGRAM : EXIT_CANNOT_RUN;
	/* Of our own sidecar, which has said why. */
	if (end->code != 0)
		code = end->code;
	else
		termlog_write(s->termination_log, err);
	log_event(LOG_ERROR, "exit",
		  LOG_FIELDS(log_int("code", code),
			     log_raw("faults", faults_list(&end->faults))),
		  "%s", err->msg);
	return code;
}

static int exec_run(const struct arguments *arguments, const struct child_origin *origin,
		    char *const *env)
{
	struct supervise_end end = { 0 };
	struct settings settings;
	struct alone alone = { 0 };
	struct supervise_input in = { arguments, &settings, env, origin, &alone };
	struct err err;
	int loaded = environment_load_reader(&settings, env, &err);
	int code;

	log_setup((enum log_level)settings.log_level,
		  (enum log_format)settings.log_format);
	if (loaded < 0 || open_alone(&alone, &settings, env, origin, &err) < 0 ||
	    supervise_run(&in, &end, &err) < 0)
		code = exec_fail(&settings, &end, &err);
	else
		code = end.code;
	alone_close(&alone, arguments->restart.grace_ms);
	faults_done(&end.faults);
	log_finish();
	settings_done(&settings);
	return code;
}

int command_exec(int argc, char **argv)
{
	struct child_origin origin;
	struct arguments arguments;
	struct err err;
	int code;

	if (arguments_parse(&arguments, argc - 1, argv + 1, &err) < 0) {
		arguments_done(&arguments);
		return command_usage_error_of("exec", "%s", err.msg);
	}
	if (child_prepare(&origin, &err) < 0)
		return command_error(EXIT_LOCAL, "%s", err.msg);
	json_global_init();
	code = exec_run(&arguments, &origin, environ);
	arguments_done(&arguments);
	return code;
}
