/*
 * metrics.h: the picture of the state in the text formats of Prometheus and OpenMetrics:
 * the metrics of metrics_table.h with their values.  Pure.
 */
#ifndef REPORT_METRICS_H
#define REPORT_METRICS_H

#include "report/view.h"

enum metrics_format { METRICS_PROMETHEUS, METRICS_OPENMETRICS };

void metrics_write(const struct view *v, enum metrics_format format, struct buf *out);

#endif
