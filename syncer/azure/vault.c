#include "azure/vault.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

/* The newest version that every cloud serves; get and list need nothing newer. */
#define API_VERSION "7.4"

char *vault_secret_url(const char *vault_url, const char *name, const char *version)
{
	return xasprintf("%s/secrets/%s%s%s?api-version=" API_VERSION, vault_url, name,
			 version ? "/" : "", version ? version : "");
}

char *vault_secret_id(const char *vault_url, const char *name)
{
	return xasprintf("%s/secrets/%s", vault_url, name);
}

/* An error of the service, by its innermost code: the outer ones only say "Forbidden". */
static const struct refusal {
	const char *code;
	enum err_kind kind;
	const char *hint; /* may hold one %s: the client id */
} refusals[] = {
	{ "SecretDisabled", ERR_DENIED,
	  "the secret is disabled: enable it or set a new version" },
	{ "ForbiddenByRbac", ERR_DENIED,
	  "identity %s may not read it; grant \"Key Vault Secrets User\" on the vault or "
	  "the secret (takes minutes to act)" },
	{ "AccessDenied", ERR_DENIED,
	  "identity %s may not read it; give it the secret permission \"get\" in the "
	  "vault's access policies" },
	{ "ForbiddenByFirewall", ERR_DENIED,
	  "the vault's firewall does not admit this address; add the cluster's egress "
	  "address or use a private endpoint" },
	{ "ForbiddenByConnection", ERR_DENIED,
	  "the vault takes private connections only; link its private DNS zone to the "
	  "cluster's network" },
	{ "SecretNotFound", ERR_NOTFOUND, "check the name, and whether it was deleted" },
	{ "Throttled", ERR_UNAVAILABLE, "too many requests to this vault" },
};

static void innermost_code(const struct json *body, char *out, size_t size)
{
	const struct json *error = json_get(body, "error");

	snprintf(out, size, "%s", "");
	for (int depth = 0; error != NULL && depth < 8; depth++) {
		const char *code = json_string(error, "code");

		if (code != NULL && *code != '\0' && strlen(code) < size &&
		    strspn(code, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ012"
				 "3456789") == strlen(code))
			snprintf(out, size, "%s", code);
		error = json_get(error, "innererror");
	}
}

static enum err_kind kind_of(int status)
{
	if (status == 401)
		return ERR_IDENTITY;
	if (status == 403)
		return ERR_DENIED;
	if (status == 404)
		return ERR_NOTFOUND;
	if (status == 408 || status == 429 || status >= 500)
		return ERR_UNAVAILABLE;
	if (status >= 400)
		return ERR_CONFIG;
	return ERR_UNAVAILABLE;
}

/* The AKV code that opens a 401's message, such as AKV10032, or "" */
static void akv_code(const struct json *body, char *out, size_t size)
{
	const char *message = json_string(json_get(body, "error"), "message");

	snprintf(out, size, "%s", "");
	if (message == NULL)
		return;
	if (strncmp(message, "AKV", 3) == 0)
		snprintf(out, size, " %.*s", (int)(3 + strspn(message + 3, "0123456789")),
			 message);
	else if (strncmp(message, "[TokenExpired]", 14) == 0)
		snprintf(out, size, " TokenExpired");
}

static void add_hint(const char *code, int status, const char *client_id, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		const struct refusal *r = &refusals[i];
		const char *blank;

		if (strcmp(code, r->code) != 0)
			continue;
		err->kind = r->kind;
		blank = strstr(r->hint, "%s");
		if (blank != NULL)
			err_hint(err, "%.*s%s%s", (int)(blank - r->hint), r->hint,
				 client_id, blank + 2);
		else
			err_hint(err, "%s", r->hint);
		return;
	}
	if (status == 401)
		err_hint(err, "the vault does not accept the token of identity %s",
			 client_id);
	else if (status >= 300 && status < 400)
		err_hint(err, "redirects are not followed: is something between the pod "
			      "and the vault answering for it?");
}

static int service_error(const struct http_reply *reply, const char *client_id,
			 struct err *err)
{
	auto_json struct json *body = NULL;
	char code[64], akv[32];

	if (json_parse(buf_str(&reply->body), reply->body.len, &body, err) < 0)
		body = NULL;
	innermost_code(body, code, sizeof(code));
	akv_code(body, akv, sizeof(akv));
	err_set(err, kind_of(reply->status), "%d%s%s%s", reply->status,
		code[0] ? " " : "", code, reply->status == 401 ? akv : "");
	add_hint(code, reply->status, client_id, err);
	err->retry_after_ms = reply->retry_after_ms;
	snprintf(err->request, sizeof(err->request), "%s", reply->request_id);
	return -1;
}

/* The last segment of ".../secrets/name/version". */
static int copy_version(const char *id, char out[static VAULT_VERSION_LEN + 1],
			struct err *err)
{
	const char *slash = id ? strrchr(id, '/') : NULL;

	if (slash == NULL || strlen(slash + 1) != VAULT_VERSION_LEN ||
	    strspn(slash + 1, "0123456789abcdefABCDEF") != VAULT_VERSION_LEN)
		return err_set(err, ERR_UNAVAILABLE,
			       "garbled reply: no version in its id");
	memcpy(out, slash + 1, VAULT_VERSION_LEN + 1);
	return 0;
}

int vault_secret_parse(const struct http_reply *reply, const char *client_id,
		       struct vault_secret *out, struct err *err)
{
	auto_json struct json *body = NULL;
	struct vault_secret secret = { 0 };

	if (reply->status != 200)
		return service_error(reply, client_id, err);
	if (json_parse(buf_str(&reply->body), reply->body.len, &body, err) < 0)
		return err->kind == ERR_CONFIG
			       ? err_hint(err, "store binary values as base64 and set "
					       "objectEncoding: base64")
			       : err_wrap(err, "garbled reply");
	if (copy_version(json_string(body, "id"), secret.version, err) < 0)
		return -1;
	secret.value = json_string(body, "value");
	if (secret.value == NULL)
		return err_set(err, ERR_UNAVAILABLE, "garbled reply: no value");
	if (json_string(body, "kid") != NULL)
		return err_set(err, ERR_CONFIG,
			       "it belongs to a certificate: secrets of certificates are "
			       "not supported yet");
	secret.body = body;
	body = NULL;
	*out = secret;
	return 0;
}

void vault_secret_done(struct vault_secret *secret)
{
	json_free(secret->body);
	*secret = (struct vault_secret){ 0 };
}
