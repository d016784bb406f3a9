/*
 * publish.h: the set of files an app reads, changed all at once.
 *
 * The layout is the kubelet's own AtomicWriter (pkg/volume/util/atomic_writer.go):
 * DIR/..<generation>/… real files, DIR/..data -> the generation, DIR/<first path part> ->
 * ..data/<first path part>.  Readers see the old set or the new one, at every instant and
 * after a crash at any instant.  The generation's ..manifest says what each file was made
 * from, so that a restarted process knows what is there without reading a value.
 */
#ifndef DELIVER_PUBLISH_H
#define DELIVER_PUBLISH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "deliver/manifest.h"
#include "deliver/publish_file.h"

struct publish;

/*
 * Opens the directory, takes its lock for the life of *out, reads the current set's
 * manifest and sweeps what an earlier crash left behind.
 * ERR_UNAVAILABLE: another process holds the lock; worth trying again for a moment.
 * ERR_IO: the directory is missing, not writable, or its ..data belongs to another uid;
 * the message names the fix.  publish_close() the result.
 */
int publish_open(struct publish **out, const char *dir, int64_t retain_ms, int64_t now,
		 struct err *err) MUST_CHECK;
void publish_close(struct publish *p);

/* Of the questions below, those about the current set also take p NULL: there is none. */

/* The directory's descriptor, for other state beside the set; owned by p. */
int publish_dir_fd(const struct publish *p);

/* The name of the current generation; NULL: no set has been published. */
const char *publish_generation(const struct publish *p);

/* True when a current file was made from exactly this object, with these options and
 * this mode, and is on disk as the manifest says.  The version is written to *version
 * (owned by p, until the next publish_set) when version is not NULL. */
bool publish_has(const struct publish *p, const char *path, const char *object,
		 const char *options, mode_t mode, const char **version);

/* What a file of the current set was made from, when it is on disk as the manifest says;
 * NULL: it is not, or p is NULL.  Owned by p until the next publish_set(). */
const struct manifest_entry *publish_at(const struct publish *p, const char *path);

/* What file i of the current set was made from, owned by p until the next publish_set();
 * NULL behind the last. */
const struct manifest_entry *publish_entry(const struct publish *p, size_t i);

/* A number for the configuration that sets are published for from now on, below 2^63. */
void publish_configure(struct publish *p, uint64_t configuration);

/* True when the current set was published for that configuration, and all its files are
 * still what was published. */
bool publish_fits(const struct publish *p);

/* How many files the current set has. */
size_t publish_count(const struct publish *p);

/*
 * Publishes files as the new content of the directory, by one rename.  The previous
 * generation stays on disk for the retain time.  Blocks for the file system only.
 * ERR_IO: readers see the old set, nothing is left behind that the next call minds,
 * and calling again later is safe.
 */
int publish_set(struct publish *p, const struct publish_file *files, size_t count,
		int64_t now, struct err *err) MUST_CHECK;

/* When publish_run() next has a retired generation to remove; CLOCK_NEVER: none. */
int64_t publish_deadline(const struct publish *p);
void publish_run(struct publish *p, int64_t now);

/* Things an operator should know at start, one per call from i = 0: not tmpfs; no group
 * or world access for the app (see fsGroup).  NULL behind the last. */
const char *publish_advice(const struct publish *p, size_t i);

#endif
