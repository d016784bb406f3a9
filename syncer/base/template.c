#include "base/template.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define OPEN "{{"
#define CLOSE "}}"
#define BLANKS " \t"

/* In the order of their enum; those behind TEMPLATE_URL have no name in a text. */
static const char *const filter_names[] = { "base64", "json", "shell", "trim", "url" };

_Static_assert(ARRAY_LEN(filter_names) == TEMPLATE_URL + 1,
	       "each filter of a text has a name");

const char *template_filter_name(enum template_filter filter)
{
	if (filter == TEMPLATE_FILE_KEY_REF)
		return "fileKeyRef";
	return filter == TEMPLATE_DOTENV ? "dotenv" : filter_names[filter];
}

/* ---- making one ---- */

static struct template_part *template_add(struct template *t)
{
	t->parts = xgrow(t->parts, t->count, sizeof(*t->parts));
	t->parts[t->count] = (struct template_part){ 0 };
	return &t->parts[t->count++];
}

void template_add_text(struct template *t, const char *text, size_t len)
{
	if (len > 0)
		template_add(t)->text = xstrndup(text, len);
}

void template_add_place(struct template *t, const char *path, char *where,
			const enum template_filter *filters, size_t filter_count)
{
	struct template_part *part = template_add(t);

	part->path = xstrdup(path);
	part->where = where;
	part->filter_count = filter_count;
	if (filter_count > 0)
		memcpy(part->filters, filters, filter_count * sizeof(*filters));
}

void template_done(struct template *t)
{
	for (size_t i = 0; i < t->count; i++) {
		free(t->parts[i].text);
		free(t->parts[i].path);
		free(t->parts[i].where);
	}
	free(t->parts);
	*t = (struct template){ 0 };
}

/* ---- parsing ---- */

/* A place in a text, in the words of an editor. */
struct template_cursor {
	const char *at;
	size_t line, column;
};

/* Moves on to a later place, so that a text is counted once, however many places it has.
 * The caller frees the result: "line 1, column 13". */
static char *template_where(struct template_cursor *c, const char *at)
{
	for (; c->at < at; c->at++) {
		if (*c->at == '\n') {
			c->line++;
			c->column = 1;
		} else if (((unsigned char)*c->at & 0xc0) != 0x80) {
			c->column++; /* the later bytes of a character do not count */
		}
	}
	return xasprintf("line %zu, column %zu", c->line, c->column);
}

static int template_read_filter(const char *name, struct template_part *part,
				struct err *err)
{
	const char *nearest;

	for (size_t i = 0; i < ARRAY_LEN(filter_names); i++) {
		if (strcmp(name, filter_names[i]) != 0)
			continue;
		if (part->filter_count == TEMPLATE_FILTERS_MAX)
			return err_set(err, ERR_CONFIG,
				       "there are more than %d filters in one place",
				       TEMPLATE_FILTERS_MAX);
		part->filters[part->filter_count++] = (enum template_filter)i;
		return 0;
	}
	nearest = text_nearest(name, filter_names, ARRAY_LEN(filter_names));
	err_set(err, ERR_CONFIG, "unknown filter '%.60s'", name);
	if (nearest != NULL)
		return err_hint(err, "did you mean '%s'?", nearest);
	return err_hint(err, "filters are base64, json, shell, trim, url");
}

/* What stands between the braces: "path|filter|filter", in a copy of its own. */
static int template_read_place(char *inside, char *where, struct template *t,
			       struct err *err)
{
	struct template_part read = { 0 };
	char *rest = inside;
	const char *path = text_trim(strsep(&rest, "|"));

	if (*path == '\0')
		return err_set(err, ERR_CONFIG,
			       "it names no file; write {{path}}, such as "
			       "{{db-password}}");
	while (rest != NULL)
		if (template_read_filter(text_trim(strsep(&rest, "|")), &read, err) < 0)
			return -1;
	template_add_place(t, path, xstrdup(where), read.filters, read.filter_count);
	return 0;
}

/* A text in quotes.  *end: behind the place. */
static int template_read_quoted(const char *quote, struct template *t, const char **end,
				struct err *err)
{
	const char *last = quote + 1 + strcspn(quote + 1, "\"\n");
	const char *close = last;

	if (*last == '"')
		close = last + 1 + strspn(last + 1, BLANKS);
	if (*last != '"' || !text_starts(close, CLOSE))
		return err_set(err, ERR_CONFIG,
			       "a text in quotes must end with '\"" CLOSE
			       "' on its line, and takes no filters");
	template_add_text(t, quote + 1, (size_t)(last - quote - 1));
	*end = close + strlen(CLOSE);
	return 0;
}

/* at: the braces that open the place. */
static int template_read_at(const char *at, char *where, struct template *t,
			    const char **end, struct err *err)
{
	const char *start = at + strlen(OPEN), *close = strstr(start, CLOSE);
	const char *quote = start + strspn(start, BLANKS);
	auto_free char *inside = NULL;

	if (*quote == '"')
		return template_read_quoted(quote, t, end, err);
	if (close == NULL || memchr(start, '\n', (size_t)(close - start)) != NULL)
		return err_set(err, ERR_CONFIG,
			       "'" OPEN "' has no '" CLOSE
			       "' on its line; write {{\"{{\"}} for two braces that "
			       "stay");
	inside = xstrndup(start, (size_t)(close - start));
	if (strstr(inside, OPEN) != NULL)
		return err_set(err, ERR_CONFIG,
			       "'" OPEN "' stands inside of another one");
	*end = close + strlen(CLOSE);
	return template_read_place(inside, where, t, err);
}

int template_parse(const char *text, struct template *out, struct err *err)
{
	struct template_cursor cursor = { text, 1, 1 };
	struct template t = { 0 };
	const char *rest = text, *at;
	int result = 0;

	while ((at = strstr(rest, OPEN)) != NULL) {
		auto_free char *where = template_where(&cursor, at);

		template_add_text(&t, rest, (size_t)(at - rest));
		if (t.count >= TEMPLATE_PARTS_MAX)
			result = err_set(err, ERR_CONFIG, "there are too many places");
		else
			result = template_read_at(at, where, &t, &rest, err);
		if (result < 0) {
			err_wrap(err, "%s", where);
			template_done(&t);
			return -1;
		}
	}
	template_add_text(&t, rest, strlen(rest));
	*out = t;
	return 0;
}
