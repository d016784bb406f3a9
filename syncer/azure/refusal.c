#include "azure/refusal.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/retry.h"

#define CODE_MAX 40
#define CODE_SHORT_MAX 8
#define AKV_DIGITS_MAX 5

/* An error of the service, by its innermost code: the outer ones only say "Forbidden". */
static const struct refusal {
	const char *code;
	enum err_kind kind;
	/* @address: the client's, as the service sees it; @client: the client id; @kind:
	 * secret, key, certificate; @what: was asked for; @role, @permission: what lets
	 * it do that; @vault: its name */
	const char *hint;
} refusals[] = {
	{ "SecretDisabled", ERR_DENIED,
	  "the secret is disabled: enable it in vault '@vault', or set a new version" },
	{ "ForbiddenByRbac", ERR_DENIED,
	  "identity @client may not @what; grant \"@role\" on vault '@vault' or "
	  "the @kind (takes minutes to act)" },
	{ "AccessDenied", ERR_DENIED,
	  "identity @client may not @what; give it the @kind permission "
	  "\"@permission\" in the access policies of vault '@vault'" },
	{ "ForbiddenByFirewall", ERR_DENIED,
	  "the firewall of vault '@vault' does not admit @address; add the cluster's "
	  "egress address or use a private endpoint" },
	{ "ForbiddenByConnection", ERR_DENIED,
	  "vault '@vault' takes private connections only; link its private DNS zone to "
	  "the cluster's network" },
	{ "AKV10022", ERR_IDENTITY,
	  "the token is for another cloud or kind of vault: check AKVSYNC_CLOUD, and the "
	  "vault's URL" },
	{ "AKV10032", ERR_IDENTITY,
	  "the token is of another tenant than the vault's: use an identity of the "
	  "vault's "
	  "tenant" },
	{ "TokenExpired", ERR_IDENTITY,
	  "the token ended before its time: is this node's clock right?" },
	{ "SecretNotFound", ERR_NOTFOUND,
	  "check the name, and whether it was deleted from vault '@vault'" },
	{ "KeyNotFound", ERR_NOTFOUND,
	  "check the name, and whether it was deleted from vault '@vault'" },
	{ "CertificateNotFound", ERR_NOTFOUND,
	  "check the name, and whether it was deleted from vault '@vault'" },
};

/* The other refusals of a vault, by status. */
static const struct {
	int status;
	const char *hint;
} others[] = {
	{ 401, "vault '@vault' does not accept the token of identity @client" },
	{ 403, "identity @client may not @what: check its role (\"@role\") or access "
	       "policy, and the network rules of vault '@vault'" },
	{ 404,
	  "check the name, whether it was deleted from vault '@vault', and that this is "
	  "the right vault" },
	{ 429,
	  "too many requests to vault '@vault', counted over all that use it; lengthen "
	  "AKVSYNC_POLL_INTERVAL, or name fewer objects" },
};

/* What answers in a vault's place. */
static const char redirected[] =
	"redirects are not followed: is something between the pod and the vault "
	"answering for it?";
static const char no_vault[] =
	"this is no answer of a Key Vault: is a proxy, a firewall or a gateway answering "
	"for it, and is AKVSYNC_VAULT right?";

/* Of a status that passes and has no hint of its own. */
static const char passes[] = "vault '@vault', or a gateway before it, has a fault: it is "
			     "asked again; when it lasts, look at Azure's status";

static const char *const roles[] = {
	[OBJECT_SECRET] = "Key Vault Secrets User",
	[OBJECT_KEY] = "Key Vault Crypto User",
	[OBJECT_CERTIFICATE] = "Key Vault Certificate User",
};

/* A code is a few words in CamelCase, or a short number such as AKV10032.  A server could
 * send a piece of a token in its place. */
static bool refusal_is_code(const char *code)
{
	static const char lower[] = "abcdefghijklmnopqrstuvwxyz";
	size_t len = strlen(code);

	if (len <= CODE_SHORT_MAX)
		return len > 0 && strspn(code, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLM"
					       "NOPQRSTUVWXYZ0123456789") == len;
	for (const char *word = code; *word;) {
		size_t rest = strspn(word + 1, lower);

		if (*word < 'A' || *word > 'Z' || rest == 0)
			return false;
		word += 1 + rest;
	}
	return len <= CODE_MAX;
}

static void innermost_code(const struct json *body, char *out, size_t size)
{
	const struct json *error = json_get(body, "error");

	snprintf(out, size, "%s", "");
	for (int depth = 0; error != NULL && depth < 8; depth++) {
		const char *code = json_string(error, "code");

		if (code != NULL && refusal_is_code(code))
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
	return status_passes(status) ? ERR_UNAVAILABLE : ERR_CONFIG;
}

/* The AKV code that opens a 401's message, such as AKV10032, or "" */
static void akv_code(const struct json *body, char *out, size_t size)
{
	const char *message = json_string(json_get(body, "error"), "message");

	snprintf(out, size, "%s", "");
	if (message == NULL)
		return;
	if (strncmp(message, "AKV", 3) == 0 &&
	    strspn(message + 3, "0123456789") <= AKV_DIGITS_MAX)
		snprintf(out, size, "%.*s", 3 + (int)strspn(message + 3, "0123456789"),
			 message);
	else if (strncmp(message, "[TokenExpired]", 14) == 0)
		snprintf(out, size, "TokenExpired");
}

/* "Client address: 203.0.113.7" in the message of a firewall's refusal. */
static void client_address(const struct json *body, char *out, size_t size)
{
	static const char label[] = "Client address: ";
	const char *message = json_string(json_get(body, "error"), "message");
	const char *at = message ? strstr(message, label) : NULL;
	size_t len = at ? strspn(at + strlen(label), "0123456789abcdefABCDEF.:") : 0;
	unsigned char address[sizeof(struct in6_addr)];

	snprintf(out, size, "%.*s", (int)len, at ? at + strlen(label) : "");
	if (inet_pton(AF_INET, out, address) != 1 &&
	    inet_pton(AF_INET6, out, address) != 1)
		snprintf(out, size, "this pod's address");
}

/* What the blanks of a hint stand for. */
struct blanks {
	const struct refusal_context *context;
	char address[64];
};

static const char *word_of(const char *blank, const struct blanks *blanks)
{
	const struct refusal_context *context = blanks->context;

	switch (blank[1]) {
	case 'a':
		return blanks->address;
	case 'c':
		return context->client_id;
	case 'k':
		return kind_word(context->kind);
	case 'r':
		return roles[context->kind];
	case 'v':
		return context->vault;
	case 'w':
		return context->list ? "list them" : "read it";
	default:
		return context->list ? "list" : "get";
	}
}

static void add_filled(const char *hint, const struct blanks *blanks, struct err *err)
{
	auto_buf struct buf out = BUF_INIT(sizeof(err->msg));

	while (*hint) {
		size_t plain = strcspn(hint, "@");

		buf_printf(&out, "%.*s", (int)plain, hint);
		hint += plain;
		if (*hint == '\0')
			break;
		buf_text(&out, word_of(hint, blanks));
		hint += 1 + strspn(hint + 1, "abcdefghijklmnopqrstuvwxyz");
	}
	err_hint(err, "%s", buf_str(&out));
}

/* The hint for a code, else for a status; NULL: neither is known. */
static const char *find_hint(const char *code, int status, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		if (strcmp(code, refusals[i].code) != 0)
			continue;
		err->kind = refusals[i].kind;
		return refusals[i].hint;
	}
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (status == others[i].status)
			return others[i].hint;
	return NULL;
}

/* Every refusal of a vault has an error object, but that of a token. */
static bool is_of_vault(int status, const struct json *body)
{
	return status == 401 || json_get(body, "error") != NULL;
}

static void add_hint(const char *code, int status, const struct json *body,
		     const struct blanks *blanks, struct err *err)
{
	const char *hint = find_hint(code, status, err);

	if (status >= 300 && status < 400)
		err_hint(err, "%s", redirected);
	else if (err->kind != ERR_UNAVAILABLE && !is_of_vault(status, body))
		err_hint(err, "%s", no_vault);
	else if (hint != NULL)
		add_filled(hint, blanks, err);
	else if (err->kind == ERR_UNAVAILABLE && status >= 300)
		add_filled(passes, blanks, err);
}

int refusal_error(const struct http_reply *reply, const struct refusal_context *context,
		  struct err *err)
{
	auto_json struct json *body = NULL;
	struct blanks blanks = { .context = context };
	char code[64], akv[32] = "";

	if (json_parse(buf_str(&reply->body), reply->body.len, &body, err) < 0)
		body = NULL;
	innermost_code(body, code, sizeof(code));
	client_address(body, blanks.address, sizeof(blanks.address));
	if (reply->status == 401)
		akv_code(body, akv, sizeof(akv));
	err_set(err, kind_of(reply->status), "%d%s%s%s%s", reply->status,
		code[0] ? " " : "", code, akv[0] ? " " : "", akv);
	add_hint(akv[0] ? akv : code, reply->status, body, &blanks, err);
	err->disabled = strcmp(code, "SecretDisabled") == 0;
	err->retry_after_ms = reply->retry_after_ms;
	snprintf(err->request, sizeof(err->request), "%s", reply->request_id);
	return -1;
}

void refusal_unreachable(enum http_failure failure, struct err *err)
{
	if (failure == HTTP_DNS)
		err_hint(err,
			 "is the vault's name right, and does it exist? With a private "
			 "endpoint: is the zone privatelink.vaultcore.azure.net linked "
			 "to this network, and has it a record of the vault?");
	else if (failure == HTTP_CONNECT || failure == HTTP_TIMEOUT)
		err_hint(err,
			 "do network policies, firewalls and routes let this pod reach "
			 "the vault on port 443?");
	else if (failure == HTTP_BROKEN)
		err_hint(err, "does a firewall or a gateway between this pod and the "
			      "vault end it?");
}
