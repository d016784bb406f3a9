/*
 * render.h: one object of the vault becomes the bytes of its files.  Pure.
 *
 * The bytes are those of the CSI provider, as far as it makes any: docs/objects.md has
 * the rows, docs/migrate-from-csi.md the differences.
 */
#ifndef RENDER_RENDER_H
#define RENDER_RENDER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/kind.h"
#include "base/text.h"
#include "crypto/pki.h"

/* What the configuration asks for. */
struct render_how {
	const char *path; /* of the object's file, before what a layout appends */
	mode_t mode;
	enum object_kind kind;
	enum object_format format;
	enum object_layout layout;
	enum text_encoding encoding;
	const char *password_object; /* the secret that encrypts a pfx; NULL: none */
};

/* What the vault gave. */
struct render_source {
	const struct buf *value; /* of a secret */
	bool of_certificate;
	const char *content_type;   /* NULL: none */
	const struct json *jwk;     /* of a key */
	const char *cer;            /* of a certificate, base64 */
	const struct buf *password; /* when how has a password_object */
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
	struct render_file *items;
	size_t count;
	bool without_key;  /* the secret of a certificate has no private key */
	struct err unread; /* why the PEM of a certificate was left as it is, in whatever
			      order; ERR_NONE: it was not */
	struct pki_validity validity; /* of the certificate, if there is one */
};

/* The files that an object becomes, still without bytes.  render_files_done() the result.
 */
void render_outline(const struct render_how *how, struct render_files *out);

/*
 * Makes the files of the outline.  ERR_CONFIG: the value is not what the configuration
 * says it is; the message may hold a position, never a part of the value.  ERR_GARBLED:
 * the key's members make no key.  render_files_done() the result.
 */
int render_object(const struct render_how *how, const struct render_source *source,
		  struct render_files *out, struct err *err) MUST_CHECK;
void render_files_done(struct render_files *files);

/* What path.json says about an object.  Times are Unix seconds, -1: not given. */
struct render_facts {
	const char *name, *kind, *version;
	const char *content_type; /* NULL: none */
	int64_t created, updated, not_before, expires;
	const struct json *tags; /* NULL: none */
};

/* Appends them as a JSON object and a line end; times as RFC 3339 in UTC. */
void render_metadata(const struct render_facts *facts, struct buf *out);

#endif
