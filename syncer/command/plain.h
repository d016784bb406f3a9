/*
 * plain.h: text of others, made safe for a terminal, and its width there.  Pure.
 *
 * A character that a terminal obeys, or that nobody sees, is shown as '?': control
 * characters, such as reverse the text or join others, private ones, and bytes that are
 * not UTF-8.  Other text stays as it is, letters of all scripts included.
 */
#ifndef COMMAND_PLAIN_H
#define COMMAND_PLAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* Appends len bytes, behind which stands a NUL, as a terminal may show them.  keep_lines:
 * line ends and tabs stay; else they become '?', too. */
void plain_add(struct buf *out, const char *text, size_t len, bool keep_lines);

/* How many columns a text takes that plain_add() made. */
size_t plain_width(const char *text);

/* Appends such a text, cut in its middle to at most so many columns: "db-pa...ord". */
void plain_cut(struct buf *out, const char *text, size_t columns);

#endif
