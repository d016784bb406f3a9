#include "base/redact.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

#define HIDDEN "(hidden)"

/* The words that begin a part of an entry. */
static const char *const words[] = { "on",     "timeout", "header",  "header-file",
				     "status", "signal",  "http",    "touch",
				     "exec",   "exit",    "precheck" };

static bool begins_part(const char *s)
{
	s += strspn(s, " \t");
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		size_t len = strlen(words[i]);

		if (strncasecmp(s, words[i], len) == 0 && s[len] == '=')
			return true;
	}
	return *s == REDACT_ENTRY;
}

const char *redact_header_end(const char *value)
{
	while (*value != '\0' && *value != REDACT_ENTRY &&
	       !(*value == ',' && begins_part(value + 1)))
		value++;
	return value;
}

/* A header option, or what looks as if it were meant as one.  header-file= names a file,
 * which may be shown. */
static bool redact_is_header(const char *s)
{
	return strncasecmp(s, "header", 6) == 0 && strncmp(s, "header-file=/", 13) != 0;
}

/* Of a header the name is shown, when it looks like one. */
static const char *redact_header(const char *s, struct buf *out)
{
	const char *end = redact_header_end(s), *shown = s + strlen("header");
	const char *value = memchr(s, '=', (size_t)(end - s));
	const char *name_end = value ? value + 1 + strcspn(value + 1, ": \t,") : end;

	if (value != NULL)
		shown = value + 1;
	if (name_end < end && *name_end == ':')
		shown = name_end + 1;
	buf_printf(out, "%.*s%s" HIDDEN, (int)(shown - s), s,
		   shown[-1] == ':' ? " " : "");
	return end;
}

/* Whether "host:port" has no number for a port, as when it is a user with a password in
 * which there is a '/'. */
static bool redact_is_odd(const char *s, size_t len)
{
	const char *port = memrchr(s, ':', len);

	if (port == NULL || memchr(port, ']', len - (size_t)(port - s)) != NULL)
		return false;
	port++;
	return strspn(port, "0123456789") < len - (size_t)(port - s);
}

/* Behind "://": copies host and path, without user, query and fragment. */
static const char *redact_url(const char *s, struct buf *out)
{
	static const char ends[] = " \t;\n\x1e";
	size_t whole = strcspn(s, ends), host = strcspn(s, "/?# \t;\n\x1e");
	const char *at = memrchr(s, '@', redact_is_odd(s, host) ? whole : host);
	size_t rest;

	if (at != NULL) {
		buf_text(out, HIDDEN);
		s = at;
	}
	rest = strcspn(s, "?# \t;\n\x1e");
	buf_printf(out, "%.*s", (int)rest, s);
	s += rest;
	if (*s != '?' && *s != '#')
		return s;
	buf_printf(out, "%c" HIDDEN, *s);
	return s + strcspn(s, " \t\n\x1e");
}

void redact_entries(const char *text, struct buf *out)
{
	bool starts = true; /* a part of an entry may start here */

	while (*text != '\0') {
		if (starts && redact_is_header(text)) {
			text = redact_header(text, out);
			starts = false;
		} else if (strncmp(text, "://", 3) == 0) {
			buf_text(out, "://");
			text = redact_url(text + 3, out);
		} else {
			if (*text != ' ' && *text != '\t')
				starts = strchr(",;\n\x1e", *text) != NULL;
			buf_printf(out, "%c", *text++);
		}
	}
}
