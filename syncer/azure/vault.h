/*
 * vault.h: Key Vault's data plane: which URL to ask, and what its replies say.  Pure.
 * GET {vault}/secrets/{name}[/{version}]?api-version=7.4
 */
#ifndef AZURE_VAULT_H
#define AZURE_VAULT_H

#include "base/json.h"
#include "net/http.h"

#define VAULT_VERSION_LEN 32

/* The URL of a secret; version NULL asks for the current one.  The caller frees. */
char *vault_secret_url(const char *vault_url, const char *name, const char *version);

/* The identifier of a secret without version, as kept beside its file; the caller frees.
 */
char *vault_secret_id(const char *vault_url, const char *name);

struct vault_secret {
	struct json *body; /* owns what the rest points to */
	const char *value; /* UTF-8 */
	char version[VAULT_VERSION_LEN + 1];
};

/*
 * Reads the reply to a secret's request, of any status.  ERR_IDENTITY: 401, the token is
 * refused.  ERR_DENIED: 403.  ERR_NOTFOUND.  ERR_CONFIG: a kind of secret this program
 * does not know, or a value with a NUL character.  ERR_UNAVAILABLE: 408, 429, 5xx or a
 * garbled reply; retry_after_ms is set when the service named a delay.  Messages do not
 * name the object: the caller does.
 */
int vault_secret_parse(const struct http_reply *reply, const char *client_id,
		       struct vault_secret *out, struct err *err) MUST_CHECK;
void vault_secret_done(struct vault_secret *secret);

#endif
