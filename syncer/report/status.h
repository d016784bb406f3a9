/*
 * status.h: the picture of the state as JSON, in the form that docs/status.md promises.
 * Pure.
 */
#ifndef REPORT_STATUS_H
#define REPORT_STATUS_H

#include "report/view.h"

/* Is written in "format"; it grows when a field changes its meaning or goes. */
#define STATUS_FORMAT 1

void status_write(const struct view *v, struct buf *out);

#endif
