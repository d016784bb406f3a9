#include "command/command.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "command/plain.h"

static const char probe_details[] =
	"Exit code: 0: yes; 6: the sidecar says no, and why; 7: no sidecar answers.\n";

static const char status_details[] =
	"Exit code: 0: the sidecar is ready; 6: it is not; 7: no sidecar answers.\n";

static const struct command_option no_options[] = { { NULL, NULL, NULL } };
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
	{ "status", command_status, status_options, "",
	  "what the running sidecar says of each object: its version, age and failures",
	  status_details },
	{ "check", command_check, check_options, "[FILE]",
	  "show what the configuration comes to, the files that it makes, and its cost",
	  NULL },
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

void command_option_text(const struct command_option *option, struct buf *out)
{
	const char *value = option->value != NULL ? option->value : "";

	buf_printf(out, "%s%s%s", option->name, *value && *value != '[' ? " " : "",
		   value);
}

static void synopsis_options(const struct command_option *options, struct buf *out)
{
	size_t count = 0;

	while (options[count].name != NULL)
		count++;
	if (count > SYNOPSIS_OPTIONS)
		buf_text(out, " [OPTION...]");
	for (size_t i = 0; i < count && count <= SYNOPSIS_OPTIONS; i++) {
		buf_text(out, " [");
		command_option_text(&options[i], out);
		buf_text(out, "]");
	}
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

/* The longest that is printed; no message is so long. */
#define COMPLAINT_MAX_BYTES (64 * 1024)

/* A message may quote an argument, or another process. */
static void complain(const char *fmt, va_list ap)
{
	auto_free char *text = xvasprintf(fmt, ap);
	auto_buf struct buf plain = BUF_INIT(COMPLAINT_MAX_BYTES);

	plain_add(&plain, text, strlen(text), true);
	fprintf(stderr, "akvsync: %s\n", buf_str(&plain));
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
