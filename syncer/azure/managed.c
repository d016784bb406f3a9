/*
 * managed.c: managed identities: IMDS, the metadata endpoint of Azure machines, and the
 * endpoint of App Service, Functions and Container Apps.  Both are plain HTTP on the
 * machine itself and never asked through a proxy.
 * https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token
 */
#include <stdio.h>
#include <string.h>

#include "azure/credential.h"
#include "azure/form.h"
#include "base/mem.h"
#include "net/retry.h"

#define IMDS_BASE "http://169.254.169.254"
/* While IMDS is updated, for up to 70 s, it answers 410; it asks to wait for 10 s. */
#define IMDS_UPDATE_MS 10000

static void add_query(struct buf *query, const struct identity *identity,
		      const char *version, const char *resource)
{
	bool imds = identity->kind == IDENTITY_IMDS;

	form_add(query, "api-version", version);
	form_add(query, "resource", resource);
	if (identity->object != NULL)
		form_add(query, "object_id", identity->object);
	else if (identity->resource != NULL)
		form_add(query, imds ? "msi_res_id" : "mi_res_id", identity->resource);
	else if (identity->client != NULL)
		form_add(query, "client_id", identity->client);
}

int managed_request(const struct identity *identity, const char *resource,
		    struct credential_request *out, struct err *err)
{
	auto_buf struct buf query = BUF_INIT(FORM_MAX);

	(void)err;
	out->http.local = true;
	if (identity->kind == IDENTITY_APP_SERVICE) {
		add_query(&query, identity, "2019-08-01", resource);
		buf_printf(&out->header, "X-IDENTITY-HEADER: %s", identity->header);
		out->url = xasprintf("%s?%s", identity->endpoint, buf_str(&query));
		return 0;
	}
	add_query(&query, identity, "2018-02-01", resource);
	buf_text(&out->header, "Metadata: true");
	out->url = xasprintf("%s/metadata/identity/oauth2/token?%s",
			     identity->endpoint ? identity->endpoint : IMDS_BASE,
			     buf_str(&query));
	return 0;
}

/* IMDS says "error_description", App Service "message". */
static const char *description(const struct json *body)
{
	const char *text = json_string(body, "error_description");

	if (text == NULL)
		text = json_string(body, "message");
	return text ? text : "";
}

static const char *advice(const struct identity *identity, int status, const char *text)
{
	if (strstr(text, "Multiple user assigned identities"))
		return "several identities are assigned: choose one by AZURE_CLIENT_ID";
	if (strstr(text, "Identity not found"))
		return "assign the identity to this machine, or check AZURE_CLIENT_ID, "
		       "AKVSYNC_IDENTITY_OBJECT_ID or AKVSYNC_IDENTITY_RESOURCE_ID";
	if (status == 403 && strstr(text, "unreachable"))
		return "this is no Azure machine: set AKVSYNC_AUTH and its credential";
	if (status == 403 && identity->kind == IDENTITY_IMDS)
		return "when this is no Azure machine, set another credential, such as "
		       "AZURE_FEDERATED_TOKEN_FILE or AKVSYNC_CLIENT_SECRET_FILE";
	if (status == 400)
		return "is an identity assigned to this machine or app, and the vault's "
		       "cloud right?";
	if (status == 401 && identity->kind == IDENTITY_APP_SERVICE)
		return "IDENTITY_HEADER is not what the platform injected";
	return NULL;
}

int managed_error(const struct identity *identity, int status, const struct json *body,
		  struct err *err)
{
	bool imds = identity->kind == IDENTITY_IMDS;
	/* IMDS also answers 404 while it is being updated. */
	bool passing = status_passes(status) || (imds && status == 404);
	const char *hint = advice(identity, status, description(body));

	err_set(err, passing ? ERR_UNAVAILABLE : ERR_IDENTITY,
		"token refused: %s answered status %d",
		imds ? "the machine's metadata endpoint" : "the identity endpoint",
		status);
	if (imds && status == 410)
		err->retry_after_ms = IMDS_UPDATE_MS;
	if (passing && imds && (status == 404 || status == 410))
		hint = "it is being updated, which takes up to 70 s";
	return hint ? err_hint(err, "%s", hint) : -1;
}
