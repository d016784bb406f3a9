/*
 * check_text.h: the report of `check` for people.
 */
#ifndef COMMAND_CHECK_TEXT_H
#define COMMAND_CHECK_TEXT_H

#include "command/check_view.h"

/* Appends it. */
void check_write_text(const struct check_view *view, struct buf *out);

#endif
