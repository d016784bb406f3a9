#include "command/command.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

static const char probe_details[] =
	"Exit code: 0: yes; 6: the sidecar says no, and why; 7: no sidecar answers.\n";

static const struct command_option no_options[] = { { NULL, NULL, NULL } };
static const struct command_option probe_options[] = {
	{ "--wait", "DURATION", "startup: wait so long for a yes, up to 1m" },
	{ NULL, NULL, NULL },
};
static const struct command_option check_options[] = {
	{ "--online", NULL, "sign in and read every object, too" },
	{ "--output", "text|json", "the report for people, or for machines" },
	{ NULL, NULL, NULL },
};
static const struct command_option man_options[] = {
	{ "--format", "text|roff", "text for a pager, or the page akvsync.1" },
	{ NULL, NULL, NULL },
};

const struct command commands[] = {
	{ "init", command_init, no_options, "",
	  "fetch all objects once, publish them, exit", NULL },
	{ "sidecar", command_sidecar, no_options, "",
	  "fetch all objects, publish them, then poll for new versions until SIGTERM",
	  NULL },
	{ "probe", command_probe, probe_options, "startup|ready|live",
	  "ask the running sidecar, for a probe of Kubernetes; exit 0: yes",
	  probe_details },
	{ "refresh", command_refresh, no_options, "",
	  "ask the running sidecar to poll now", probe_details },
	{ "check", command_check, check_options, "[FILE]",
	  "show what the configuration comes to, and the files that it makes", NULL },
	{ "exec", command_exec, exec_options, "-- CMD [ARG...]",
	  "run CMD with secrets in its environment, and start it again when one changes",
	  exec_details },
	{ "install", command_install, no_options, "DIR",
	  "copy this program into a directory, so that any app can run it", NULL },
	{ "help", command_help, no_options, "[COMMAND]",
	  "list all commands, variables and exit codes; or what one command takes",
	  NULL },
	{ "man", command_man, man_options, "",
	  "print the whole manual: akvsync man | less", NULL },
	{ "completion", command_completion, no_options, "bash|zsh|fish",
	  "print the completion of commands and options for a shell", NULL },
	{ "version", command_version, no_options, "", "print the version", NULL },
	{ NULL, NULL, NULL, NULL, NULL, NULL },
};

/* More options than these are "[OPTION...]". */
#define SYNOPSIS_OPTIONS 3

static void synopsis_options(const struct command_option *options, struct buf *out)
{
	size_t count = 0;

	while (options[count].name != NULL)
		count++;
	if (count > SYNOPSIS_OPTIONS)
		buf_text(out, " [OPTION...]");
	for (size_t i = 0; i < count && count <= SYNOPSIS_OPTIONS; i++)
		buf_printf(out, " [%s%s%s]", options[i].name, options[i].value ? " " : "",
			   options[i].value ? options[i].value : "");
}

void command_synopsis(const struct command *command, struct buf *out)
{
	const char *operand = command->operand;
	/* Words say what the command does: the options come behind them. */
	bool is_words = islower((unsigned char)*operand);

	buf_text(out, command->name);
	if (is_words)
		buf_printf(out, " %s", operand);
	synopsis_options(command->options, out);
	if (!is_words && *operand)
		buf_printf(out, " %s", operand);
}

int command_exit_code(const struct err *err)
{
	switch (err->kind) {
	case ERR_NONE:
		return EXIT_DONE;
	case ERR_USAGE:
		return EXIT_USAGE;
	case ERR_CONFIG:
		return EXIT_CONFIG;
	case ERR_IDENTITY:
	case ERR_DENIED:
		return EXIT_DENIED;
	case ERR_NOTFOUND:
		return EXIT_NOTFOUND;
	case ERR_GARBLED:
	case ERR_UNAVAILABLE:
		return EXIT_UNAVAILABLE;
	case ERR_IO:
		break;
	}
	return EXIT_LOCAL;
}

int command_printed(int code)
{
	/* A line that could not be written before leaves nothing to flush. */
	return fflush(stdout) == 0 && !ferror(stdout) ? code : EXIT_LOCAL;
}

static void complain(const char *fmt, va_list ap)
{
	fputs("akvsync: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputs("\n", stderr);
}

int command_error(int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(fmt, ap);
	va_end(ap);
	return code;
}

/* help and more: the arguments that print what is allowed. */
static int usage_error(const char *help, const char *more, const char *fmt, va_list ap)
{
	complain(fmt, ap);
	fprintf(stderr, "Try 'akvsync %s%s'.\n", help, more);
	return EXIT_USAGE;
}

int command_usage_error(const char *fmt, ...)
{
	va_list ap;
	int code;

	va_start(ap, fmt);
	code = usage_error("help", "", fmt, ap);
	va_end(ap);
	return code;
}

int command_usage_error_of(const char *name, const char *fmt, ...)
{
	va_list ap;
	int code;

	va_start(ap, fmt);
	code = usage_error(name, " --help", fmt, ap);
	va_end(ap);
	return code;
}

int command_unknown(const char *name, const char *nearest)
{
	return command_usage_error("unknown command '%s'%s%s%s", name,
				   nearest ? "; did you mean '" : "",
				   nearest ? nearest : "", nearest ? "'?" : "");
}

const struct command *command_find(const char *name, const char **nearest)
{
	const char *names[ARRAY_LEN(commands)];
	size_t count = 0;

	for (const struct command *c = commands; c->name; c++) {
		if (strcmp(name, c->name) == 0)
			return c;
		names[count++] = c->name;
	}
	*nearest = text_nearest(name, names, count);
	return NULL;
}
