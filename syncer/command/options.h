/*
 * options.h: reads a command line by the table of the command's options.
 */
#ifndef COMMAND_OPTIONS_H
#define COMMAND_OPTIONS_H

#include <stdbool.h>

#include "base/err.h"
#include "command/command.h"

/* More options than these are no table of a command. */
#define OPTIONS_MAX 8

struct options {
	/* In the order of the table; NULL: not given.  "" for one that takes no value. */
	const char *values[OPTIONS_MAX];
	const char *operand; /* what stands besides; NULL: nothing */
};

/*
 * Reads what follows the name of a command: options as "--name value" or "--name=value",
 * and its operand.  "--" ends the options; of an option that stands twice the last one
 * counts.  A value or an operand that the table gives as words, such as
 * "text|json", has to be one of them.  argv: of the command, ended by NULL; the texts are
 * its own.  EXIT_DONE, or EXIT_USAGE after it has printed what is wrong.
 */
int options_take(const char *name, char **argv, struct options *out) MUST_CHECK;

/* Whether the option at this place of the table has this value. */
bool options_is(const struct options *options, int at, const char *value);

#endif
