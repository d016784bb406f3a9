/* sync.c: `init` and `sidecar`: the same work, once or until stopped. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "command/command.h"
#include "config/environment.h"
#include "net/http.h"
#include "report/log.h"
#include "report/termlog.h"
#include "run/signals.h"
#include "run/start.h"
#include "sandbox/harden.h"

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

/* What a run is made from. */
struct sync_input {
	char **env; /* kept for when the configuration file changes */
	struct configuration configuration;
	struct watch *watch; /* of the file; NULL: none */
};

/* A sidecar watches its file before it reads it, so that no change is missed. */
static int prepare(struct sync_input *in, enum loop_mode mode, struct err *err)
{
	struct configuration *configuration = &in->configuration;
	auto_free char *path = NULL;
	int loaded;

	if (harden(err) < 0 || http_global_init(err) < 0)
		return -1;
	json_global_init();
	in->env = environment_take(environ);
	path = configuration_path(in->env);
	if (mode == LOOP_SIDECAR && path != NULL)
		in->watch = watch_new(path, NULL, clock_now_ms());
	loaded = configuration_load(configuration, in->env, true, err);
	log_setup((enum log_level)configuration->settings.log_level,
		  (enum log_format)configuration->settings.log_format);
	return loaded;
}

static int sync_fail(int code, const struct err *err)
{
	log_event(LOG_ERROR, "exit",
		  LOG_FIELDS(log_int("code", code), log_str("request", err->request)),
		  "%s", err->msg);
	return code;
}

static int sync_run(enum loop_mode mode, bool is_of_exec, int argc, char **argv)
{
	struct sync_input in = { 0 };
	struct start_end end = { 0 };
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
	result = prepare(&in, mode, &err);
	in.configuration.settings.is_of_exec = is_of_exec;
	if (result < 0) {
		termlog_write(in.configuration.settings.termination_log, &err);
		watch_free(in.watch);
	} else {
		result = start_run(mode, &in.configuration, in.watch, &end, &err);
	}
	configuration_done(&in.configuration);
	environment_untake(in.env);
	log_finish();
	if (end.interrupted)
		return EXIT_INTERRUPTED;
	if (end.code != 0)
		return end.code;
	if (result < 0)
		return sync_fail(
			end.notify_failed ? EXIT_NOTIFY : command_exit_code(&err), &err);
	return EXIT_DONE;
}

int command_init(int argc, char **argv)
{
	return sync_run(LOOP_INIT, false, argc, argv);
}

int command_sidecar(int argc, char **argv)
{
	return sync_run(LOOP_SIDECAR, false, argc, argv);
}

int command_sidecar_of_exec(void)
{
	char *arguments[] = { (char *)"sidecar", NULL };

	return sync_run(LOOP_SIDECAR, true, 1, arguments);
}
