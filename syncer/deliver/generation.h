/*
 * generation.h: one set of files in a directory of its own, DIR/..<time>.<number>: made
 * whole before anybody looks, never changed after.
 *
 * Its ..manifest says what each file was made from, so that a restarted process knows
 * what is there without reading a value.
 */
#ifndef DELIVER_GENERATION_H
#define DELIVER_GENERATION_H

#include "deliver/manifest.h"
#include "deliver/publish_file.h"

/* ..2026_06_16_22_35_02.123456789, as the kubelet's */
#define GENERATION_LEN 32

struct generation {
	char name[GENERATION_LEN]; /* "" for none */
	int fd;                    /* of its directory; -1 likewise */
	struct manifest manifest;
};

#define GENERATION_NONE ((struct generation){ .fd = -1 })

/* True for a name of that form. */
bool generation_is_name(const char *name);

/* Opens a generation that is on disk.  A manifest that cannot be understood counts as
 * empty: everything is fetched anew.  False: there is no such directory. */
bool generation_open(int dir_fd, const char *name, struct generation *out);

/* Forgets it; the files stay. */
void generation_close(struct generation *g);

/* The entry of a file that is still what was published: nobody edited, replaced or
 * removed it.  NULL: none. */
const struct manifest_entry *generation_find(const struct generation *g,
					     const char *path);

/*
 * Makes a new generation.  Files without data come from the old one: by hard link where
 * the file is our own, else by copy.  ERR_IO, errno kept: *out says what there is to
 * remove, by generation_remove().
 */
int generation_make(int dir_fd, const struct generation *old, uint64_t configuration,
		    const struct publish_file *files, size_t count,
		    struct generation *out, struct err *err) MUST_CHECK;

/* Closes it and removes its directory. */
void generation_remove(int dir_fd, struct generation *g);

#endif
