#include "base/jmespath.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define KEY_MAX 4096

/* Parts of JMESPath that are refused, by what they start with; the first row that fits.
 */
static const struct {
	const char *start, *name;
} others[] = {
	{ "[*", "a list wildcard" },
	{ "[?", "a filter" },
	{ "[]", "a flatten operator" },
	{ "[-", "a negative index" },
	{ "[:", "a slice" },
	{ "[", "a multi-select list" },
	{ ":", "a slice" },
	{ "*", "a wildcard" },
	{ "||", "an or expression" },
	{ "|", "a pipe" },
	{ "&&", "an and expression" },
	{ "&", "an expression reference" },
	{ "@", "the current node" },
	{ "{", "a multi-select hash" },
	{ "(", "a function call or parentheses" },
	{ "!", "a not expression or comparison" },
	{ "=", "a comparison" },
	{ "<", "a comparison" },
	{ ">", "a comparison" },
	{ "`", "a literal" },
	{ "'", "a raw string" },
	{ "-", "a hyphen outside of quotes" },
	{ " ", "a blank" },
	{ "\"", "a quoted key that is no JSON string" },
	{ ".", "a dot without a key" },
};

static int jmespath_refuse(const char *path, const char *at, struct err *err)
{
	const char *name = *at ? "a character that no key may hold outside of quotes"
			       : "its end where a key or a ] was expected";

	for (size_t i = 0; i < ARRAY_LEN(others) && *at; i++) {
		if (!text_starts(at, others[i].start))
			continue;
		name = others[i].name;
		break;
	}
	err_set(err, ERR_CONFIG,
		"has %s at character %zu; only keys and indexes can be written, such as "
		"a.b, \"any key\".b and a[0]",
		name, (size_t)(at - path) + 1);
	if (*at == '-' || *at == ' ')
		err_hint(err, "YAML takes one pair of quotes away: path: '\"any-key\"'");
	return -1;
}

/* ---- steps ---- */

struct step {
	bool is_index;
	int64_t index;
	struct buf key;
};

static bool jmespath_is_key(char c, bool first)
{
	return c == '_' || isalpha((unsigned char)c) ||
	       (!first && isdigit((unsigned char)c));
}

/* Each reads what starts at *at, which moves behind it, and leaves *at where it is no
 * such thing. */
static bool jmespath_read_index(const char **at, struct step *s)
{
	auto_free char *digits = xstrndup(*at + 1, strspn(*at + 1, "0123456789"));
	const char *end = *at + 1 + strlen(digits);

	if (*end != ']') {
		/* Told of "[0:2]" is the colon. */
		*at = *digits ? end : *at;
		return false;
	}
	if (*digits == '\0')
		return false;
	/* No value has so many items. */
	if (text_number(digits, INT32_MAX, &s->index) < 0)
		s->index = INT32_MAX;
	s->is_index = true;
	*at = end + 1;
	return true;
}

static bool jmespath_read_key(const char **at, struct step *s)
{
	const char *start = *at, *end = start;
	struct jsontext quoted;
	struct err unused;

	if (*start == '"') {
		end = jsontext_string_end(start, start + strlen(start));
		if (end == NULL ||
		    jsontext_parse(start, (size_t)(++end - start), &quoted, &unused) <
			    0 ||
		    jsontext_write(&quoted, &s->key, &unused) < 0)
			return false;
		*at = end;
		return true;
	}
	while (jmespath_is_key(*end, end == start))
		end++;
	if (end == start || buf_add(&s->key, start, (size_t)(end - start), &unused) < 0)
		return false;
	*at = end;
	return true;
}

/* The step that starts at *at, which moves behind it.  ERR_CONFIG: see the header. */
static int jmespath_step(const char *path, const char **at, struct step *s,
			 struct err *err)
{
	bool first = *at == path, read;

	buf_truncate(&s->key, 0);
	s->is_index = false;
	if (**at == '[') {
		read = jmespath_read_index(at, s);
	} else if (first || **at == '.') {
		*at += !first;
		read = jmespath_read_key(at, s);
	} else {
		read = false;
	}
	return read ? 0 : jmespath_refuse(path, *at, err);
}

int jmespath_check(const char *path, struct err *err)
{
	struct step s = { .key = BUF_INIT(KEY_MAX) };
	const char *at = path;
	int result = 0;

	do
		result = jmespath_step(path, &at, &s, err);
	while (result == 0 && *at != '\0');
	buf_done(&s.key);
	return result;
}

/* ---- finding ---- */

static bool has_key(const struct jsontext_member *m, const struct buf *wanted)
{
	auto_buf struct buf key = BUF_INIT(KEY_MAX);
	size_t len = m->key.len - 2; /* without its quotes */
	struct err unused;

	/* Without an escape it stands for itself. */
	if (memchr(m->key.at, '\\', m->key.len) == NULL)
		return len == wanted->len &&
		       memcmp(m->key.at + 1, buf_str(wanted), len) == 0;
	/* One over the limit is another one. */
	return jsontext_write(&m->key, &key, &unused) == 0 && key.len == wanted->len &&
	       memcmp(buf_str(&key), buf_str(wanted), key.len) == 0;
}

static bool jmespath_take(const struct step *s, struct jsontext *value)
{
	struct jsontext_member m = { 0 };

	if (*value->at != (s->is_index ? '[' : '{'))
		return false;
	for (int64_t i = 0; jsontext_next(value, &m); i++) {
		if (s->is_index ? i != s->index : !has_key(&m, &s->key))
			continue;
		*value = m.value;
		return true;
	}
	return false;
}

static int jmespath_missing(const char *path, const char *at, const struct step *s,
			    struct err *err)
{
	if (s->is_index)
		return err_set(err, ERR_CONFIG, "has no item '%.*s'", (int)(at - path),
			       path);
	return err_set(err, ERR_CONFIG, "has no key '%.*s'", (int)(at - path), path);
}

int jmespath_find(const char *path, const struct jsontext *root, struct jsontext *out,
		  struct err *err)
{
	struct step s = { .key = BUF_INIT(KEY_MAX) };
	struct jsontext value = *root;
	const char *at = path;
	int result = 0;

	do {
		result = jmespath_step(path, &at, &s, err);
		if (result == 0 && !jmespath_take(&s, &value))
			result = jmespath_missing(path, at, &s, err);
	} while (result == 0 && *at != '\0');
	buf_done(&s.key);
	if (result == 0)
		*out = value;
	return result;
}
