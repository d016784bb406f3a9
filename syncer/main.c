/* main.c: finds the command. */
#include <stdbool.h>
#include <string.h>

#include "base/text.h"
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
	const char *names[16], *nearest;
	size_t count = 0;

	if (argc < 2)
		return command_usage_error("a command is missing");
	for (const struct command *c = commands; c->name; c++) {
		if (strcmp(without_dashes(argv[1]), c->name) == 0)
			return wants_usage(argc, argv) ? command_usage(c)
						       : c->run(argc - 1, argv + 1);
		names[count++] = c->name;
	}
	nearest = text_nearest(argv[1], names, count);
	return command_usage_error("unknown command '%s'%s%s%s", argv[1],
				   nearest ? "; did you mean '" : "",
				   nearest ? nearest : "", nearest ? "'?" : "");
}
