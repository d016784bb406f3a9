#include "azure/identity.h"

#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/shape.h"

bool identity_is_managed(const struct identity *identity)
{
	return identity->kind == IDENTITY_IMDS || identity->kind == IDENTITY_APP_SERVICE;
}

const char *identity_name(enum identity_kind kind)
{
	static const char *const names[] = {
		[IDENTITY_WORKLOAD] = "workload-identity",
		[IDENTITY_SECRET] = "client-secret",
		[IDENTITY_CERTIFICATE] = "client-certificate",
		[IDENTITY_APP_SERVICE] = "managed-identity (App Service)",
		[IDENTITY_IMDS] = "managed-identity (IMDS)",
	};

	return names[kind];
}

const char *identity_id(const struct identity *identity)
{
	static const char hidden[] = "(not shown)";
	const char *id = identity->client ? identity->client : identity->object;

	if (id != NULL)
		return shape_is_guid(id) ? id : hidden;
	if (identity->resource == NULL)
		return "(system-assigned)";
	return shape_is_resource_id(identity->resource) ? identity->resource : hidden;
}

/* ---- a server's text ---- */

/* Shorter ones would be found in the middle of ordinary words. */
#define CLEANED_MIN 4

struct identity_value {
	const char *text, *variable;
	bool (*is_id)(const char *text); /* NULL: it is never shown */
};

/* The longest value that text begins with, of those that are not shown; NULL: none. */
static const struct identity_value *find_value(const struct identity_value *values,
					       size_t count, const char *text)
{
	const struct identity_value *found = NULL;
	size_t longest = CLEANED_MIN - 1;

	for (size_t i = 0; i < count; i++) {
		const struct identity_value *v = &values[i];
		size_t len = v->text ? strlen(v->text) : 0;

		if (len <= longest || strncasecmp(text, v->text, len) != 0 ||
		    (v->is_id != NULL && v->is_id(v->text)))
			continue;
		found = v;
		longest = len;
	}
	return found;
}

char *identity_clean(const struct identity *identity, const char *text)
{
	const struct identity_value values[] = {
		{ identity->client, "AZURE_CLIENT_ID", shape_is_guid },
		{ identity->tenant, "AZURE_TENANT_ID", shape_is_tenant },
		{ identity->object, "AKVSYNC_IDENTITY_OBJECT_ID", shape_is_guid },
		{ identity->resource, "AKVSYNC_IDENTITY_RESOURCE_ID",
		  shape_is_resource_id },
		{ identity->secret, "AZURE_CLIENT_SECRET", NULL },
		{ identity->proof, "what was sent", NULL },
		{ identity->password, "AZURE_CLIENT_CERTIFICATE_PASSWORD", NULL },
		{ identity->header, "IDENTITY_HEADER", NULL },
		{ identity->secret_file, "AKVSYNC_CLIENT_SECRET_FILE", NULL },
		{ identity->password_file, "AKVSYNC_CLIENT_CERTIFICATE_PASSWORD_FILE",
		  NULL },
		{ identity->certificate_file, "AZURE_CLIENT_CERTIFICATE_PATH", NULL },
		{ identity->assertion_file, "AZURE_FEDERATED_TOKEN_FILE", NULL },
	};
	struct buf out = BUF_INIT(SIZE_MAX);
	char *clean;

	while (*text) {
		const struct identity_value *v =
			find_value(values, ARRAY_LEN(values), text);

		if (v != NULL)
			buf_printf(&out, "(%s)", v->variable);
		else
			buf_printf(&out, "%c", *text);
		text += v ? strlen(v->text) : 1;
	}
	clean = shape_without_tokens(buf_str(&out));
	buf_done(&out);
	return clean;
}

const char *identity_label(const struct identity *identity)
{
	return identity_is_managed(identity) ? "managed identity" : "client";
}

const char *identity_file(const struct identity *identity)
{
	switch (identity->kind) {
	case IDENTITY_WORKLOAD:
		return identity->assertion_file;
	case IDENTITY_SECRET:
		return identity->secret_file;
	case IDENTITY_CERTIFICATE:
		return identity->certificate_file;
	case IDENTITY_APP_SERVICE:
	case IDENTITY_IMDS:
		break;
	}
	return NULL;
}

void identity_unreachable(const struct identity *identity, enum http_failure failure,
			  struct err *err)
{
	if (identity->kind == IDENTITY_IMDS &&
	    (failure == HTTP_CONNECT || failure == HTTP_TIMEOUT))
		err_hint(err, "is this an Azure machine, and may the pod reach its "
			      "metadata endpoint?");
	else if (identity->kind == IDENTITY_WORKLOAD && identity->proxy != NULL)
		err_hint(err, "it is the identity binding's token proxy, "
			      "AZURE_KUBERNETES_TOKEN_PROXY");
	else if (failure == HTTP_DNS)
		err_hint(err, "check the pod's DNS and its egress rules");
}
