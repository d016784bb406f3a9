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

/*
 * How much of a value may be shown.  Those below TELL_ENTRIES are of identity variables:
 * their values stand in no message, whatever is wrong with them, and where settings are
 * shown they stand only when they have the shape of what belongs there.
 */
enum variable_redact {
	TELL,         /* all of it */
	TELL_ENTRIES, /* AKVSYNC_NOTIFY: without the values of headers and the like */
	TELL_NOTHING, /* it is a secret: that it is set */
	TELL_NO_USER, /* a proxy: without its user and password */
	TELL_SET,     /* that it is set: it is long, or only other programs can read it */
	TELL_HOSTS,   /* a list of hosts and networks */
	TELL_GUID,
	TELL_TENANT, /* a GUID or a domain */
	TELL_DOMAIN,
	TELL_URL,
	TELL_PATH,
	TELL_RESOURCE_ID,
	TELL_WORD, /* a word of a list, or true or false */
};

/* Parsing, help and the start-up line walk the table of these. */
struct variable {
	const char *name, *alias;
	enum variable_type type;
	size_t field;             /* offset in struct settings */
	const char *fallback;     /* NULL: none */
	int64_t min_ms, max_ms;   /* VARIABLE_DURATION */
	const char *const *words; /* VARIABLE_CHOICE, in the order of its enum */
	enum variable_redact redact;
	const char *key;     /* in the configuration file; NULL: the name in camelCase */
	bool in_environment; /* and in no configuration file */
	bool reloads;        /* a running process takes a new value over */
	bool early;          /* loaded first: how and where to log what is wrong */
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

/* Whether its value may be a secret, which has no place in a configuration file. */
bool variable_is_secret(const struct variable *v);

/* Cuts white space at both ends of a value, in place: a Secret that was made from a file
 * often ends in a newline.  A list of objects keeps what it begins with, since YAML goes
 * by columns.  name need not end behind len bytes. */
void variable_trim(const char *name, size_t len, char *value);

/* Whether both settings have the same value. */
bool variable_same(const struct settings *a, const struct settings *b,
		   const struct variable *v);

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
