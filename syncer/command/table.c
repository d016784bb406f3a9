#include "command/table.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "command/plain.h"

/* Of one cell; the longest path of a file fits. */
#define TABLE_CELL_MAX 4352

/* No column is cut to less. */
#define TABLE_COLUMN_LEAST 12

#define TABLE_GAP 2

static const char *const paints[] = {
	[PAINT_NONE] = "",
	[PAINT_RED] = "\x1b[31m",
	[PAINT_YELLOW] = "\x1b[33m",
};

static struct table_line *table_new_line(struct table *t)
{
	t->lines = xgrow(t->lines, t->count, sizeof(*t->lines));
	t->lines[t->count] = (struct table_line){ 0 };
	return &t->lines[t->count++];
}

static char *table_plain(const char *text)
{
	struct buf plain = BUF_INIT(TABLE_CELL_MAX);
	char *copy;

	plain_add(&plain, text, strlen(text), false);
	copy = xstrdup(buf_str(&plain));
	buf_done(&plain);
	return copy;
}

void table_begin(struct table *t, const char *const *headings, size_t columns)
{
	*t = (struct table){ .columns = columns, .filled = columns };
	for (size_t i = 0; i < columns; i++)
		table_cell(t, PAINT_NONE, "%s", headings[i]);
}

void table_cell(struct table *t, enum paint paint, const char *fmt, ...)
{
	char formatted[TABLE_CELL_MAX];
	struct table_line *line;
	va_list ap;

	if (t->filled == t->columns) {
		table_new_line(t);
		t->filled = 0;
	}
	line = &t->lines[t->count - 1];
	va_start(ap, fmt);
	vsnprintf(formatted, sizeof(formatted), fmt, ap);
	va_end(ap);
	line->cells[t->filled++] =
		(struct table_cell){ .text = table_plain(formatted), .paint = paint };
}

void table_note(struct table *t, enum paint paint, const char *text)
{
	struct table_line *line = table_new_line(t);

	line->is_note = true;
	line->cells[0] = (struct table_cell){ .text = table_plain(text), .paint = paint };
	t->filled = t->columns;
}

static void table_measure(const struct table *t, size_t *widths)
{
	for (size_t i = 0; i < t->count; i++)
		for (size_t c = 0; !t->lines[i].is_note && c < t->columns; c++) {
			const char *text = t->lines[i].cells[c].text;
			size_t width = text ? plain_width(text) : 0;

			if (width > widths[c])
				widths[c] = width;
		}
}

/* Makes the widest column narrower until the rows fit. */
static void table_shrink(const struct table *t, size_t *widths, size_t width)
{
	size_t sum = TABLE_GAP * (t->columns - 1);

	for (size_t c = 0; c < t->columns; c++)
		sum += widths[c];
	while (sum > width) {
		size_t widest = 0;

		for (size_t c = 1; c < t->columns; c++)
			if (widths[c] > widths[widest])
				widest = c;
		if (widths[widest] <= TABLE_COLUMN_LEAST)
			return;
		widths[widest]--;
		sum--;
	}
}

static void table_paint(const struct table_look *look, enum paint paint, const char *text,
			struct buf *out)
{
	bool paints_it = look->colour && paint != PAINT_NONE;

	buf_text(out, paints_it ? paints[paint] : "");
	buf_text(out, text);
	buf_text(out, paints_it ? "\x1b[0m" : "");
}

void table_line(const struct table_look *look, enum paint paint, const char *text,
		struct buf *out)
{
	table_paint(look, paint, text, out);
	buf_text(out, "\n");
}

static void table_write_row(const struct table *t, const struct table_line *line,
			    const size_t *widths, const struct table_look *look,
			    struct buf *out)
{
	for (size_t c = 0; c < t->columns && line->cells[c].text != NULL; c++) {
		auto_buf struct buf text = BUF_INIT(TABLE_CELL_MAX);
		bool last = c + 1 == t->columns;

		plain_cut(&text, line->cells[c].text, widths[c]);
		table_paint(look, line->cells[c].paint, buf_str(&text), out);
		if (!last)
			buf_printf(out, "%*s",
				   (int)(widths[c] - plain_width(buf_str(&text)) +
					 TABLE_GAP),
				   "");
	}
	buf_text(out, "\n");
}

void table_write(struct table *t, const struct table_look *look, struct buf *out)
{
	size_t widths[TABLE_COLUMNS_MAX] = { 0 };

	table_measure(t, widths);
	if (look->width > 0)
		table_shrink(t, widths, look->width);
	for (size_t i = 0; i < t->count; i++) {
		const struct table_line *line = &t->lines[i];

		if (line->is_note)
			table_line(look, line->cells[0].paint, line->cells[0].text, out);
		else
			table_write_row(t, line, widths, look, out);
	}
	table_done(t);
}

void table_done(struct table *t)
{
	for (size_t i = 0; i < t->count; i++)
		for (size_t c = 0; c < TABLE_COLUMNS_MAX; c++)
			free(t->lines[i].cells[c].text);
	free(t->lines);
	*t = (struct table){ 0 };
}
