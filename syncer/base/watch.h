/*
 * watch.h: notices when a file that the kubelet projects is replaced.
 *
 * The kubelet replaces a symlink, ..data, somewhere along the path; the file itself gets
 * no event.  So every directory that holds a symlink of the path is watched, and the one
 * with the file, and all are found anew after each event.  inotify(7).
 *
 * All watches share one descriptor: when it is readable, watch_take_events()
 * once, and then watch_look() each of them.
 */
#ifndef BASE_WATCH_H
#define BASE_WATCH_H

#include <stdbool.h>
#include <stdint.h>

struct watch;

/*
 * Watches the path, which need not exist yet.  name: what it is called in messages when
 * the path must not stand there; NULL: by its path; not copied.  watch_free() the result.
 *
 * A node gives each uid a number of inotify instances (128) and of watched directories,
 * for all its pods together.  A watch that gets no instance, or one of whose directories
 * cannot be watched, is blind: it compares the file every few seconds, and tries again to
 * watch it.
 */
struct watch *watch_new(const char *path, const char *name, int64_t now);
void watch_free(struct watch *w);
/* Its name, or else its path. */
const char *watch_name(const struct watch *w);

/* Why it is blind, as a sentence that names the file, what failed, and what to change on
 * the node; NULL when it is not.  Valid until the next call of watch_look(). */
const char *watch_trouble(const struct watch *w);

/* Whether the watch went blind or sees again since the last call, for the log: each
 * change is returned once.  w may be NULL. */
enum watch_news { WATCH_NO_NEWS, WATCH_WENT_BLIND, WATCH_SEES_AGAIN };
enum watch_news watch_news(struct watch *w);

/* Readable when something happened; -1 when w is NULL or there is no instance.  A blind
 * watch may have one: some of its directories are watched. */
int watch_fd(const struct watch *w);

/* When watch_look() is due without an event. */
int64_t watch_deadline(const struct watch *w);

/* Takes the events of all watches.  Every watch has to look afterwards, and not before:
 * an event that comes while they look must stay for the next time. */
void watch_take_events(void);

/* Watches the path as it is now.  True when another file is there than before, or its
 * bytes have changed: an event of a directory may concern another file.  w may be NULL.
 */
bool watch_look(struct watch *w, int64_t now);

#endif
