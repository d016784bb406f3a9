/* completion.c: `completion`: scripts for shells, made from the table of the commands. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "command/command.h"
#include "command/options.h"

#define SCRIPT_MAX_BYTES (64 * 1024)

/* ---- what may stand somewhere ---- */

/* What an operand stands for, besides words. */
enum operand_kind { OPERAND_NONE, OPERAND_FILE, OPERAND_DIRECTORY, OPERAND_PROGRAM };

static enum operand_kind operand_kind(const char *operand)
{
	static const struct {
		const char *operand;
		enum operand_kind kind;
	} rows[] = {
		{ "[FILE]", OPERAND_FILE },
		{ "DIR", OPERAND_DIRECTORY },
		{ "-- CMD [ARG...]", OPERAND_PROGRAM },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strcmp(operand, rows[i].operand) == 0)
			return rows[i].kind;
	return OPERAND_NONE;
}

static void add_commands(struct buf *out)
{
	for (const struct command *c = commands; c->name; c++)
		buf_printf(out, "%s%s", c == commands ? "" : " ", c->name);
}

/* Appends the words that a value or an operand may be, with blanks between them; nothing
 * when it is no word.  See struct command_option. */
static void add_words(struct buf *out, const char *value)
{
	const char *between = "";

	if (value != NULL && strcmp(value, "[COMMAND]") == 0)
		add_commands(out);
	if (value == NULL || !islower((unsigned char)*value))
		return;
	while (*value) {
		size_t whole = strcspn(value, "|");
		size_t word = strcspn(value, "|[ABCDEFGHIJKLMNOPQRSTUVWXYZ");

		buf_printf(out, "%s%.*s", between, (int)word, value);
		between = " ";
		value += whole + (value[whole] == '|');
	}
}

/* Appends a text with a backslash before each of these characters. */
static void add_escaped(struct buf *out, const char *text, const char *escaped)
{
	for (; *text; text++)
		buf_printf(out, "%s%c", strchr(escaped, *text) ? "\\" : "", *text);
}

/* ---- bash ---- */

static const char bash_begin[] =
	"# Completion of akvsync for bash; made by 'akvsync completion bash'.\n"
	"_akvsync()\n"
	"{\n"
	"\tlocal cur=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
	"\tlocal words= kind= i\n"
	"\t# Bash takes NAME=VALUE for three words.\n"
	"\tif [[ $cur == = ]]; then\n"
	"\t\tcur=\n"
	"\telif [[ $before == = ]]; then\n"
	"\t\tbefore=${COMP_WORDS[COMP_CWORD-2]}\n"
	"\tfi\n"
	"\tfor ((i = 2; i < COMP_CWORD; i++)); do\n"
	"\t\t[[ ${COMP_WORDS[i]} == -- ]] || continue\n"
	"\t\tbefore=--\n"
	"\t\t((i + 1 == COMP_CWORD)) || before='-- CMD'\n"
	"\t\tbreak\n"
	"\tdone\n"
	"\tcase \"$COMP_CWORD ${COMP_WORDS[1]} $before\" in\n";

static const char bash_end[] = "\tesac\n"
			       "\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
			       "\tif [[ -n $kind ]]; then\n"
			       "\t\tcompopt -o filenames 2>/dev/null\n"
			       "\t\twhile IFS= read -r i; do\n"
			       "\t\t\tCOMPREPLY+=(\"$i\")\n"
			       "\t\tdone < <(compgen \"$kind\" -- \"$cur\")\n"
			       "\tfi\n"
			       "\tif [[ ${COMPREPLY[0]-} == *: ]]; then\n"
			       "\t\tcompopt -o nospace 2>/dev/null\n"
			       "\tfi\n"
			       "}\n"
			       "complete -F _akvsync akvsync\n";

static void bash_command(struct buf *out, const struct command *command)
{
	static const char *const kinds[] = {
		[OPERAND_NONE] = "",
		[OPERAND_FILE] = " kind=-f",
		[OPERAND_DIRECTORY] = " kind=-d",
		[OPERAND_PROGRAM] = "", /* behind -- */
	};
	enum operand_kind kind = operand_kind(command->operand);

	if (kind == OPERAND_PROGRAM)
		buf_printf(out, "\t*' %s --') kind=-c ;;\n\t*' %s -- CMD') kind=-f ;;\n",
			   command->name, command->name);
	for (const struct command_option *o = command->options; o->name; o++) {
		if (o->value == NULL || *o->value == '[')
			continue;
		buf_printf(out, "\t*' %s %s') words='", command->name, o->name);
		add_words(out, o->value);
		buf_text(out, "' ;;\n");
	}
	buf_printf(out, "\t*' %s '*) words='", command->name);
	add_words(out, command->operand);
	for (const struct command_option *o = command->options; o->name; o++)
		buf_printf(out, " %s", o->name);
	buf_printf(out, " --help%s'%s ;;\n", kind == OPERAND_PROGRAM ? " --" : "",
		   kinds[kind]);
}

static void bash_script(struct buf *out)
{
	buf_text(out, bash_begin);
	buf_text(out, "\t'1 '*) words='");
	add_commands(out);
	buf_text(out, "' ;;\n");
	for (const struct command *c = commands; c->name; c++)
		bash_command(out, c);
	buf_text(out, bash_end);
}

/* ---- zsh ---- */

static const char zsh_end[] = "\tesac\n"
			      "}\n"
			      "if [[ $funcstack[1] == _akvsync ]]; then\n"
			      "\t_akvsync \"$@\"\n"
			      "else\n"
			      "\tcompdef _akvsync akvsync\n"
			      "fi\n";

/* A text within '…': a quote ends it, stands alone, and begins it again; a colon or a
 * bracket would end the text for the functions of completion. */
static void zsh_text(struct buf *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '\'')
			buf_text(out, "'\\''");
		else
			buf_printf(out, "%s%c", strchr(":[]", *text) ? "\\" : "", *text);
	}
}

static void zsh_option(struct buf *out, const struct command_option *option)
{
	bool may_follow = option->value != NULL && *option->value == '[';

	buf_printf(out, " \\\n\t\t\t'%s%s[", option->name, may_follow ? "=-" : "");
	zsh_text(out, option->help);
	buf_text(out, "]");
	if (option->value != NULL) {
		buf_text(out, may_follow ? "::value:(" : ":value:(");
		add_words(out, option->value);
		buf_text(out, ")");
	}
	buf_text(out, "'");
}

static void zsh_command(struct buf *out, const struct command *command)
{
	static const char *const operands[] = {
		[OPERAND_NONE] = "",
		[OPERAND_FILE] = " \\\n\t\t\t'1:file:_files'",
		[OPERAND_DIRECTORY] = " \\\n\t\t\t'1:directory:_files -/'",
		[OPERAND_PROGRAM] = " \\\n\t\t\t'1:word:(--)'",
	};

	buf_printf(out, "\t%s)\n\t\t_arguments -S '--help[what it takes]'",
		   command->name);
	for (const struct command_option *o = command->options; o->name; o++)
		zsh_option(out, o);
	buf_text(out, operands[operand_kind(command->operand)]);
	if (islower((unsigned char)*command->operand) ||
	    strcmp(command->operand, "[COMMAND]") == 0) {
		buf_text(out, " \\\n\t\t\t'1:word:(");
		add_words(out, command->operand);
		buf_text(out, ")'");
	}
	buf_text(out, "\n\t\t;;\n");
}

static void zsh_script(struct buf *out)
{
	buf_text(out,
		 "#compdef akvsync\n"
		 "# Completion of akvsync for zsh; made by 'akvsync completion zsh'.\n"
		 "_akvsync() {\n"
		 "\tlocal -a names=(\n");
	for (const struct command *c = commands; c->name; c++) {
		buf_printf(out, "\t\t'%s:", c->name);
		zsh_text(out, c->help);
		buf_text(out, "'\n");
	}
	buf_text(out, "\t)\n"
		      "\tif ((CURRENT == 2)); then\n"
		      "\t\t_describe command names\n"
		      "\t\treturn\n"
		      "\tfi\n"
		      "\tshift words\n"
		      "\t((CURRENT--))\n"
		      "\t# Behind -- stands another command.\n"
		      "\tlocal -i at=${words[(i)--]}\n"
		      "\tif [[ $words[1] == exec ]] && ((at < CURRENT)); then\n"
		      "\t\tshift at words\n"
		      "\t\t((CURRENT -= at))\n"
		      "\t\t_normal\n"
		      "\t\treturn\n"
		      "\tfi\n"
		      "\tcase $words[1] in\n");
	for (const struct command *c = commands; c->name; c++)
		zsh_command(out, c);
	buf_text(out, zsh_end);
}

/* ---- fish ---- */

/* A line for one command; the caller ends it. */
static void fish_line(struct buf *out, const struct command *command)
{
	buf_printf(out,
		   "complete -c akvsync -n 'set -l w (commandline -opc); test \"$w[2]\" "
		   "= %s'",
		   command->name);
}

static void fish_words(struct buf *out, const char *value)
{
	buf_text(out, " -a '");
	add_words(out, value);
	buf_text(out, "'");
}

static void fish_help(struct buf *out, const char *help)
{
	buf_text(out, " -d '");
	add_escaped(out, help, "'\\");
	buf_text(out, "'\n");
}

static void fish_command(struct buf *out, const struct command *command)
{
	static const char *const operands[] = {
		[OPERAND_NONE] = "\n",
		[OPERAND_FILE] = " -F\n",
		[OPERAND_DIRECTORY] = " -a '(__fish_complete_directories)'\n",
		[OPERAND_PROGRAM] = " -F\n",
	};
	enum operand_kind kind = operand_kind(command->operand);

	for (const struct command_option *o = command->options; o->name; o++) {
		fish_line(out, command);
		buf_printf(out, " -l %s", o->name + strlen("--"));
		if (o->value != NULL && *o->value != '[') {
			buf_text(out, " -x");
			fish_words(out, o->value);
		}
		fish_help(out, o->help);
	}
	if (*command->operand == '\0')
		return;
	fish_line(out, command);
	if (kind == OPERAND_NONE)
		fish_words(out, command->operand);
	buf_text(out, operands[kind]);
}

static void fish_script(struct buf *out)
{
	buf_text(out,
		 "# Completion of akvsync for fish; made by 'akvsync completion fish'.\n"
		 "complete -c akvsync -f\n"
		 "complete -c akvsync -l help -d 'what it takes'\n");
	for (const struct command *c = commands; c->name; c++) {
		buf_printf(out,
			   "complete -c akvsync -n 'test (count (commandline -opc)) "
			   "= 1' -a %s",
			   c->name);
		fish_help(out, c->help);
	}
	for (const struct command *c = commands; c->name; c++)
		fish_command(out, c);
}

int command_completion(int argc, char **argv)
{
	static const struct {
		const char *shell;
		void (*script)(struct buf *out);
	} scripts[] = {
		{ "bash", bash_script },
		{ "zsh", zsh_script },
		{ "fish", fish_script },
	};
	struct buf out = BUF_INIT(SCRIPT_MAX_BYTES);
	struct options options;

	(void)argc;
	if (options_take("completion", argv, &options) != EXIT_DONE)
		return EXIT_USAGE;
	for (size_t i = 0; i < ARRAY_LEN(scripts); i++)
		if (strcmp(options.operand, scripts[i].shell) == 0)
			scripts[i].script(&out);
	fputs(buf_str(&out), stdout);
	buf_done(&out);
	return command_printed(EXIT_DONE);
}
