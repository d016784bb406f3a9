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

#include "base/json.h"
#include "render/outline.h"

/* What the vault gave. */
struct render_source {
	const struct buf *value; /* of a secret */
	bool of_certificate;
	const char *content_type;   /* NULL: none */
	const struct json *jwk;     /* of a key */
	const char *cer;            /* of a certificate, base64 */
	const struct buf *password; /* when how has a password_object */
};

/*
 * Makes the files of the outline, and those of extracted keys.  ERR_CONFIG: the value is
 * not what the configuration says it is; the message may hold a position, never a part of
 * the value.  ERR_GARBLED: the key's members make no key.  render_files_done() the
 * result.
 */
int render_object(const struct render_how *how, const struct render_source *source,
		  struct render_files *out, struct err *err) MUST_CHECK;

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
