#include "deliver/program.h"

#include <string.h>

#include "base/mem.h"

/* How an interpreter finds the script among its arguments: it is the first one that is no
 * option, no value of an option and no word before the script. */
struct interpreter {
	const char *name;   /* also with a version behind it: "python3.11" */
	const char *code;   /* options behind which code stands, and no script */
	const char *valued; /* options whose value is the next argument */
	const char *words;  /* words that may stand before the script */
};

#define SHELL_VALUED "-o +o -O +O --rcfile --init-file"
#define NODE_VALUED                                                                      \
	"-r --require --import --loader --experimental-loader -C --conditions "          \
	"--env-file --title"
#define JAVA_VALUED                                                                      \
	"-cp -classpath --class-path -p --module-path --add-modules --add-opens "        \
	"--add-exports --add-reads --upgrade-module-path --limit-modules --source "      \
	"--enable-native-access"

#define SHELLS 7 /* the first so many */
static const struct interpreter interpreters[] = {
	{ "sh", "-c", SHELL_VALUED, "" },
	{ "dash", "-c", SHELL_VALUED, "" },
	{ "bash", "-c", SHELL_VALUED, "" },
	{ "ash", "-c", SHELL_VALUED, "" },
	{ "ksh", "-c", SHELL_VALUED, "" },
	{ "zsh", "-c", SHELL_VALUED, "" },
	{ "busybox", "-c", SHELL_VALUED, "sh ash" },
	{ "python", "-c", "-W -X --check-hash-based-pycs", "" },
	{ "pypy", "-c", "-W -X", "" },
	{ "node", "-e -p --eval --print", NODE_VALUED, "" },
	{ "nodejs", "-e -p --eval --print", NODE_VALUED, "" },
	{ "java", "", JAVA_VALUED, "" },
	{ "ruby", "-e", "-I -r -C -E", "" },
	{ "perl", "-e -E", "-I", "" },
	{ "php", "-r", "-c -d -z", "" },
	{ "dotnet", "", "--runtimeconfig --depsfile --fx-version --roll-forward",
	  "exec" },
	{ "deno", "", "-c --config", "run" },
	{ "bun", "-e --eval", "-r --preload", "run" },
};

/* "python3.11" is the program "python". */
static bool is_version_of(const char *base, const char *name)
{
	size_t len = strlen(name);

	return strncmp(base, name, len) == 0 &&
	       base[len + strspn(base + len, "0123456789.")] == '\0';
}

const char *program_argv0(const struct proc *p)
{
	const char *first = proc_argument(p, 0);

	return first ? proc_last_part(first) : "";
}

bool program_is(const struct proc *p, const char *name)
{
	return is_version_of(program_argv0(p), name) ||
	       (p->exe && is_version_of(p->exe, name));
}

static const struct interpreter *find_interpreter(const struct proc *p)
{
	for (size_t i = 0; i < ARRAY_LEN(interpreters); i++)
		if (program_is(p, interpreters[i].name))
			return &interpreters[i];
	return NULL;
}

bool program_is_shell(const struct proc *p)
{
	const struct interpreter *found = find_interpreter(p);

	return found != NULL && found < interpreters + SHELLS;
}

/* One of the words in a list that spaces separate. */
static bool is_listed(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (; *list; list += strcspn(list, " "), list += strspn(list, " "))
		if (strcspn(list, " ") == len && strncmp(list, word, len) == 0)
			return true;
	return false;
}

/* The last option of a cluster such as -ec, which may be one option only; '\0': none.  A
 * longer argument is an option with its value, such as -rdate. */
static char last_option(const char *argument)
{
	size_t len = strspn(argument + 1, "abcdefghijklmnopqrstuvwxyz");

	return len > 0 && len <= 4 && argument[1 + len] == '\0' ? argument[len] : '\0';
}

enum argument { ARGUMENT_SCRIPT, ARGUMENT_CODE, ARGUMENT_VALUED, ARGUMENT_OTHER };

static enum argument program_kind_of(const struct interpreter *by, const char *argument)
{
	const char option[] = { '-', argument[0] == '-' ? last_option(argument) : '\0',
				'\0' };

	if (is_listed(by->valued, argument) || is_listed(by->valued, option))
		return ARGUMENT_VALUED;
	if (is_listed(by->code, argument) || is_listed(by->code, option))
		return ARGUMENT_CODE;
	if (argument[0] == '-' || is_listed(by->words, argument))
		return ARGUMENT_OTHER;
	return ARGUMENT_SCRIPT;
}

const char *program_script(const struct proc *p)
{
	const struct interpreter *by = find_interpreter(p);
	const char *argument;

	for (size_t i = 1; by && (argument = proc_argument(p, i)) != NULL; i++) {
		enum argument kind = program_kind_of(by, argument);

		if (kind == ARGUMENT_SCRIPT)
			return argument;
		if (kind == ARGUMENT_CODE)
			return NULL;
		i += kind == ARGUMENT_VALUED;
	}
	return NULL;
}
