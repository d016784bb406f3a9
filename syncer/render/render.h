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

#include "base/buf.h"
#include "base/json.h"
#include "base/kind.h"
#include "base/text.h"
#include "crypto/pki.h"

#define RENDER_FILES_MAX 3

/* What the configuration asks for. */
struct render_how {
	enum object_kind kind;
	enum object_format format;
	enum object_layout layout;
	enum text_encoding encoding;
	const char *password_object; /* the secret that encrypts a pfx; NULL: none */
};

/* A name for the options that an object's files were made with.  The manifest remembers
 * it: when it changes, the files are made again.  Never holds a value.  The caller frees.
 */
char *render_options(const struct render_how *how);

/* What is appended to the object's path for its file i; NULL behind the last. */
const char *render_suffix(const struct render_how *how, size_t i);

/* What the vault gave. */
struct render_source {
	const struct buf *value; /* of a secret */
	bool of_certificate;
	const char *content_type;   /* NULL: none */
	const struct json *jwk;     /* of a key */
	const char *cer;            /* of a certificate, base64 */
	const struct buf *password; /* when how has a password_object */
};

/* One buffer a file, in the order of render_suffix(). */
struct render_files {
	struct buf items[RENDER_FILES_MAX];
	bool without_key;  /* the secret of a certificate has no private key */
	struct err unread; /* why the PEM of a certificate was left as it is, in whatever
			      order; ERR_NONE: it was not */
	struct pki_validity validity; /* of the certificate, if there is one */
};

/*
 * Makes the files.  ERR_CONFIG: the value is not what the configuration says it is; the
 * message may hold a position, never a part of the value.  ERR_GARBLED: the key's members
 * make no key.  render_files_done() the result.
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
