#include "azure/aadsts.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/shape.h"
#include "base/text.h"
#include "net/retry.h"

static const struct row {
	int code;
	enum err_kind kind;
	const char *hint;
} rows[] = {
	{ 70021, ERR_IDENTITY,
	  "check issuer, subject and audience of the federated credential; a new one "
	  "needs minutes to take effect" },
	{ 700211, ERR_IDENTITY,
	  "no federated credential has this issuer: compare it with the cluster's OIDC "
	  "issuer URL, final slash included" },
	{ 700212, ERR_IDENTITY,
	  "the projected token needs the audience api://AzureADTokenExchange; one for an "
	  "identity binding goes to AZURE_KUBERNETES_TOKEN_PROXY instead" },
	{ 700213, ERR_IDENTITY,
	  "no federated credential has this subject: it must be "
	  "system:serviceaccount:NAMESPACE:SERVICEACCOUNT of this pod" },
	{ 700024, ERR_IDENTITY,
	  "the service account token has expired or is not valid yet: is the kubelet "
	  "renewing it, and is the node's clock right?" },
	{ 700027, ERR_IDENTITY,
	  "the signature is not valid: register the client certificate with the "
	  "application, or check that the cluster's signing keys can be read" },
	{ 700023, ERR_IDENTITY,
	  "the signed assertion is for another endpoint: check AZURE_AUTHORITY_HOST and "
	  "AZURE_TENANT_ID" },
	{ 7000215, ERR_IDENTITY,
	  "no such client secret: give the secret's value, not its id" },
	{ 7000222, ERR_IDENTITY,
	  "the client secret has expired: make a new one for the application" },
	{ 70023, ERR_IDENTITY,
	  "the token lives longer than 25 h: use a projected service account token" },
	{ 50013, ERR_IDENTITY,
	  "the cluster's signing keys have changed or cannot be reached by Entra" },
	{ 90061, ERR_UNAVAILABLE, "Entra could not reach the cluster's OIDC issuer" },
	{ 700016, ERR_IDENTITY,
	  "no such application in this tenant: check AZURE_CLIENT_ID and "
	  "AZURE_TENANT_ID" },
	{ 7000112, ERR_IDENTITY,
	  "the application is disabled: enable its service principal" },
	{ 90002, ERR_IDENTITY,
	  "no such tenant: check AZURE_TENANT_ID, and AZURE_AUTHORITY_HOST for the right "
	  "cloud" },
	{ 900023, ERR_IDENTITY, "AZURE_TENANT_ID is neither a GUID nor a domain" },
	{ 500011, ERR_IDENTITY,
	  "the vault's resource is unknown in this tenant: is AKVSYNC_CLOUD right?" },
	{ 50001, ERR_IDENTITY,
	  "the vault's resource is unknown in this tenant: is AKVSYNC_CLOUD right?" },
	{ 50059, ERR_IDENTITY, "AZURE_TENANT_ID must name one tenant" },
	{ 50196, ERR_IDENTITY, "too many equal requests in a row; waiting" },
	{ 90055, ERR_UNAVAILABLE, "the tenant is throttled" },
	{ 90006, ERR_UNAVAILABLE, "a passing fault of Entra" },
	{ 90012, ERR_UNAVAILABLE, "a passing fault of Entra" },
	{ 90024, ERR_UNAVAILABLE, "a passing fault of Entra" },
	{ 90033, ERR_UNAVAILABLE, "a passing fault of Entra" },
	{ 53003, ERR_IDENTITY, "a Conditional Access policy blocks this identity" },
	{ 530031, ERR_IDENTITY, "a Conditional Access policy blocks this identity" },
	{ 530035, ERR_IDENTITY, "the tenant's security defaults block this identity" },
	{ 700222, ERR_IDENTITY,
	  "the file holds a token issued by Entra, not by the cluster: check "
	  "AZURE_FEDERATED_TOKEN_FILE" },
};

static const struct row *aadsts_find(int64_t code)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].code == code)
			return &rows[i];
	return NULL;
}

static int64_t code_of(const struct json *body)
{
	const struct json *first = json_first(json_get(body, "error_codes"));
	const char *text = json_string(body, "error_description");
	int64_t code = json_number(first, 0);
	char digits[16];

	if (code > 0 || text == NULL)
		return code;
	text = strstr(text, "AADSTS");
	if (text == NULL)
		return 0;
	text += strlen("AADSTS");
	snprintf(digits, sizeof(digits), "%.*s", (int)strspn(text, "0123456789"), text);
	return text_number(digits, INT32_MAX, &code) == 0 ? code : 0;
}

/* Entra's own first sentence: it names the subject, issuer or application it saw.  It is
 * cleaned as a whole before it is cut, so that no part of a value is left. */
static void first_sentence(const struct identity *identity, const struct json *body,
			   char *out, size_t size)
{
	const char *text = json_string(body, "error_description");
	auto_free char *clean = identity_clean(identity, text ? text : "");
	const char *start = strstr(clean, ": ");
	const char *end;
	size_t len;

	out[0] = '\0';
	if (start == NULL)
		return;
	start += 2;
	end = strstr(start, ". ");
	len = end ? (size_t)(end - start) : strcspn(start, "\r\n");
	snprintf(out, size, "%.*s", len > 200 ? 200 : (int)len, start);
	out[strcspn(out, "\r\n")] = '\0';
}

static bool aadsts_is_transient(int status, const struct json *body)
{
	const char *name = json_string(body, "error");

	return status_passes(status) ||
	       (name && (strcmp(name, "temporarily_unavailable") == 0 ||
			 strcmp(name, "server_error") == 0));
}

int aadsts_error(const struct identity *identity, int status, const struct json *body,
		 struct err *err)
{
	int64_t code = code_of(body);
	const struct row *row = aadsts_find(code);
	enum err_kind kind = row ? row->kind : ERR_IDENTITY;
	const char *trace = json_string(body, "trace_id");
	char sentence[256];

	if (aadsts_is_transient(status, body))
		kind = ERR_UNAVAILABLE;
	first_sentence(identity, body, sentence, sizeof(sentence));
	if (code > 0)
		err_set(err, kind, "token refused: AADSTS%lld: %s", (long long)code,
			sentence);
	else
		err_set(err, kind, "token endpoint answered status %d", status);
	if (row != NULL)
		err_hint(err, "%s", row->hint);
	else if (status >= 300 && status < 400)
		err_hint(err, "redirects are not followed: is something between the pod "
			      "and Entra answering for it?");
	else if (kind == ERR_UNAVAILABLE && code == 0)
		err_hint(err, "Entra, or a gateway before it, has a fault: it is asked "
			      "again; when it lasts, look at Azure's status");
	if (trace != NULL && shape_is_guid(trace))
		snprintf(err->request, sizeof(err->request), "%s", trace);
	return -1;
}
