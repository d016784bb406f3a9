/*
 * templates.h: files that are made of other files of the set: templates, and env files,
 * which are templates by rule.  Pure.
 *
 * A template becomes a file of the set.  An env file is one file with variables, written
 * to a directory outside of the set, since what reads it follows no link.
 */
#ifndef CONFIG_TEMPLATES_H
#define CONFIG_TEMPLATES_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/template.h"

#define TEMPLATES_MAX 100
/* Of a template's text, and of the file that is made of it. */
#define TEMPLATES_TEXT_MAX (256 * 1024)
#define TEMPLATES_MADE_MAX (1024 * 1024)
/* Of all places before their filters, which may leave little of them. */
#define TEMPLATES_TAKEN_MAX (4 * TEMPLATES_MADE_MAX)
/* How many templates may have their text in a file: each of these is watched. */
#define TEMPLATES_FILES_MAX 16

enum templates_format {
	TEMPLATES_TEXT,         /* a template */
	TEMPLATES_FILE_KEY_REF, /* an env file for Kubernetes' fileKeyRef */
	TEMPLATES_DOTENV,       /* an env file for a dotenv library or a shell */
};

struct template_file {
	enum templates_format format;
	char *path;  /* of a template: in the set; of an env file: absolute */
	char *text;  /* of a template; NULL: not read yet, or an env file */
	char *file;  /* that has the text; NULL: none */
	bool unread; /* it could not be read */
	mode_t mode;
	struct template body;
};

struct templates {
	struct template_file *items;
	size_t count;
};

/* "template 'app.conf'", "env file '/env/app.env'"; the caller frees. */
char *templates_words(const struct template_file *t);

/* "fileKeyRef", "dotenv". */
const char *templates_format_word(enum templates_format format);

/*
 * Read a list in YAML or JSON; text NULL: none.  They append to *all, which the caller
 * gives to templates_done() also after a failure.  The text of a template that stands in
 * a file is for the caller to read, by templates_take_text().
 * ERR_CONFIG names the variable, the entry, the rule and the fix.
 */
int templates_read(struct templates *all, const char *text, mode_t default_mode,
		   struct err *err) MUST_CHECK;
int templates_read_env_files(struct templates *all, const char *text, mode_t default_mode,
			     struct err *err) MUST_CHECK;
void templates_done(struct templates *all);

/* Parses the text of a template, a copy of which it keeps.  ERR_CONFIG. */
int templates_take_text(struct template_file *t, const char *text,
			struct err *err) MUST_CHECK;

/* The template of the set that is in the way of the path, or at it; NULL: none. */
const struct template_file *templates_in_the_way(const struct templates *all,
						 const char *path);

/* Appends the entries of one kind as a JSON list, which the functions above read back as
 * the same, with the text of files in place of their names. */
void templates_write(const struct templates *all, bool env_files, struct buf *out);

/* True for an env file. */
static inline bool templates_is_env(const struct template_file *t)
{
	return t->format != TEMPLATES_TEXT;
}

#endif
