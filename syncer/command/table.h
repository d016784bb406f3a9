/*
 * table.h: rows of cells in columns as wide as what stands in them, for a person.  Pure.
 *
 * The text of a cell may be of others: it goes through plain_add().  A colour is written
 * only where the caller says that the output shows one.
 */
#ifndef COMMAND_TABLE_H
#define COMMAND_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define TABLE_COLUMNS_MAX 8

enum paint { PAINT_NONE, PAINT_RED, PAINT_YELLOW };

/* How the output looks. */
struct table_look {
	size_t width; /* columns of the terminal, to which cells are cut; 0: no bound */
	bool colour;
};

struct table_cell {
	char *text;
	enum paint paint;
};

struct table_line {
	struct table_cell cells[TABLE_COLUMNS_MAX];
	bool is_note; /* the first cell is a line of its own, and is never cut */
};

struct table {
	size_t columns;
	struct table_line *lines; /* the first: the headings */
	size_t count;
	size_t filled; /* cells of the last row */
};

/* A table with these headings; table_write() or table_done() it. */
void table_begin(struct table *t, const char *const *headings, size_t columns);

/* The next cell of a row, which ends with its last column. */
void table_cell(struct table *t, enum paint paint, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

/* A line below the row before it. */
void table_note(struct table *t, enum paint paint, const char *text);

/* Appends the table, and forgets it. */
void table_write(struct table *t, const struct table_look *look, struct buf *out);

/* Appends one line outside of any table: a text that plain_add() made. */
void table_line(const struct table_look *look, enum paint paint, const char *text,
		struct buf *out);

void table_done(struct table *t);

#endif
