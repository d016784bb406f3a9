/*
 * status_text.h: the report of `status` for people: a head, then what fails and belongs
 * to no row, then tables of objects, vaults, tokens and targets of AKVSYNC_NOTIFY, with
 * the cause of a failure below its row.  Pure.
 *
 * All ages are by the sidecar's clock: the machine that asks may have another one.
 */
#ifndef COMMAND_STATUS_TEXT_H
#define COMMAND_STATUS_TEXT_H

#include "command/status_view.h"
#include "command/table.h"

void status_text_write(const struct status_view *view, const struct table_look *look,
		       struct buf *out);

#endif
