#include "command/options.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

/* The place of an option in the table; -1: there is none of this name. */
static int options_find(const struct command_option *table, const char *name, size_t len)
{
	for (int i = 0; table[i].name != NULL; i++)
		if (strlen(table[i].name) == len &&
		    strncmp(table[i].name, name, len) == 0)
			return i;
	return -1;
}

static int options_unknown(const struct command *command, const char *argument)
{
	auto_free char *name = xstrndup(argument, strcspn(argument, "="));
	const char *names[OPTIONS_MAX + 1], *nearest;
	size_t count = 0;

	for (; command->options[count].name != NULL; count++)
		names[count] = command->options[count].name;
	nearest = text_nearest(name, names, count);
	return command_usage_error_of(command->name, "'%s' takes no %.40s%s%s%s",
				      command->name, name,
				      nearest ? "; did you mean " : "",
				      nearest ? nearest : "", nearest ? "?" : "");
}

/* Whether this is one of the words, such as "json" of "text|json".  Words begin with a
 * small letter; anything else takes any text. */
static bool options_allow(const char *words, const char *value)
{
	size_t len = strlen(value);

	if (!islower((unsigned char)*words))
		return len > 0;
	for (const char *word = words; *word; word += strspn(word, "|")) {
		size_t n = strcspn(word, "|");

		if (n == len && strncmp(word, value, len) == 0)
			return true;
		word += n;
	}
	return false;
}

/* Prints that an option, or the command, takes something else; EXIT_USAGE. */
static int options_refuse(const struct command *command, const char *what,
			  const char *takes, const char *value)
{
	return command_usage_error_of(command->name, "%s takes %s%s%.60s%s", what, takes,
				      value ? ", not '" : "", value ? value : "",
				      value ? "'" : "");
}

/* Takes the option at **argv, which stays at its last argument. */
static int options_take_one(const struct command *command, char ***argv,
			    struct options *out)
{
	char *argument = **argv;
	size_t len = strcspn(argument, "=");
	int at = options_find(command->options, argument, len);
	const char *value = argument[len] == '=' ? argument + len + 1 : NULL;
	const struct command_option *option;

	if (at < 0)
		return options_unknown(command, argument);
	option = &command->options[at];
	if (option->value == NULL && value != NULL)
		return options_refuse(command, option->name, "no value", value);
	if (option->value != NULL && value == NULL && (*argv)[1] != NULL)
		value = *++*argv;
	if (option->value != NULL &&
	    (value == NULL || !options_allow(option->value, value)))
		return options_refuse(command, option->name, option->value, value);
	out->values[at] = value != NULL ? value : "";
	return EXIT_DONE;
}

int options_take(const char *name, char **argv, struct options *out)
{
	const char *nearest;
	const struct command *command = command_find(name, &nearest);
	auto_free char *what = xasprintf("'%s'", name);
	const char *operand = *command->operand ? command->operand : "no argument";
	bool ended = false; /* by "--" */
	int code = EXIT_DONE;

	*out = (struct options){ 0 };
	while (code == EXIT_DONE && *++argv != NULL) {
		if (!ended && strcmp(*argv, "--") == 0)
			ended = true;
		else if (!ended && (*argv)[0] == '-')
			code = options_take_one(command, &argv, out);
		else if (out->operand != NULL || !*command->operand ||
			 !options_allow(operand, *argv))
			code = options_refuse(command, what, operand, *argv);
		else
			out->operand = *argv;
	}
	if (code == EXIT_DONE && out->operand == NULL && *command->operand &&
	    *operand != '[')
		code = options_refuse(command, what, operand, NULL);
	return code;
}

bool options_is(const struct options *options, int at, const char *value)
{
	return options->values[at] != NULL && strcmp(options->values[at], value) == 0;
}
