/*
 * watch.h: notices when a file that the kubelet projects is replaced.
 *
 * The kubelet swaps a symlink, ..data, somewhere along the path; the file itself sees no
 * event.  So every directory that holds a symlink of the path is watched, and the one
 * with the file, and all are found anew after each event.  inotify(7).
 *
 * All watches share one descriptor: when it is readable, watch_run() each of them.
 */
#ifndef RUN_WATCH_H
#define RUN_WATCH_H

#include <stdbool.h>

#include "base/err.h"

struct watch;

/* Watches the path, which need not exist yet.  ERR_IO.  watch_free() the result. */
int watch_new(struct watch **out, const char *path, struct err *err) MUST_CHECK;
void watch_free(struct watch *w);

/* Readable when something happened; -1 when w is NULL. */
int watch_fd(const struct watch *w);

/* Takes the events and watches the path as it is now.  True when another file is there
 * than before, or it has other bytes: directories have other news, too. */
bool watch_run(struct watch *w);

#endif
