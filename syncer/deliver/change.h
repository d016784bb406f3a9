/*
 * change.h: what a set to publish changes on the volume, and the generation made of it.
 *
 * The bytes decide: a new version with the bytes and the mode that are on the volume is
 * no change.
 */
#ifndef DELIVER_CHANGE_H
#define DELIVER_CHANGE_H

#include "deliver/generation.h"
#include "deliver/paths.h"
#include "deliver/staging.h"

/* What is done for one file of the set. */
enum change {
	CHANGE_WRITE, /* its bytes or its mode are new, or its name is: it is written, or
			 a staged file is linked or copied */
	CHANGE_CARRY, /* the current file is linked or copied */
	CHANGE_NONE,  /* there is no current file, and none is made */
};

struct changes {
	/* What the set will be made from.  An entry of a file to write has no size and no
	 * time until it is written. */
	struct manifest manifest;
	enum change *kinds;         /* one an entry */
	enum publish_state *states; /* of the files once the set is published */
	struct paths
		changed; /* with other bytes or mode, new ones, and those that went */
};

/*
 * Compares the set with the current generation; *out is for changes_done() also after a
 * failure.
 * ERR_IO: a current file cannot be examined, or one that is to be carried forward is not
 * what was published.
 */
int changes_find(struct changes *out, const struct generation *current,
		 const struct publish_set *set, struct err *err) MUST_CHECK;
void changes_done(struct changes *c);

/* Whether the current generation can go on as the set.  Its directory may belong to the
 * uid of an earlier container, where this one could not replace the manifest.  ERR_IO: it
 * could not be examined, errno kept. */
int changes_allow_stay(const struct changes *c, const struct generation *current,
		       bool *stays, struct err *err) MUST_CHECK;

/*
 * Makes a new generation of the set and completes the manifest, which goes to *out with
 * the states.  Files are carried forward by hard link where the file is our own, else by
 * copy.  ERR_IO, errno kept: *out says what there is to remove, by generation_remove().
 */
int changes_make(struct changes *c, int dir_fd, const struct generation *current,
		 const struct staging *staging, const struct publish_set *set,
		 struct generation *out, struct err *err) MUST_CHECK;

#endif
