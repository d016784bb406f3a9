/*
 * publish_set.h: a set of files that is to be published, and the state of one that was.
 */
#ifndef DELIVER_PUBLISH_SET_H
#define DELIVER_PUBLISH_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "deliver/staged.h"

/* What is on the volume in the place of a file of the current set. */
enum publish_state {
	PUBLISH_INTACT,  /* the file, with the size, mode and time the manifest says */
	PUBLISH_ALTERED, /* a regular file of another size, mode or time */
	PUBLISH_MISSING, /* no regular file */
};

/* One file of a set to publish.  The strings stay the caller's. */
struct publish_file {
	const char *path; /* relative, normal, checked by the configuration */
	mode_t mode;
	const char *object; /* where it came from: "https://shop-kv…/secrets/db-pass" */
	const char *version; /* the vault's version of it */
	const char
		*options; /* how it was rendered, e.g. "encoding=base64"; never a value */
	/* Its bytes: these, or those that publish_stage() took.  Neither: carry the
	 * current set's file forward, which must be intact and have this mode. */
	const void *data;
	size_t len;
	struct staged staged;
	/* When it is carried: carry forward whatever is there, also when another program
	 * changed or removed the file.  The current set must have this path.  The
	 * manifest goes on saying the size, mode and time that were published, so the
	 * file is still altered or missing afterwards. */
	bool as_is;
};

/* True when the file gets no new bytes. */
static inline bool publish_file_is_carried(const struct publish_file *f)
{
	return f->data == NULL && f->staged.state == STAGED_NOT;
}

/* A set to publish.  It may be empty.  All it points to stays the caller's, and may also
 * belong to the current set: publish_entry(), publish_list(). */
struct publish_set {
	const struct publish_file *files; /* no path twice */
	size_t count;
	/* A number for the configuration that it is made for, 1 to 2^63 - 1. */
	uint64_t configuration;
	/* The list of objects it is made for, as a text that publish_list() gives back
	 * after a restart; NULL: none.  One over MANIFEST_LIST_MAX_BYTES is left out. */
	const char *list;
};

#endif
