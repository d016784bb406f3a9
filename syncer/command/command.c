#include "command/command.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

const struct command commands[] = {
	{ "init", "", command_init, "fetch all objects once, publish them, exit", NULL },
	{ "sidecar", "", command_sidecar,
	  "fetch all objects, publish them, then poll for new versions until SIGTERM",
	  NULL },
	{ "probe", "startup|ready|live [--wait DURATION]", command_probe,
	  "startup, ready or live: ask the running sidecar; exit 0: yes; "
	  "startup --wait 5s: wait so long for a yes",
	  NULL },
	{ "refresh", "", command_refresh, "ask the running sidecar to poll now", NULL },
	{ "check", "[--online] [--output text|json] [--pods N] [FILE]", command_check,
	  "show what the configuration comes to; --online: try it; --pods: its cost",
	  check_details },
	{ "exec", "[OPTION...] -- CMD [ARG...]", command_exec,
	  "run CMD with secrets in its environment, and start it again when one changes",
	  exec_details },
	{ "install", "DIR", command_install,
	  "copy this program into a directory, so that any app can run it", NULL },
	{ "help", "[COMMAND]", command_help,
	  "list all commands, variables and exit codes; or what one command takes",
	  NULL },
	{ "version", "", command_version, "print the version", NULL },
	{ NULL, NULL, NULL, NULL, NULL },
};

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
