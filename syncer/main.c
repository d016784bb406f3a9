/* main.c: finds the command. */
#include <string.h>

#include "base/text.h"
#include "command/command.h"

static const char *without_dashes(const char *name)
{
	if (strcmp(name, "-h") == 0)
		return "help";
	return strncmp(name, "--", 2) == 0 ? name + 2 : name;
}

int main(int argc, char **argv)
{
	const char *names[16], *nearest;
	size_t count = 0;

	if (argc < 2)
		return command_usage_error("a command is missing");
	for (const struct command *c = commands; c->name; c++) {
		if (strcmp(without_dashes(argv[1]), c->name) == 0)
			return c->run(argc - 1, argv + 1);
		names[count++] = c->name;
	}
	nearest = text_nearest(argv[1], names, count);
	return command_usage_error("unknown command '%s'%s%s%s", argv[1],
				   nearest ? "; did you mean '" : "",
				   nearest ? nearest : "", nearest ? "'?" : "");
}
