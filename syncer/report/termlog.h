/*
 * termlog.h: the cause of a failed start, where `kubectl describe pod` shows it.
 * https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/
 */
#ifndef REPORT_TERMLOG_H
#define REPORT_TERMLOG_H

#include "base/err.h"

/* Replaces the file's content with one line.  The kubelet makes the file; where there is
 * none (or no path is known, NULL), nothing happens. */
void termlog_write(const char *path, const struct err *err);

/* Empties the file, after the first success. */
void termlog_clear(const char *path);

#endif
