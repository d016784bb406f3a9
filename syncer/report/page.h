/*
 * page.h: the picture of the state as one small HTML page for a person, who looks at it
 * through `kubectl port-forward`: no script, nothing from elsewhere.  Pure.
 */
#ifndef REPORT_PAGE_H
#define REPORT_PAGE_H

#include "report/view.h"

void page_write(const struct view *v, struct buf *out);

#endif
