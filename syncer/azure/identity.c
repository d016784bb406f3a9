#include "azure/identity.h"

#include <stddef.h>

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
	if (identity->client != NULL)
		return identity->client;
	if (identity->object != NULL)
		return identity->object;
	return identity->resource ? identity->resource : "(system-assigned)";
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
