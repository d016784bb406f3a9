/* help.c: `help`, `version`, and --help of each command. */
#include <stdio.h>

#include "base/buf.h"
#include "command/command.h"
#include "config/settings.h"

static const struct {
	int code;
	const char *meaning;
} exits[] = {
	{ EXIT_DONE, "done (sidecar: also SIGTERM after its first set)" },
	{ EXIT_USAGE, "the command line is wrong" },
	{ EXIT_CONFIG, "the configuration is wrong" },
	{ EXIT_DENIED, "identity refused, or permission denied" },
	{ EXIT_NOTFOUND, "an object does not exist" },
	{ EXIT_UNAVAILABLE, "vault or network unavailable until AKVSYNC_INIT_TIMEOUT" },
	{ EXIT_LOCAL, "local files: the volume cannot be written" },
	{ EXIT_NOTIFY,
	  "an on=first notify target failed, or a precheck refused the set" },
	{ EXIT_CANNOT_RUN, "exec: CMD cannot be run; its other codes are CMD's own" },
	{ EXIT_NO_PROGRAM, "exec: there is no CMD" },
	{ EXIT_INTERRUPTED, "stopped by a signal before the first set was published" },
};

static int help_on(const char *name)
{
	const char *nearest = NULL;
	const struct command *command = command_find(name, &nearest);

	return command != NULL ? command_usage(command) : command_unknown(name, nearest);
}

int command_help(int argc, char **argv)
{
	struct buf variables = BUF_INIT(64 * 1024);

	if (argc > 1)
		return help_on(argv[1]);
	puts("akvsync " AKVSYNC_VERSION
	     ": Azure Key Vault secrets as files in a pod, kept up to date.\n\n"
	     "usage: akvsync COMMAND\n");
	for (const struct command *c = commands; c->name; c++)
		printf("  %-9s %s\n", c->name, c->help);
	puts("\nEverything is configured by environment variables:\n");
	settings_help(&variables);
	fputs(buf_str(&variables), stdout);
	puts("\nSignals: SIGHUP polls now; SIGTERM and SIGINT stop.\n\nExit codes:\n");
	for (size_t i = 0; i < sizeof(exits) / sizeof(exits[0]); i++)
		printf("  %3d  %s\n", exits[i].code, exits[i].meaning);
	buf_done(&variables);
	return command_printed(EXIT_DONE);
}

int command_usage(const struct command *command)
{
	printf("usage: akvsync %s%s%s\n\n  %s\n\n%s'akvsync help' lists all variables "
	       "and "
	       "exit codes.\n",
	       command->name, *command->arguments ? " " : "", command->arguments,
	       command->help, command->details ? command->details : "");
	return command_printed(EXIT_DONE);
}

int command_version(int argc, char **argv)
{
	(void)argc, (void)argv;
	puts(AKVSYNC_VERSION);
	return command_printed(EXIT_DONE);
}
