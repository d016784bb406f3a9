/* main.c: finds the command. */
#include <stdbool.h>
#include <string.h>

#include "command/command.h"

static const char *without_dashes(const char *name)
{
	if (strcmp(name, "-h") == 0)
		return "help";
	return strncmp(name, "--", 2) == 0 ? name + 2 : name;
}

static bool wants_usage(int argc, char **argv)
{
	for (int i = 2; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return true;
	return false;
}

int main(int argc, char **argv)
{
	const struct command *command;
	const char *nearest = NULL;

	if (argc < 2)
		return command_usage_error("a command is missing");
	command = command_find(without_dashes(argv[1]), &nearest);
	if (command == NULL)
		return command_unknown(argv[1], nearest);
	return wants_usage(argc, argv) ? command_usage(command)
				       : command->run(argc - 1, argv + 1);
}
