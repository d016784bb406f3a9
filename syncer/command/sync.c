/* sync.c: `init` and `sidecar`: the same work, once or until stopped. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/json.h"
#include "command/command.h"
#include "net/http.h"
#include "report/log.h"
#include "report/termlog.h"
#include "run/loop.h"
#include "run/signals.h"

extern char **environ;

/* A stderr that is closed would become a file or a connection of ours, and the log would
 * be written into that. */
static void hold_standard_streams(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

/* What is kept in memory must not reach a core file or another process of this user. */
static int harden(struct err *err)
{
	const struct rlimit none = { 0, 0 };

	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || setrlimit(RLIMIT_CORE, &none) < 0)
		return err_set_errno(err, ERR_IO, "cannot forbid core dumps");
	return 0;
}

/* The environment is kept for when the configuration file changes. */
static int prepare(struct configuration *configuration, char ***env, struct err *err)
{
	int loaded;

	if (harden(err) < 0 || http_global_init(err) < 0)
		return -1;
	json_global_init();
	*env = settings_take(environ);
	loaded = configuration_load(configuration, *env, true, err);
	log_setup((enum log_level)configuration->settings.log_level,
		  (enum log_format)configuration->settings.log_format);
	return loaded;
}

static int fail(int code, const struct err *err)
{
	log_event(LOG_ERROR, "exit",
		  LOG_FIELDS(log_int("code", code), log_str("request", err->request)),
		  "%s", err->msg);
	return code;
}

static int sync_run(enum loop_mode mode, int argc, char **argv)
{
	struct configuration configuration = { 0 };
	struct loop_end end = { 0 };
	char **env = NULL;
	struct err err;
	int result;

	/* Before all else: pid 1 loses a SIGTERM that comes too early, and SIGHUP kills.
	 */
	signals_block();
	hold_standard_streams();
	if (argc > 1)
		return command_usage_error("'%s' takes no arguments; it is configured by "
					   "environment variables",
					   argv[0]);
	result = prepare(&configuration, &env, &err);
	if (result < 0)
		termlog_write(configuration.settings.termination_log, &err);
	else
		result = loop_run(mode, &configuration, &end, &err);
	configuration_done(&configuration);
	settings_untake(env);
	log_finish();
	if (end.interrupted)
		return mode == LOOP_INIT ? EXIT_INTERRUPTED : EXIT_DONE;
	if (result < 0)
		return fail(end.notify_failed ? EXIT_NOTIFY : command_exit_code(&err),
			    &err);
	return EXIT_DONE;
}

int command_init(int argc, char **argv)
{
	return sync_run(LOOP_INIT, argc, argv);
}

int command_sidecar(int argc, char **argv)
{
	return sync_run(LOOP_SIDECAR, argc, argv);
}
