/*
 * variable.h: one environment variable: what it is called, what it may hold, where its
 * value goes, and how it is shown.  The table of all of them is in variables.c.
 */
#ifndef CONFIG_VARIABLE_H
#define CONFIG_VARIABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct settings;

/* Stands before each entry of AKVSYNC_NOTIFY when it comes from a YAML list, so that an
 * entry may hold any other separator: U+001E, the record separator. */
#define VARIABLE_ENTRY "\x1e"

enum variable_type {
	VARIABLE_TEXT,
	VARIABLE_DURATION,
	VARIABLE_MODE,
	VARIABLE_CHOICE,
	VARIABLE_BOOL
};

/* How much of a value may be shown: all, nothing, or all but the user in a URL. */
enum variable_redact { TELL, TELL_NOTHING, TELL_NO_USER };

/* Parsing, help and the start-up line walk the table of these. */
struct variable {
	const char *name, *alias;
	enum variable_type type;
	size_t field;             /* offset in struct settings */
	const char *fallback;     /* NULL: none */
	int64_t min_ms, max_ms;   /* VARIABLE_DURATION */
	const char *const *words; /* VARIABLE_CHOICE, in the order of its enum */
	enum variable_redact redact;
	bool reloads; /* a running process takes a new value over */
	bool early;   /* loaded first: how and where to log what is wrong */
	const char *help;
};

extern const struct variable variables[];
extern const size_t variable_count;

/* Whether the first len bytes of text are the variable's name, in one of its spellings.
 */
bool variable_is_named(const struct variable *v, const char *text, size_t len);

/* The value of a variable in an environment, an array as environ(7)'s; NULL when unset or
 * empty. */
const char *variable_find(char *const *env, const char *name);

/* Where the settings hold the value of a VARIABLE_TEXT. */
char **variable_text(const struct settings *s, const struct variable *v);

/* Puts a value into the settings.  ERR_CONFIG names the variable and the accepted form.
 */
int variable_set(struct settings *s, const struct variable *v, const char *value,
		 struct err *err) MUST_CHECK;

/* Appends the value as JSON: a text, or null; redacted as the variable says. */
void variable_describe(const struct settings *s, const struct variable *v,
		       struct buf *out);

#endif
