/*
 * outline.h: which files an object becomes, by the configuration alone.  Pure.
 */
#ifndef RENDER_OUTLINE_H
#define RENDER_OUTLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/kind.h"
#include "base/text.h"
#include "crypto/pki.h"

/* A secret is at most 25 KiB of text; a certificate may come twice, in two files. */
#define RENDER_FILE_MAX (256 * 1024)
/* Files of the keys of one JSON object. */
#define RENDER_KEYS_MAX 1000

/* What the configuration asks for. */
struct render_how {
	const char *name; /* of the object: the alias of its key and certificates */
	const char *path; /* of the object's file, before what a layout appends */
	mode_t mode;
	enum object_kind kind;
	enum object_format format;
	enum object_layout layout;
	enum text_encoding encoding;
	const char *password_object; /* the secret that encrypts a PKCS#12; NULL: none */

	/* Values inside its JSON text. */
	const struct object_part *parts;
	size_t part_count;
	enum object_extract extract;
	const char *folder; /* of the files of extracted keys; NULL: none */
	bool without_whole; /* the whole value is no file */
};

/* One file of an object. */
struct render_file {
	char *path;
	mode_t mode;
	/* A name for the options that it was made with, never a value.  The manifest
	 * remembers it: when it changes, the file is made again. */
	char *options;
	struct buf bytes;
};

struct render_files {
	struct render_file *items; /* those of the outline, then those of extracted keys
				    */
	size_t count;
	size_t outlined;   /* how many the outline has */
	bool without_key;  /* the secret of a certificate has no private key */
	struct err unread; /* why the PEM of a certificate was left as it is, in whatever
			      order; ERR_NONE: it was not */
	struct pki_validity validity; /* of the certificate, if there is one */
};

/* The files that an object certainly becomes, still without bytes: of extracted keys only
 * the value knows them.  render_files_done() the result. */
void render_outline(const struct render_how *how, struct render_files *out);

/* Adds the file of an extracted key, whose name may be one that no path may have, and
 * gives all of them their options, once all are there. */
struct render_file *render_add_key(const struct render_how *how,
				   struct render_files *files, const char *key);
void render_finish_keys(const struct render_how *how, struct render_files *files);
void render_files_done(struct render_files *files);

/* The options of files of extracted keys, when there are so many.  The caller frees. */
char *render_key_options(const struct render_how *how, size_t count);

/* The part of options that says how many keys were extracted, and to which folder; NULL:
 * the file is of no extracted key. */
const char *render_extracted(const char *options, size_t *count);

/* The word for an encoding. */
const char *render_encoding_word(enum text_encoding encoding);
const char *render_layout_word(enum object_layout layout);

#endif
