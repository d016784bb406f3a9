/*
 * check_json.h: the report of `check` for machines.
 */
#ifndef COMMAND_CHECK_JSON_H
#define COMMAND_CHECK_JSON_H

#include "command/check_view.h"

/* Appends it.  err: why there is no valid configuration; NULL: there is. */
void check_write_json(const struct check_view *view, const struct err *err,
		      struct buf *out);

#endif
