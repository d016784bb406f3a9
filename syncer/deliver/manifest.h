/*
 * manifest.h: what each file of a set was made from.  Pure.
 *
 * Lies in the set's own directory as ..manifest, so it moves with the rename that
 * publishes the set.  Holds names, versions and options, never a value or a digest of
 * one.
 */
#ifndef DELIVER_MANIFEST_H
#define DELIVER_MANIFEST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"

#define MANIFEST_NAME "..manifest"
#define MANIFEST_MAX_BYTES (16 * 1024 * 1024)
/* Of the list of objects, before it is quoted, which makes it up to six times as long. */
#define MANIFEST_LIST_MAX_BYTES (2 * 1024 * 1024)

struct manifest_entry {
	char *path;
	char *object;
	char *version;
	char *options;
	mode_t mode;
	int64_t size;     /* bytes of the file */
	int64_t mtime_ns; /* its modification time: an edited file is not trusted */
};

struct manifest {
	uint64_t configuration; /* a number for what was asked for; 0: not known */
	bool first; /* there was no set before; of an earlier release it is not known */
	char *list; /* the list of objects, as publish.h says; NULL: none */
	struct manifest_entry *items;
	size_t count;
	/* All items, in the order of their paths and of their objects; NULL until
	 * manifest_sort(). */
	const struct manifest_entry **by_path, **by_object;
};

/* Adds a copy of the entry. */
void manifest_add(struct manifest *m, const struct manifest_entry *entry);

/* Puts the items in order, once all have been added, for the questions below: a set may
 * have thousands of files, and each of them is looked for. */
void manifest_sort(struct manifest *m);

/* The item of a path; NULL: none. */
const struct manifest_entry *manifest_find(const struct manifest *m, const char *path);

/* Item i of those that were made from one object, from 0; NULL behind the last. */
const struct manifest_entry *manifest_of_object(const struct manifest *m,
						const char *object, size_t i);

/* Remembers a copy of the list; one over MANIFEST_LIST_MAX_BYTES is left out, so that the
 * manifest stays whole. */
void manifest_set_list(struct manifest *m, const char *list);

/* True when both would be written as the same text. */
bool manifest_equal(const struct manifest *a, const struct manifest *b);

/* Appends the manifest as JSON. */
void manifest_write(const struct manifest *m, struct buf *out);

/* The result is in order.  ERR_IO: not a manifest, or one of another format; the set has
 * to be fetched anew. */
int manifest_parse(const char *text, size_t len, struct manifest *out,
		   struct err *err) MUST_CHECK;
void manifest_done(struct manifest *m);

#endif
