/* help.c: `help`, `version`, and --help of each command. */
#include <stdio.h>

#include "base/buf.h"
#include "command/command.h"
#include "command/options.h"
#include "config/settings.h"

const struct exit_row exit_rows[] = {
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
	{ EXIT_DONE, NULL },
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
	struct options options;

	(void)argc;
	if (options_take("help", argv, &options) != EXIT_DONE)
		return EXIT_USAGE;
	if (options.operand != NULL)
		return help_on(options.operand);
	puts("akvsync " AKVSYNC_VERSION
	     ": Azure Key Vault secrets as files in a pod, kept up to date.\n\n"
	     "usage: akvsync COMMAND\n");
	for (const struct command *c = commands; c->name; c++)
		printf("  %-10s %s\n", c->name, c->help);
	puts("\nEverything is configured by environment variables:\n");
	settings_help(&variables);
	fputs(buf_str(&variables), stdout);
	puts("\nSignals: SIGHUP polls now; SIGTERM and SIGINT stop.\n\nExit codes:\n");
	for (const struct exit_row *e = exit_rows; e->meaning; e++)
		printf("  %3d  %s\n", e->code, e->meaning);
	puts("\n'akvsync man' prints the whole manual.");
	buf_done(&variables);
	return command_printed(EXIT_DONE);
}

int command_usage(const struct command *command)
{
	const struct command_option *option = command->options;
	struct buf synopsis = BUF_INIT(1024);

	command_synopsis(command, &synopsis);
	printf("usage: akvsync %s\n\n  %s\n\n", buf_str(&synopsis), command->help);
	if (option->name != NULL)
		puts("Options:");
	for (; option->name != NULL; option++) {
		auto_buf struct buf text = BUF_INIT(256);

		command_option_text(option, &text);
		printf("  %s\n      %s\n", buf_str(&text), option->help);
	}
	if (command->options->name != NULL)
		puts("");
	if (command->details != NULL)
		puts(command->details);
	puts("'akvsync help' lists all variables and exit codes.");
	buf_done(&synopsis);
	return command_printed(EXIT_DONE);
}

int command_version(int argc, char **argv)
{
	struct options options;

	(void)argc;
	if (options_take("version", argv, &options) != EXIT_DONE)
		return EXIT_USAGE;
	puts(AKVSYNC_VERSION);
	return command_printed(EXIT_DONE);
}
