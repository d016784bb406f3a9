/*
 * template.h: a text with places that the contents of files take, such as
 * "mysql://app:{{db-password|url}}@db/shop".  Pure.
 *
 * A place is {{path}} or {{path|filter|filter}}, on one line; white space beside the path
 * and the filters does not count.  {{"text"}} stands for the text between the quotes, so
 * {{"{{"}} gives two braces.  There are no conditions, no loops and no variables.
 */
#ifndef BASE_TEMPLATE_H
#define BASE_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define TEMPLATE_FILTERS_MAX 8
#define TEMPLATE_PARTS_MAX 10000

/* What is done with the content of a file. */
enum template_filter {
	TEMPLATE_BASE64, /* standard base64 on one line */
	TEMPLATE_JSON,   /* a JSON string, with its quotes */
	TEMPLATE_SHELL,  /* one word of a POSIX shell, in single quotes */
	TEMPLATE_TRIM,   /* white space at both ends is cut */
	TEMPLATE_URL,    /* percent-encoded, for any part of a URL */
	/* Of the variables of env files; no text can name them. */
	TEMPLATE_FILE_KEY_REF, /* a value as Kubernetes' fileKeyRef takes it */
	TEMPLATE_DOTENV, /* a value that the usual readers of dotenv files agree on */
};

/* A part of the text: one that stays as it is, or a place. */
struct template_part {
	char *text;  /* as it is; NULL: a place */
	char *path;  /* of the file whose content it takes */
	char *where; /* the place is: "line 1, column 13", "variable DB_PASSWORD" */
	enum template_filter filters[TEMPLATE_FILTERS_MAX];
	size_t filter_count;
};

struct template
{
	struct template_part *parts;
	size_t count;
};

/* Parses a text.  ERR_CONFIG names the place, the rule and, for a filter, the known name
 * that may be meant.  template_done() the result. */
int template_parse(const char *text, struct template *out, struct err *err) MUST_CHECK;
void template_done(struct template *t);

/* Append a part; copies all but where, which the template owns from then on. */
void template_add_text(struct template *t, const char *text, size_t len);
void template_add_place(struct template *t, const char *path, char *where,
			const enum template_filter *filters, size_t filter_count);

/* "base64", as in a text. */
const char *template_filter_name(enum template_filter filter);

#endif
