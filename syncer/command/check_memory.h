/*
 * check_memory.h: what `check` tells of the memory that a configuration needs, in both of
 * its reports, and what of the container it runs in is too small for it.
 */
#ifndef COMMAND_CHECK_MEMORY_H
#define COMMAND_CHECK_MEMORY_H

#include "command/check_view.h"

/* Appends it for people. */
void check_memory_write_text(const struct check_view *view, struct buf *out);

/* Appends it for machines: an object. */
void check_memory_write_json(const struct check_view *view, struct buf *out);

#endif
