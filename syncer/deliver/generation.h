/*
 * generation.h: one set of files in a directory of its own, DIR/..<time>.<number>:
 * complete before readers can see it.  Its files are never changed afterwards.
 *
 * Its ..manifest says what each file was made from, so that a restarted process knows
 * what is there without reading a value.
 */
#ifndef DELIVER_GENERATION_H
#define DELIVER_GENERATION_H

#include <stdbool.h>
#include <sys/stat.h>

#include "deliver/manifest.h"
#include "deliver/publish_set.h"

/* ..2026_06_16_22_35_02.123456789, as the kubelet's */
#define GENERATION_LEN 32

struct generation {
	char name[GENERATION_LEN]; /* "" for none */
	int fd;                    /* of its directory; -1 likewise */
	bool known;                /* its manifest was understood; else it is empty */
	struct manifest manifest;
	enum publish_state *states; /* of its files, one an entry of the manifest */
	bool astray; /* at the latest look, its name did not lead to it any more */
};

#define GENERATION_NONE ((struct generation){ .fd = -1 })

/* True for a name of that form. */
bool generation_is_name(const char *name);

/* When it was made, by its name, in Unix milliseconds; 0: the name is of another form. */
int64_t generation_made_ms(const char *name);

/*
 * Opens a generation that is on disk and examines its files.  *out is GENERATION_NONE
 * when there is no such directory; its manifest is not known when there is none, or it
 * cannot be understood.
 * ERR_IO: the directory, the manifest or a file could not be read for another reason,
 * which may pass; the message names it.
 */
int generation_open(int dir_fd, const char *name, struct generation *out,
		    struct err *err) MUST_CHECK;

/* Forgets it; the files stay. */
void generation_close(struct generation *g);

/* Examines each file once and remembers its state.  All are missing when its name in the
 * directory no longer leads to it.  ERR_IO: one could not be examined, and the states
 * stay as they were. */
int generation_look(struct generation *g, int dir_fd, struct err *err) MUST_CHECK;

/* Examines one path.  *found is false when no regular file is there.  ERR_IO: it could
 * not be examined, errno kept. */
int generation_stat(const struct generation *g, const char *path, struct stat *st,
		    bool *found, struct err *err) MUST_CHECK;

/*
 * Whether a file of it has exactly this mode and these bytes, without keeping any of
 * them; *st is of that file then.  One that cannot be read has other bytes: its readers
 * cannot read it either.  ERR_IO: it could not be examined now, errno kept, such as for
 * want of a descriptor.
 */
int generation_has(const struct generation *g, const char *path, mode_t mode,
		   const void *data, size_t len, struct stat *st, bool *has,
		   struct err *err) MUST_CHECK;

/* The state of a file of which the manifest says e; st NULL: there is none. */
enum publish_state generation_state(const struct manifest_entry *e,
				    const struct stat *st);

/* A modification time as the manifest has it, in nanoseconds. */
int64_t generation_mtime(const struct stat *st);

/* Makes the directory of a new generation, with a name of its own.  ERR_IO, errno kept:
 * *out says what there is to remove, by generation_remove(). */
int generation_create(int dir_fd, struct generation *out, struct err *err) MUST_CHECK;

/* Writes the manifest of a new generation whose files are there, and takes over the
 * manifest and the states; the caller's are empty then.  ERR_IO, errno kept. */
int generation_complete(struct generation *g, struct manifest *manifest,
			enum publish_state **states, struct err *err) MUST_CHECK;

/* Replaces the manifest of a published generation in its place, at once and as a whole,
 * when it would say something else.  Takes over both as above.  ERR_IO, errno kept: the
 * old manifest and states stay. */
int generation_revise(struct generation *g, struct manifest *manifest,
		      enum publish_state **states, struct err *err) MUST_CHECK;

/* Closes it and removes its directory.  False, with its name in name: that is still
 * there. */
bool generation_remove(int dir_fd, struct generation *g,
		       char name[static GENERATION_LEN]);

#endif
