#include "command/plain.h"

#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

struct plain_range {
	uint32_t first, last;
};

/* https://www.unicode.org/Public/UCD: categories Cc, Cf and Co, and what has no shape. */
static const struct plain_range hidden[] = {
	{ 0x00, 0x1f },       { 0x7f, 0x9f },        { 0xad, 0xad },
	{ 0x34f, 0x34f },     { 0x600, 0x605 },      { 0x61c, 0x61c },
	{ 0x6dd, 0x6dd },     { 0x70f, 0x70f },      { 0x115f, 0x1160 },
	{ 0x17b4, 0x17b5 },   { 0x180b, 0x180f },    { 0x200b, 0x200f },
	{ 0x2028, 0x202e },   { 0x2060, 0x206f },    { 0x3164, 0x3164 },
	{ 0xe000, 0xf8ff },   { 0xfe00, 0xfe0f },    { 0xfeff, 0xfeff },
	{ 0xffa0, 0xffa0 },   { 0xfff0, 0xfffb },    { 0xfffe, 0xffff },
	{ 0x1d173, 0x1d17a }, { 0xe0000, 0x10ffff },
};

/* Accents: they stand on the character before them. */
static const struct plain_range narrow[] = {
	{ 0x300, 0x36f },   { 0x483, 0x489 },   { 0x591, 0x5bd },   { 0x610, 0x61a },
	{ 0x64b, 0x65f },   { 0x1ab0, 0x1aff }, { 0x1dc0, 0x1dff }, { 0x20d0, 0x20ff },
	{ 0x302a, 0x302f }, { 0x3099, 0x309a }, { 0xfe20, 0xfe2f },
};

/* Of East Asia, and pictures. */
static const struct plain_range wide[] = {
	{ 0x1100, 0x115e },   { 0x2e80, 0x303e },   { 0x3041, 0xa4cf },
	{ 0xac00, 0xd7a3 },   { 0xf900, 0xfaff },   { 0xfe30, 0xfe6f },
	{ 0xff00, 0xff60 },   { 0xffe0, 0xffe6 },   { 0x1f300, 0x1f64f },
	{ 0x1f680, 0x1f6ff }, { 0x1f900, 0x1f9ff }, { 0x20000, 0x3fffd },
};

static bool plain_is_in(const struct plain_range *ranges, size_t count, uint32_t point)
{
	for (size_t i = 0; i < count; i++)
		if (point >= ranges[i].first && point <= ranges[i].last)
			return true;
	return false;
}

/* The character that the sequence of n bytes stands for. */
static uint32_t plain_point(const char *text, size_t n)
{
	static const unsigned char bits[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	uint32_t point = (unsigned char)text[0] & bits[n];

	for (size_t i = 1; i < n; i++)
		point = point << 6 | ((unsigned char)text[i] & 0x3f);
	return point;
}

/* The bytes of the character at text if it may be shown; 0: it may not. */
static size_t plain_shown_length(const char *text, bool keep_lines)
{
	size_t n = text_utf8_length(text);

	if (keep_lines && (*text == '\n' || *text == '\t'))
		return 1;
	return n == 0 || plain_is_in(hidden, ARRAY_LEN(hidden), plain_point(text, n)) ? 0
										      : n;
}

void plain_add(struct buf *out, const char *text, size_t len, bool keep_lines)
{
	const char *end = text + len, *run = text;

	while (text < end) {
		size_t n = plain_shown_length(text, keep_lines);

		if (n > 0) {
			text += n;
			continue;
		}
		buf_printf(out, "%.*s?", (int)(text - run), run);
		/* One '?' for a character, or for a byte that is part of none. */
		n = text_utf8_length(text);
		text += n ? n : 1;
		run = text;
	}
	buf_printf(out, "%.*s", (int)(end - run), run);
}

/* The columns of the character at text, which has n bytes. */
static size_t plain_columns(const char *text, size_t n)
{
	uint32_t point = plain_point(text, n);

	return plain_is_in(narrow, ARRAY_LEN(narrow), point) ? 0
	       : plain_is_in(wide, ARRAY_LEN(wide), point)   ? 2
							     : 1;
}

static size_t plain_step(const char *text)
{
	size_t n = text_utf8_length(text);

	return n ? n : 1;
}

size_t plain_width(const char *text)
{
	size_t columns = 0;

	for (; *text; text += plain_step(text))
		columns += plain_columns(text, plain_step(text));
	return columns;
}

void plain_cut(struct buf *out, const char *text, size_t columns)
{
	static const char dots[] = "...";
	size_t width = plain_width(text), head, column = 0, tail;
	const char *c = text;

	if (width <= columns) {
		buf_text(out, text);
		return;
	}
	if (columns < strlen(dots))
		return;
	tail = (columns - strlen(dots)) / 2;
	head = columns - strlen(dots) - tail;
	for (; column + plain_columns(c, plain_step(c)) <= head; c += plain_step(c))
		column += plain_columns(c, plain_step(c));
	buf_printf(out, "%.*s%s", (int)(c - text), text, dots);
	for (; width - column > tail; c += plain_step(c))
		column += plain_columns(c, plain_step(c));
	buf_text(out, c);
}
