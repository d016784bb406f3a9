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
#include "deliver/paths.h"
#include "deliver/publish_set.h"

struct publish;

/* Which set readers see after publish_finish(). */
enum publish_result {
	PUBLISH_UNCHANGED, /* the same set as before: the app need not be notified */
	PUBLISH_FIRST,     /* a set where there was none */
	PUBLISH_REPLACED,  /* another set in place of the one before */
};

/*
 * Opens the directory, takes its lock for the life of *out, reads the current set's
 * manifest, looks at its files and sweeps what an earlier crash left behind.
 *
 * "There is no set" is believed only when the system says so.  A manifest that is garbage
 * or of another format counts as one that names no files.
 *
 * ERR_UNAVAILABLE: another process holds the lock, or the current set could not be read
 * for another reason, such as no memory or no free descriptor.  Nothing is changed or
 * removed, the message names what could not be read, and it is worth trying again for
 * some seconds.
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

/* When it was published, in Unix milliseconds; 0: there is none. */
int64_t publish_made_ms(const struct publish *p);

/*
 * Examines each file of the current set once and remembers its state.  The questions
 * below answer from what was remembered last; publish_open() and a publish_commit() that
 * succeeds leave states that are true.
 *
 * Also examines how readers reach the set.  A link, or ..data, that another program
 * removed or replaced is made again, and publish_healed() has its name.
 *
 * ERR_UNAVAILABLE: something could not be examined, and the message names it.  What was
 * remembered before stays.
 * ERR_IO: readers do not reach the set, and that cannot be mended: a directory is in the
 * place of a link, or AKVSYNC_DIR is another directory than the one that was opened.
 */
int publish_look(struct publish *p, struct err *err) MUST_CHECK;

/* The names of the links that were made again since publish_forget_healed(). */
const struct paths *publish_healed(const struct publish *p);
void publish_forget_healed(struct publish *p);

/* What a file of the current set was made from, whatever its state, which goes to *state
 * when state is not NULL.  NULL: the current set has no file of this path.  Owned by p
 * until the next publish_commit(). */
const struct manifest_entry *publish_at(const struct publish *p, const char *path,
					enum publish_state *state);

/* The same for file i of the current set, from 0; NULL behind the last. */
const struct manifest_entry *publish_entry(const struct publish *p, size_t i,
					   enum publish_state *state);

/* The same for file i of those of the current set that were made from one object. */
const struct manifest_entry *publish_of_object(const struct publish *p,
					       const char *object, size_t i);

/* Appends a file of the current set to out.  ERR_IO: the set has no such file, it is not
 * as it was published, or it cannot be read; the message, such as "is not in the set",
 * goes on after the file's name. */
int publish_read(const struct publish *p, const char *path, struct buf *out,
		 struct err *err) MUST_CHECK;

/*
 * Takes the bytes that are to be a file of the next set, compares them with the file that
 * the current set has there, and wipes them: *out says where they are, for the
 * publish_file of that path and mode.  With p NULL, or when the volume does not take
 * them, the bytes stay, and are to be the data of the publish_file.
 *
 * Nothing is shown to readers.  All goes with the set that is published next, or by
 * publish_abandon().
 */
void publish_stage(struct publish *p, const char *path, mode_t mode, struct buf *bytes,
		   struct staged *out);
/* They are no longer wanted. */
void publish_unstage(struct publish *p, struct staged *staged);

/* Appends the bytes that a file of a set to publish is going to have.  ERR_IO as above.
 */
int publish_read_new(const struct publish *p, const struct publish_file *f,
		     struct buf *out, struct err *err) MUST_CHECK;

/* True when no file of the current set is missing, and readers reach it; also when there
 * is no set. */
bool publish_is_whole(const struct publish *p);

/* True when the current set is known to be the first one on its volume. */
bool publish_is_first(const struct publish *p);

/* How many files the current set has. */
size_t publish_count(const struct publish *p);

/* True when the current set was published for the configuration of this number.  It says
 * nothing about the state of the files. */
bool publish_fits(const struct publish *p, uint64_t configuration);

/* The list that the current set was published with; NULL: none is known.  Owned by p
 * until the next publish_commit(). */
const char *publish_list(const struct publish *p);

/*
 * Publishing has two steps: publish_prepare() makes the set beside the current one, and
 * publish_finish() shows it to readers.  Between them the caller may look at the new
 * files, or have a program look, and publish_abandon() instead.
 *
 * The bytes decide.  A file whose bytes and mode are on the volume already is carried
 * forward.  When no byte, no name and no mode changes, no new generation is made: the
 * manifest of the current one is replaced in its place, and only when it would say
 * something else.  Otherwise a new generation is published by one rename, and the one
 * before stays on disk for the retain time.
 *
 * *result says which set readers will see.  Blocks for the file system only.
 * ERR_IO, of both steps, errno kept: readers see the old set, nothing is left behind that
 * disturbs the next call, what was staged stays, and preparing it again is safe.
 * publish_look() first:
 * another program may have changed a file that was to be carried forward.
 */
int publish_prepare(struct publish *p, const struct publish_set *set,
		    enum publish_result *result, struct err *err) MUST_CHECK;
int publish_finish(struct publish *p, int64_t now, struct err *err) MUST_CHECK;
/* Does nothing when nothing is prepared or staged. */
void publish_abandon(struct publish *p);

/* Of the set that was prepared last: the files that get other bytes or another mode, that
 * are new, or that go.  Owned by p until the next publish_prepare(). */
const struct paths *publish_changed(const struct publish *p);

/* The name in DIR of a set's directory that is prepared and not published yet; NULL:
 * there is none. */
const char *publish_prepared(const struct publish *p);

/* Both steps at once. */
int publish_commit(struct publish *p, const struct publish_set *set, int64_t now,
		   enum publish_result *result, size_t *changed,
		   struct err *err) MUST_CHECK;

/* When publish_run() next has a retired generation to remove; CLOCK_NEVER: none. */
int64_t publish_deadline(const struct publish *p);
void publish_run(struct publish *p, int64_t now);

/* Things an operator should know at start, one per call from i = 0: not tmpfs; no group
 * or world access for the app (see fsGroup); a retain time that is too short.  NULL
 * behind the last. */
const char *publish_advice(const struct publish *p, size_t i);

#endif
