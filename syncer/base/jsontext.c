#include "base/jsontext.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

/* Of one key, decoded: as long as a whole value of a vault. */
#define KEY_MAX (128 * 1024)

/* ---- strings ---- */

const char *jsontext_skip_space(const char *p, const char *end)
{
	while (p < end && strchr(" \t\r\n", *p) && *p != '\0')
		p++;
	return p;
}

const char *jsontext_string_end(const char *p, const char *end)
{
	for (p++; p < end && *p != '"'; p++)
		if (*p == '\\')
			p++;
	return p < end ? p : NULL;
}

/* Four hexadecimal digits at p, -1 when they are not. */
static long hex4(const char *p, const char *end)
{
	long value = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		const char *digits = "0123456789abcdef0123456789ABCDEF";
		const char *digit = p[i] ? strchr(digits, p[i]) : NULL;

		if (digit == NULL)
			return -1;
		value = value * 16 + (digit - digits) % 16;
	}
	return value;
}

/* The character of a \u escape whose digits start at *p, which moves behind it, also
 * behind the second half of a surrogate pair; -1 when it is none. */
static long unicode_escape(const char **p, const char *end)
{
	long high = hex4(*p, end), low;

	*p += 4;
	if (high < 0xd800 || high > 0xdfff)
		return high;
	if (high > 0xdbff || end - *p < 6 || (*p)[0] != '\\' || (*p)[1] != 'u')
		return -1;
	low = hex4(*p + 2, end);
	*p += 6;
	if (low < 0xdc00 || low > 0xdfff)
		return -1;
	return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

static int add_bytes(struct buf *out, const char *p, size_t n, struct err *err)
{
	return out ? buf_add(out, p, n, err) : 0;
}

static int add_character(struct buf *out, long c, struct err *err)
{
	char utf8[4];

	if (c < 0x80) {
		utf8[0] = (char)c;
		return add_bytes(out, utf8, 1, err);
	}
	utf8[3] = (char)(0x80 | (c & 0x3f));
	utf8[2] = (char)(0x80 | (c >> 6 & 0x3f));
	utf8[1] = (char)(0x80 | (c >> 12 & 0x3f));
	if (c < 0x800) {
		utf8[2] = (char)(0xc0 | c >> 6);
		return add_bytes(out, utf8 + 2, 2, err);
	}
	if (c < 0x10000) {
		utf8[1] = (char)(0xe0 | c >> 12);
		return add_bytes(out, utf8 + 1, 3, err);
	}
	utf8[0] = (char)(0xf0 | c >> 18);
	return add_bytes(out, utf8, 4, err);
}

/* The character that the escape at *p stands for, which moves behind it; -1: none. */
static long read_escape(const char **p, const char *end)
{
	static const char escapes[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
	char letter = end - *p > 1 ? (*p)[1] : '\0';
	const char *known = letter ? strchr(escapes, letter) : NULL;

	*p += 2;
	if (letter == 'u')
		return unicode_escape(p, end);
	return known ? meanings[known - escapes] : -1;
}

int jsontext_decode(const char *p, const char *end, struct buf *out, struct err *err)
{
	while (p < end) {
		const char *escape = memchr(p, '\\', (size_t)(end - p));
		long c;

		if (add_bytes(out, p, (size_t)((escape ? escape : end) - p), err) < 0)
			return -1;
		if (escape == NULL)
			return 0;
		p = escape;
		c = read_escape(&p, end);
		if (c < 0)
			return err_set(err, ERR_UNAVAILABLE,
				       "it has an escape that is no character, such as "
				       "half of a surrogate pair");
		if (add_character(out, c, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- checking ---- */

struct reader {
	const char *text, *p, *end;
	int depth;
	struct err *err;
};

static int refuse(const struct reader *r, const char *rule)
{
	return err_set(r->err, ERR_CONFIG, "it is not JSON: %s, at byte %zu", rule,
		       (size_t)(r->p - r->text) + 1);
}

static bool jsontext_take(struct reader *r, char c)
{
	if (r->p == r->end || *r->p != c)
		return false;
	r->p++;
	return true;
}

static void skip(struct reader *r)
{
	r->p = jsontext_skip_space(r->p, r->end);
}

static int jsontext_read_string(struct reader *r)
{
	const char *close = jsontext_string_end(r->p, r->end), *start = r->p + 1;
	struct err unused;

	if (close == NULL)
		return refuse(r, "a string without its end");
	for (r->p = start; r->p < close;) {
		size_t n = 1;

		if ((unsigned char)*r->p < 0x20)
			return refuse(r, "a control character in a string");
		/* The quote behind it ends a sequence that is cut. */
		if ((unsigned char)*r->p >= 0x80)
			n = text_utf8_length(r->p);
		if (n == 0)
			return refuse(r, "a string that is not UTF-8");
		r->p += n;
	}
	if (jsontext_decode(start, close, NULL, &unused) < 0) {
		r->p = start;
		return refuse(r, "a string with an escape that is no character");
	}
	r->p = close + 1;
	return 0;
}

static bool jsontext_read_digits(struct reader *r)
{
	const char *start = r->p;

	while (r->p < r->end && *r->p >= '0' && *r->p <= '9')
		r->p++;
	return r->p > start;
}

static int jsontext_read_number(struct reader *r)
{
	bool fine;

	(void)jsontext_take(r, '-');
	fine = jsontext_take(r, '0') || jsontext_read_digits(r);
	if (fine && jsontext_take(r, '.'))
		fine = jsontext_read_digits(r);
	if (fine && (jsontext_take(r, 'e') || jsontext_take(r, 'E'))) {
		if (!jsontext_take(r, '+'))
			(void)jsontext_take(r, '-');
		fine = jsontext_read_digits(r);
	}
	return fine ? 0 : refuse(r, "neither a value nor a number");
}

static int jsontext_read_word(struct reader *r, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(r->end - r->p) < len || memcmp(r->p, word, len) != 0)
		return refuse(r, "neither a value nor a number");
	r->p += len;
	return 0;
}

static int jsontext_read_value(struct reader *r);

static int compare_hashes(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Keys are equal when they stand for the same text, however it is escaped. */
static uint64_t hash_key(const char *start, const char *end)
{
	auto_buf struct buf key = BUF_INIT(KEY_MAX);
	uint64_t hash = TEXT_HASH;
	struct err unused;

	/* It was read, so its escapes are fine; one over the limit counts as "". */
	if (jsontext_decode(start, end, &key, &unused) < 0)
		buf_truncate(&key, 0);
	for (size_t at = 0; at <= key.len; at += strlen(buf_str(&key) + at) + 1)
		hash = text_hash(hash, buf_str(&key) + at);
	return hash;
}

static int jsontext_read_members(struct reader *r, uint64_t **keys, size_t *count)
{
	do {
		const char *start;

		skip(r);
		if (r->p == r->end || *r->p != '"')
			return refuse(r, "a key was expected");
		start = r->p + 1;
		if (jsontext_read_string(r) < 0)
			return -1;
		*keys = xgrow(*keys, *count, sizeof(**keys));
		(*keys)[(*count)++] = hash_key(start, r->p - 1);
		skip(r);
		if (!jsontext_take(r, ':'))
			return refuse(r, "a colon was expected");
		if (jsontext_read_value(r) < 0)
			return -1;
		skip(r);
	} while (jsontext_take(r, ','));
	return jsontext_take(r, '}') ? 0 : refuse(r, "a comma or } was expected");
}

static int jsontext_read_object(struct reader *r)
{
	auto_free uint64_t *keys = NULL;
	size_t count = 0;

	r->p++;
	skip(r);
	if (jsontext_take(r, '}'))
		return 0;
	if (jsontext_read_members(r, &keys, &count) < 0)
		return -1;
	if (count > 0)
		qsort(keys, count, sizeof(*keys), compare_hashes);
	for (size_t i = 1; i < count; i++)
		if (keys[i] == keys[i - 1])
			return refuse(r, "the object that ends there has a key twice");
	return 0;
}

static int jsontext_read_array(struct reader *r)
{
	r->p++;
	skip(r);
	if (jsontext_take(r, ']'))
		return 0;
	do {
		if (jsontext_read_value(r) < 0)
			return -1;
		skip(r);
	} while (jsontext_take(r, ','));
	return jsontext_take(r, ']') ? 0 : refuse(r, "a comma or ] was expected");
}

static int jsontext_read_nested(struct reader *r, int (*read)(struct reader *r))
{
	int result;

	if (r->depth == JSONTEXT_DEPTH_MAX)
		return refuse(r, "too many objects and arrays inside each other");
	r->depth++;
	result = read(r);
	r->depth--;
	return result;
}

/* Calls itself at most JSONTEXT_DEPTH_MAX times. */
static int jsontext_read_value(struct reader *r)
{
	skip(r);
	if (r->p == r->end)
		return refuse(r, "a value was expected");
	switch (*r->p) {
	case '{':
		return jsontext_read_nested(r, jsontext_read_object);
	case '[':
		return jsontext_read_nested(r, jsontext_read_array);
	case '"':
		return jsontext_read_string(r);
	case 't':
		return jsontext_read_word(r, "true");
	case 'f':
		return jsontext_read_word(r, "false");
	case 'n':
		return jsontext_read_word(r, "null");
	default:
		return jsontext_read_number(r);
	}
}

int jsontext_parse(const char *text, size_t len, struct jsontext *out, struct err *err)
{
	struct reader r = { .text = text, .p = text, .end = text + len, .err = err };
	const char *start = jsontext_skip_space(text, r.end);
	size_t value_len;

	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		return refuse(&r, "it starts with a byte order mark, which JSON may not");
	if (start == r.end) {
		r.p = r.end;
		return refuse(&r, "it is empty");
	}
	if (jsontext_read_value(&r) < 0)
		return -1;
	value_len = (size_t)(r.p - start);
	skip(&r);
	if (r.p != r.end)
		return refuse(&r, "something behind the value");
	*out = (struct jsontext){ start, value_len };
	return 0;
}

/* ---- what was checked ---- */

/* Behind the value at p. */
static const char *value_end(const char *p, const char *end)
{
	int depth = 0;

	for (; p < end; p++) {
		switch (*p) {
		case '"':
			p = jsontext_string_end(p, end);
			if (p == NULL)
				return end;
			if (depth == 0)
				return p + 1;
			break;
		case '{':
		case '[':
			depth++;
			break;
		case '}':
		case ']':
			if (--depth <= 0)
				return p + (depth == 0);
			break;
		case ',':
		case ':':
		case ' ':
		case '\t':
		case '\r':
		case '\n':
			if (depth == 0)
				return p;
			break;
		default:
			break;
		}
	}
	return end;
}

static struct jsontext value_at(const char *p, const char *end)
{
	p = jsontext_skip_space(p, end);
	return (struct jsontext){ p, (size_t)(value_end(p, end) - p) };
}

bool jsontext_next(const struct jsontext *container, struct jsontext_member *m)
{
	const char *end = container->at + container->len - 1; /* at its bracket */
	const char *p = container->at;

	if (*p != '{' && *p != '[')
		return false;
	if (m->value.at != NULL)
		p = jsontext_skip_space(m->value.at + m->value.len, end);
	if (p == end)
		return false;
	/* Behind the bracket or the comma. */
	p = jsontext_skip_space(p + 1, end);
	if (p == end)
		return false;
	if (*container->at == '{') {
		m->key = value_at(p, end);
		p = jsontext_skip_space(m->key.at + m->key.len, end) + 1;
	}
	m->value = value_at(p, end);
	return true;
}

int jsontext_write(const struct jsontext *value, struct buf *out, struct err *err)
{
	const char *p = value->at, *end = value->at + value->len;

	if (*p == '"')
		return jsontext_decode(p + 1, end - 1, out, err);
	while (p < end) {
		const char *start = p;

		while (p < end && !strchr("\" \t\r\n", *p))
			p++;
		if (p < end && *p == '"')
			p = jsontext_string_end(p, end) + 1;
		if (buf_add(out, start, (size_t)(p - start), err) < 0)
			return -1;
		p = jsontext_skip_space(p, end);
	}
	return 0;
}
