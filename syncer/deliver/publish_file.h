/*
 * publish_file.h: one file of a set that is to be published.
 */
#ifndef DELIVER_PUBLISH_FILE_H
#define DELIVER_PUBLISH_FILE_H

#include <stddef.h>
#include <sys/types.h>

/* One file of a set.  The strings stay the caller's. */
struct publish_file {
	const char *path; /* relative, normal, checked by the configuration */
	mode_t mode;
	const char *object; /* where it came from: "https://shop-kv…/secrets/db-pass" */
	const char *version; /* the vault's version of it */
	const char
		*options; /* how it was rendered, e.g. "encoding=base64"; never a value */
	const void *data; /* NULL: carry the current generation's file forward */
	size_t len;
};

#endif
