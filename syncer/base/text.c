#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

static const struct unit {
	const char *name;
	int64_t ms;
} units[] = {
	{ "h", 3600000 },
	{ "m", 60000 },
	{ "s", 1000 },
	{ "ms", 1 },
};

/* Digits at *s; moves *s behind them. */
static int digits(const char **s, int64_t max, int64_t *out)
{
	int64_t value = 0;

	if (!isdigit((unsigned char)**s))
		return -1;
	for (; isdigit((unsigned char)**s); (*s)++) {
		int digit = **s - '0';

		if (value > max / 10 || value * 10 > max - digit)
			return -1;
		value = value * 10 + digit;
	}
	*out = value;
	return 0;
}

int text_duration(const char *s, int64_t *out_ms)
{
	const int64_t max = INT64_C(366) * 24 * 3600 * 1000;
	int64_t total = 0;
	size_t next_unit = 0;

	if (strcmp(s, "0") == 0) {
		*out_ms = 0;
		return 0;
	}
	do {
		int64_t number;
		size_t n, u;

		if (digits(&s, max, &number) < 0)
			return -1;
		n = strspn(s, "hms");
		for (u = next_unit; u < ARRAY_LEN(units); u++)
			if (strlen(units[u].name) == n &&
			    strncmp(s, units[u].name, n) == 0)
				break;
		if (u == ARRAY_LEN(units) || number > max / units[u].ms)
			return -1;
		total += number * units[u].ms;
		if (total > max)
			return -1;
		s += n;
		next_unit = u + 1;
	} while (*s != '\0');
	*out_ms = total;
	return 0;
}

char *text_from_duration(int64_t ms)
{
	struct buf text = BUF_INIT(64);
	char *out;

	for (size_t u = 0; u < ARRAY_LEN(units); u++) {
		if (ms / units[u].ms > 0)
			buf_printf(&text, "%lld%s", (long long)(ms / units[u].ms),
				   units[u].name);
		ms %= units[u].ms;
	}
	out = xstrdup(text.len ? buf_str(&text) : "0s");
	buf_done(&text);
	return out;
}

int text_mode(const char *s, mode_t *out)
{
	mode_t mode = 0;

	if (*s == '\0' || strlen(s) > 4)
		return -1;
	for (; *s; s++) {
		if (*s < '0' || *s > '7')
			return -1;
		mode = mode * 8 + (mode_t)(*s - '0');
	}
	if (mode > 0777)
		return -1;
	*out = mode;
	return 0;
}

int text_number(const char *s, int64_t max, int64_t *out)
{
	int64_t value;

	if (digits(&s, max, &value) < 0 || *s != '\0')
		return -1;
	*out = value;
	return 0;
}

int text_bool(const char *s, bool *out)
{
	static const char *const yes[] = { "true", "1", "yes", "on" };
	static const char *const no[] = { "false", "0", "no", "off" };

	for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
		if (strcasecmp(s, yes[i]) == 0) {
			*out = true;
			return 0;
		}
		if (strcasecmp(s, no[i]) == 0) {
			*out = false;
			return 0;
		}
	}
	return -1;
}

bool text_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool text_same(const char *a, const char *b)
{
	return strcasecmp(a, b) == 0;
}

bool text_ends_same(const char *s, const char *suffix)
{
	size_t len = strlen(s), n = strlen(suffix);

	return len >= n && strcasecmp(s + len - n, suffix) == 0;
}

/* How many bytes of white space a text starts with: one character, or none. */
static size_t space_length(const char *s)
{
	static const char *const wide[] = {
		"\xc2\x85", /* next line */
		"\xc2\xa0", /* no-break space */
		"\xe1\x9a\x80", "\xe2\x80\x80", "\xe2\x80\x81",
		"\xe2\x80\x82", "\xe2\x80\x83", "\xe2\x80\x84",
		"\xe2\x80\x85", "\xe2\x80\x86", "\xe2\x80\x87",
		"\xe2\x80\x88", "\xe2\x80\x89", "\xe2\x80\x8a", /* of some width */
		"\xe2\x80\xa8", "\xe2\x80\xa9", /* line and paragraph separator */
		"\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80",
	};

	if (*s != '\0' && strchr(" \t\n\v\f\r", *s))
		return 1;
	for (size_t i = 0; i < ARRAY_LEN(wide) && (*s & 0x80); i++)
		if (text_starts(s, wide[i]))
			return strlen(wide[i]);
	return 0;
}

char *text_trim(char *s)
{
	char *end, *c;
	size_t n;

	while ((n = space_length(s)) > 0)
		s += n;
	for (end = c = s; *c != '\0'; c += n ? n : 1) {
		n = space_length(c);
		if (n == 0)
			end = c + 1;
	}
	*end = '\0';
	return s;
}

size_t text_utf8_length(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t n = s[0] < 0x80   ? 1
		   : s[0] < 0xc2 ? 0
		   : s[0] < 0xe0 ? 2
		   : s[0] < 0xf0 ? 3
				 : 4;

	if (s[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static bool same_letter(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Optimal string alignment over three rolling rows. */
size_t text_distance(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b);
	auto_free size_t *rows = xcalloc(3 * (lb + 1), sizeof(*rows));
	size_t *before = rows, *above = rows + lb + 1, *row = rows + 2 * (lb + 1);

	for (size_t j = 0; j <= lb; j++)
		row[j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t *recycled = before;

		before = above;
		above = row;
		row = recycled;
		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			row[j] = least(least(above[j], row[j - 1]) + 1,
				       above[j - 1] + !same_letter(a[i - 1], b[j - 1]));
			if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) &&
			    same_letter(a[i - 2], b[j - 1]))
				row[j] = least(row[j], before[j - 2] + 1);
		}
	}
	return row[lb];
}

const char *text_nearest(const char *s, const char *const *candidates, size_t count)
{
	size_t len = strlen(s), limit = len / 3 + 1;
	const char *nearest = NULL;

	for (size_t i = 0; i < count && len <= TEXT_NEAREST_MAX; i++) {
		size_t d, other = strlen(candidates[i]);

		/* The distance is no less than the difference of the lengths. */
		if (other >= len + limit || len >= other + limit)
			continue;
		d = text_distance(s, candidates[i]);

		if (d < limit) {
			limit = d;
			nearest = candidates[i];
		}
	}
	return nearest;
}

uint64_t text_hash(uint64_t hash, const char *s)
{
	const uint64_t prime = UINT64_C(0x100000001b3);

	for (const char *c = s; c != NULL && *c; c++)
		hash = (hash ^ (unsigned char)*c) * prime;
	return (hash ^ (s ? 0x100 : 0x101)) * prime;
}

static int base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static int add_group(const int digit[4], int padding, struct buf *out, struct err *err)
{
	unsigned bits = (unsigned)digit[0] << 18 | (unsigned)digit[1] << 12 |
			(unsigned)digit[2] << 6 | (unsigned)digit[3];
	char bytes[3] = { (char)(bits >> 16), (char)(bits >> 8), (char)bits };

	return buf_add(out, bytes, (size_t)(3 - padding), err);
}

int text_from_base64(const char *s, size_t len, struct buf *out, struct err *err)
{
	int group[4], filled = 0, padding = 0;

	for (size_t i = 0; i < len; i++) {
		int digit = base64_digit(s[i]);

		if (s[i] == '\r' || s[i] == '\n')
			continue;
		if (s[i] == '=' && filled >= 2) {
			digit = 0;
			padding++;
		} else if (digit < 0 || padding > 0) {
			return err_set(err, ERR_CONFIG,
				       "not standard base64 at character %zu", i + 1);
		}
		group[filled++] = digit;
		if (filled == 4) {
			if (add_group(group, padding, out, err) < 0)
				return -1;
			filled = 0;
		}
	}
	if (filled != 0)
		return err_set(err, ERR_CONFIG,
			       "not standard base64: its end is missing");
	return 0;
}

int text_from_base64url(const char *s, size_t len, struct buf *out, struct err *err)
{
	auto_buf struct buf standard = BUF_INIT(len + 4);

	for (size_t i = 0; i < len; i++) {
		char c = s[i] == '-' ? '+' : s[i] == '_' ? '/' : s[i];

		if (base64_digit(s[i]) > 61 || base64_digit(c) < 0)
			return err_set(err, ERR_CONFIG, "not base64url at character %zu",
				       i + 1);
		if (buf_add(&standard, &c, 1, err) < 0)
			return -1;
	}
	for (; standard.len % 4 != 0;)
		if (buf_add(&standard, "=", 1, err) < 0)
			return -1;
	return text_from_base64(buf_str(&standard), standard.len, out, err);
}

static void to_base64(const unsigned char *bytes, size_t len, const char *digits,
		      const char *padding, struct buf *out)
{
	for (size_t i = 0; i < len; i += 3) {
		size_t left = len - i;
		unsigned bits = (unsigned)bytes[i] << 16 |
				(left > 1 ? (unsigned)bytes[i + 1] << 8 : 0) |
				(left > 2 ? (unsigned)bytes[i + 2] : 0);
		char group[5] = { digits[bits >> 18], digits[bits >> 12 & 63],
				  digits[bits >> 6 & 63], digits[bits & 63], '\0' };

		if (left < 3)
			group[left + 1] = '\0';
		buf_printf(out, "%s%s", group, left < 3 ? padding + (left - 1) : "");
	}
}

#define ALPHANUMERIC "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

void text_to_base64(const void *bytes, size_t len, struct buf *out)
{
	to_base64(bytes, len, ALPHANUMERIC "+/", "==", out);
}

void text_to_base64url(const void *bytes, size_t len, struct buf *out)
{
	/* No padding: "" and the byte behind it. */
	to_base64(bytes, len, ALPHANUMERIC "-_", "\0", out);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int text_from_hex(const char *s, size_t len, struct buf *out, struct err *err)
{
	int high = -1;

	for (size_t i = 0; i < len; i++) {
		int digit = hex_digit(s[i]);
		char byte = (char)(high * 16 + digit);

		if (s[i] == '\r' || s[i] == '\n')
			continue;
		if (digit < 0)
			return err_set(err, ERR_CONFIG,
				       "not hexadecimal at character %zu", i + 1);
		if (high >= 0 && buf_add(out, &byte, 1, err) < 0)
			return -1;
		high = high < 0 ? digit : -1;
	}
	if (high >= 0)
		return err_set(err, ERR_CONFIG, "not hexadecimal: odd number of digits");
	return 0;
}
