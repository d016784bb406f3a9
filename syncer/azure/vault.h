/*
 * vault.h: Key Vault's data plane: which URL to ask, and what its replies say.  Pure.
 *
 * GET {vault}/{secrets|keys|certificates}[/{name}[/{version}|/versions]]?api-version=7.4
 * Messages do not name the object: the caller does.
 */
#ifndef AZURE_VAULT_H
#define AZURE_VAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "azure/refusal.h"
#include "base/json.h"
#include "base/kind.h"
#include "net/request.h"

#define VAULT_VERSION_LEN 32
/* Fifteen tags of 512 characters for each of 25 items, escaped. */
#define VAULT_LIST_MAX_BYTES (4 * 1024 * 1024)

/* The caller frees each.  The URL of an object, version NULL: the current one; of the
 * list of all objects; of the list of an object's versions. */
char *vault_object_url(const char *vault_url, enum object_kind kind, const char *name,
		       const char *version);
char *vault_list_url(const char *vault_url, enum object_kind kind);
char *vault_versions_url(const char *vault_url, enum object_kind kind, const char *name);

/* The identifier of an object without version, as kept beside its file; name NULL: what
 * those of all objects begin with.  The caller frees. */
char *vault_object_id(const char *vault_url, enum object_kind kind, const char *name);

/* One version of an object.  Strings and trees belong to body. */
struct vault_object {
	struct json *body;
	char version[VAULT_VERSION_LEN + 1];
	int64_t created, updated, not_before, expires; /* Unix seconds; -1: not given */
	bool disabled; /* a key or certificate that the vault gives all the same */
	const char *content_type; /* NULL: none */
	const struct json *tags;  /* NULL: none */

	struct buf value;    /* of a secret: its bytes, NUL included */
	bool of_certificate; /* a certificate, or the secret or key behind one: all three
				have one version */
	const struct json *jwk; /* of a key: its public members, base64url */
	const char *cer;        /* of a certificate: the leaf's DER, base64 */
};

/*
 * Reads the reply to an object's request, of any status; takes the value out of the
 * reply. As refusal_error(), and ERR_DENIED: a secret that is disabled, or a certificate
 * still being issued. ERR_GARBLED: the reply makes no sense, or its id is of another
 * vault or object.  vault_object_done() the result.
 */
int vault_object_parse(struct http_reply *reply, const struct refusal_context *context,
		       struct vault_object *out, struct err *err) MUST_CHECK;
void vault_object_done(struct vault_object *object);

/* Drops the value, and all that belongs to the body but a key's public members, once
 * files have been made of them. */
void vault_object_forget(struct vault_object *object);

/* An object, or one version of it, in a list. */
struct vault_listed {
	char *name;
	char version[VAULT_VERSION_LEN + 1]; /* "" in a list of objects */
	bool enabled;
	int64_t created; /* Unix seconds, several versions may share one; 0: not given */
	int64_t not_before, expires; /* Unix seconds; -1: not given */
	struct object_tag *tags;
	size_t tag_count;
};

struct vault_list {
	struct vault_listed *items;
	size_t count;
	char *next; /* the URL of the next page, NULL behind the last */
};

/*
 * Reads a page of a list, of any status, and adds its items to those in *list.  A page
 * may be short or empty while more follow.  host is the vault's, with :port if any: a
 * next page elsewhere is ERR_GARBLED, so that no token goes there.  *list is unchanged on
 * failure.
 */
int vault_list_parse(const struct http_reply *reply,
		     const struct refusal_context *context, const char *host,
		     struct vault_list *list, struct err *err) MUST_CHECK;
void vault_list_done(struct vault_list *list);

#endif
