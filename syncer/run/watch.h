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
#include <stdint.h>

struct watch;

/*
 * Watches the path, which need not exist yet.  A node gives each uid 128 instances of
 * inotify, for all its pods together: a watch that gets none is blind, looks by itself
 * every few seconds, and tries again.  watch_free() the result.
 */
struct watch *watch_new(const char *path, int64_t now);
bool watch_is_blind(const struct watch *w);
void watch_free(struct watch *w);

/* Readable when something happened; -1 when w is NULL or blind. */
int watch_fd(const struct watch *w);

/* When watch_run() is due without that. */
int64_t watch_deadline(const struct watch *w);

/* Takes the events and watches the path as it is now.  True when another file is there
 * than before, or it has other bytes: directories have other news, too. */
bool watch_run(struct watch *w, int64_t now);

#endif
