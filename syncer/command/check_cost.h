/*
 * check_cost.h: what `check --pods` tells of the cost, in both of its reports.
 */
#ifndef COMMAND_CHECK_COST_H
#define COMMAND_CHECK_COST_H

#include "command/check_view.h"

/* Appends it for people; nothing when no number of pods was given. */
void check_cost_write_text(const struct check_view *view, struct buf *out);

/* Appends it for machines: an object; null when no number of pods was given, or there is
 * no valid configuration. */
void check_cost_write_json(const struct check_view *view, struct buf *out);

#endif
