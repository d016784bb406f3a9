#include "base/json.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <string.h>

#include "base/jsontext.h"
#include "base/mem.h"
#include "base/text.h"

/* struct json is cJSON by another name, so that only this file knows the library. */
static const cJSON *node(const struct json *json)
{
	return (const cJSON *)(const void *)json;
}

static const struct json *wrap(const cJSON *item)
{
	return (const struct json *)(const void *)item;
}

void json_global_init(void)
{
	cJSON_InitHooks(&(cJSON_Hooks){ .malloc_fn = wipe_malloc, .free_fn = wipe_free });
}

/* True for an odd number of backslashes before "u0000". */
static bool has_escaped_nul(const char *text, size_t len)
{
	const char *end = text + len, *p = text;

	while ((p = memmem(p, (size_t)(end - p), "\\u0000", 6)) != NULL) {
		const char *q = p;

		while (q > text && q[-1] == '\\')
			q--;
		if ((p - q) % 2 == 0)
			return true;
		p += 6;
	}
	return false;
}

/* The text ends with a NUL, or a sequence at its end would be read too far. */
static int check_utf8(const char *text, size_t len, struct err *err)
{
	const char *end = text + len;

	while (text < end) {
		size_t n = text_utf8_length(text);

		if (n == 0 || n > (size_t)(end - text))
			return err_set(err, ERR_UNAVAILABLE, "it is not UTF-8");
		text += n;
	}
	return 0;
}

int json_parse(const char *text, size_t len, struct json **out, struct err *err)
{
	const char *end = NULL;
	cJSON *root;

	if (memchr(text, '\0', len) != NULL)
		return err_set(err, ERR_UNAVAILABLE, "JSON holds a NUL byte");
	if (has_escaped_nul(text, len))
		return err_set(err, ERR_CONFIG, "a text in it holds a NUL character");
	if (check_utf8(text, len, err) < 0)
		return -1;
	root = cJSON_ParseWithLengthOpts(text, len, &end, 0);
	while (root != NULL && end < text + len && strchr(" \t\r\n", *end))
		end++;
	if (root == NULL || end != text + len) {
		cJSON_Delete(root);
		return err_set(err, ERR_UNAVAILABLE, "not JSON (%zu bytes)", len);
	}
	*out = (struct json *)(void *)root;
	return 0;
}

/* ---- one string, straight from the text ---- */

static char *skip_space(char *p, const char *end)
{
	return p + (jsontext_skip_space(p, end) - p);
}

/* The closing quote of the string that opens at p; NULL when there is none. */
static char *string_end(char *p, const char *end)
{
	const char *close = jsontext_string_end(p, end);

	return close ? p + (close - p) : NULL;
}

/* Behind the value that starts at p; NULL when the text ends in it. */
static char *skip_value(char *p, const char *end)
{
	int depth = 0;

	for (; p < end; p++) {
		if (*p == '"') {
			p = string_end(p, end);
			if (p == NULL)
				return NULL;
		} else if (*p == '{' || *p == '[') {
			depth++;
		} else if (*p == '}' || *p == ']') {
			if (depth-- == 0)
				return p;
		} else if (*p == ',' && depth == 0) {
			return p;
		}
	}
	return NULL;
}

/* A member of the object that the text is. */
struct member {
	char *key, *value; /* at the key's first letter, at the value */
	size_t key_len;
};

/* Reads the key at *p, which moves to its value.  False: none is there. */
static bool json_read_key(char **p, const char *end, struct member *m)
{
	char *close = *p < end && **p == '"' ? string_end(*p, end) : NULL;

	if (close == NULL)
		return false;
	m->key = *p + 1;
	m->key_len = (size_t)(close - m->key);
	close = skip_space(close + 1, end);
	if (close == end || *close != ':')
		return false;
	m->value = *p = skip_space(close + 1, end);
	return *p < end;
}

/* Finds a top-level member.  False: there is none before the text ends or stops being
 * JSON, which the parser will report. */
static bool find_member(char *text, const char *end, const char *name, struct member *m)
{
	char *p = skip_space(text, end);

	if (p == end || *p != '{')
		return false;
	do {
		p = skip_space(p + 1, end);
		if (!json_read_key(&p, end, m))
			return false;
		if (m->key_len == strlen(name) && memcmp(m->key, name, m->key_len) == 0)
			return true;
		p = skip_value(p, end);
	} while (p != NULL && *p == ',');
	return false;
}

int json_take_string(char *text, size_t len, const char *name, struct buf *out,
		     bool *found, struct err *err)
{
	const char *end = text + len;
	size_t before = out->len, n;
	struct member m;
	char *close;

	*found = false;
	if (check_utf8(text, len, err) < 0)
		return -1;
	if (!find_member(text, end, name, &m) || *m.value != '"')
		return 0;
	close = string_end(m.value, end);
	if (close == NULL)
		return 0;
	if (jsontext_decode(m.value + 1, close, out, err) < 0) {
		buf_truncate(out, before);
		return -1;
	}
	n = (size_t)(close - m.value) - 1;
	wipe(m.value + 1, n);
	memset(m.value + 1, ' ', n);
	*found = true;
	return 0;
}

void json_free(struct json *root)
{
	cJSON_Delete((cJSON *)(void *)root);
}

const struct json *json_get(const struct json *object, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(node(object), name);

	return cJSON_IsNull(item) ? NULL : wrap(item);
}

const char *json_string(const struct json *object, const char *name)
{
	return json_text(json_get(object, name));
}

int64_t json_int(const struct json *object, const char *name, int64_t fallback)
{
	return json_number(json_get(object, name), fallback);
}

double json_real(const struct json *object, const char *name, double fallback)
{
	const cJSON *n = node(json_get(object, name));

	return cJSON_IsNumber(n) && isfinite(n->valuedouble) ? n->valuedouble : fallback;
}

bool json_bool(const struct json *object, const char *name, bool fallback)
{
	const cJSON *item = node(json_get(object, name));

	return cJSON_IsBool(item) ? cJSON_IsTrue(item) : fallback;
}

int64_t json_loose_int(const struct json *object, const char *name, int64_t fallback)
{
	const char *text = json_string(object, name);
	int64_t value;

	if (text != NULL)
		return text_number(text, INT64_MAX, &value) == 0 ? value : fallback;
	return json_int(object, name, fallback);
}

bool json_is_array(const struct json *item)
{
	return cJSON_IsArray(node(item));
}

bool json_is_object(const struct json *item)
{
	return cJSON_IsObject(node(item));
}

const struct json *json_first(const struct json *array)
{
	return array ? wrap(node(array)->child) : NULL;
}

const struct json *json_next(const struct json *item)
{
	return wrap(node(item)->next);
}

const char *json_name(const struct json *member)
{
	return node(member)->string;
}

const char *json_text(const struct json *item)
{
	return cJSON_IsString(node(item)) ? node(item)->valuestring : NULL;
}

int64_t json_number(const struct json *item, int64_t fallback)
{
	const cJSON *n = node(item);

	/* 2^53: beyond it a double no longer holds every integer. */
	if (!cJSON_IsNumber(n) || !(fabs(n->valuedouble) <= 9007199254740992.0))
		return fallback;
	return (int64_t)n->valuedouble;
}

void json_quote(struct buf *out, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	buf_text(out, "\"");
	while (*s) {
		size_t n = text_utf8_length((const char *)s);
		char piece[5] = { 0 };

		if (n == 0) {
			buf_text(out, "\\ufffd");
			s++;
			continue;
		}
		if (*s == '"' || *s == '\\')
			buf_printf(out, "\\%c", *s);
		else if (*s == '\n')
			buf_text(out, "\\n");
		else if (*s < 0x20 || *s == 0x7f)
			buf_printf(out, "\\u%04x", (unsigned)*s);
		else
			buf_text(out, memcpy(piece, s, n));
		s += n;
	}
	buf_text(out, "\"");
}

void json_add_pair(struct buf *members, const char *name, const char *text)
{
	buf_text(members, members->len > 0 ? "," : "");
	json_quote(members, name);
	buf_text(members, ":");
	json_quote(members, text);
}

void json_member(struct buf *out, const char *name, const char *text)
{
	buf_printf(out, "\"%s\":", name);
	if (text != NULL)
		json_quote(out, text);
	else
		buf_text(out, "null");
}
