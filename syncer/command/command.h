/*
 * command.h: the commands of the program.  Each takes what follows its name on the
 * command line and gives the exit code.  Exit codes are known here alone.
 */
#ifndef COMMAND_COMMAND_H
#define COMMAND_COMMAND_H

#include "base/buf.h"
#include "base/err.h"

enum exit_code {
	EXIT_DONE = 0,
	EXIT_USAGE = 2,
	EXIT_CONFIG = 3,
	EXIT_DENIED = 4,
	EXIT_NOTFOUND = 5,
	EXIT_UNAVAILABLE = 6,
	EXIT_LOCAL = 7,
	EXIT_NOTIFY = 8,
	EXIT_CANNOT_RUN = 126, /* of exec, as shells have them */
	EXIT_NO_PROGRAM = 127,
	EXIT_INTERRUPTED = 143,
};

/* What each exit code says; ended by a NULL meaning. */
struct exit_row {
	enum exit_code code;
	const char *meaning;
};
extern const struct exit_row exit_rows[];

/*
 * What an option or a command takes, as usage shows it.  Alternatives that begin with a
 * small letter are words that completion offers, each up to its first capital or bracket:
 * "text|json", "restart|signal:SIG|exit[:CODE]".  Others stand for something: "DURATION",
 * "FILE", "[COMMAND]".  Brackets around all of it: it may be left out.
 */
struct command_option {
	const char *name;  /* "--output" */
	const char *value; /* "text|json"; "[=PREFIX]": behind '=' only, or left out;
			      NULL: it has none */
	const char *help;  /* one line */
};

/* Dispatch, usage, completion and the manual are made from a row. */
struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const struct command_option *options; /* ended by a NULL name */
	const char *operand;                  /* what it takes besides; "": nothing */
	const char *help;                     /* one line */
	const char *details; /* what --help says besides, in lines; NULL: nothing */
};

/* All of them, ended by a NULL name. */
extern const struct command commands[];

/* Appends an option as usage shows it: "--output text|json", "--all[=PREFIX]". */
void command_option_text(const struct command_option *option, struct buf *out);

/* Appends what the command takes: "check [--online] [--output text|json] [FILE]". */
void command_synopsis(const struct command *command, struct buf *out);

int command_init(int argc, char **argv);
int command_sidecar(int argc, char **argv);
int command_sidecar_of_exec(void); /* the sidecar of an exec that stands alone */
int command_probe(int argc, char **argv);
int command_refresh(int argc, char **argv);
int command_status(int argc, char **argv);
int command_check(int argc, char **argv);
int command_exec(int argc, char **argv);
int command_install(int argc, char **argv);
int command_help(int argc, char **argv);
int command_version(int argc, char **argv);
int command_man(int argc, char **argv);
int command_completion(int argc, char **argv);

/* The options of these commands, and what the help of exec says besides. */
extern const struct command_option probe_options[], status_options[], check_options[],
	exec_options[], man_options[];
extern const char exec_details[];

/* What one command does and takes: `init --help`. */
int command_usage(const struct command *command);

/* The exit code that stands for a failure. */
int command_exit_code(const struct err *err);

/* Ends what a command printed on stdout: gives the code back, or EXIT_LOCAL when some of
 * it could not be written. */
int command_printed(int code);

/* Prints the line "akvsync: ..." on stderr; gives the code back. */
int command_error(int code, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Prints the line "akvsync: ..." on stderr, and where to find help; EXIT_USAGE. */
int command_usage_error(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* The same for one command, whose own help says more: "Try 'akvsync exec --help'." */
int command_usage_error_of(const char *name, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The usage error of a name that command_find() does not know. */
int command_unknown(const char *name, const char *nearest);

/* The command of a name; NULL: there is none, and *nearest is the name that may be meant,
 * or NULL. */
const struct command *command_find(const char *name, const char **nearest);

#endif
