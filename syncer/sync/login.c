#include "sync/login.h"

static enum identity_kind kind_of(const struct settings *s)
{
	switch (s->credential) {
	case AUTH_CLIENT_SECRET:
		return IDENTITY_SECRET;
	case AUTH_CLIENT_CERTIFICATE:
		return IDENTITY_CERTIFICATE;
	case AUTH_MANAGED_IDENTITY:
		return s->identity_endpoint && s->identity_header ? IDENTITY_APP_SERVICE
								  : IDENTITY_IMDS;
	case AUTH_AUTO:
	case AUTH_WORKLOAD_IDENTITY:
		break;
	}
	return IDENTITY_WORKLOAD;
}

struct identity login_identity(const struct settings *s)
{
	struct identity identity = {
		.kind = kind_of(s),
		.authority = s->authority,
		.tenant = s->tenant_id,
		.client = s->client_id,
		.assertion_file = s->assertion_file,
		.proxy = s->token_proxy,
		.proxy_name = s->token_proxy_name,
		.proxy_ca_file = s->token_proxy_ca_file,
		.proxy_ca = s->token_proxy_ca,
		.secret_file = s->client_secret_file,
		.secret = s->client_secret,
		.certificate_file = s->certificate_file,
		.password_file = s->certificate_password_file,
		.password = s->certificate_password,
		.send_chain = s->send_chain,
		.object = s->object_id,
		.resource = s->resource_id,
	};

	if (s->credential != AUTH_MANAGED_IDENTITY)
		return identity;
	/* The client id may only be what workload identity's webhook injected. */
	if (identity.object != NULL || identity.resource != NULL)
		identity.client = NULL;
	/* The vault's tenant is not told from it: a managed identity has its own. */
	identity.tenant = NULL;
	if (identity.kind == IDENTITY_APP_SERVICE) {
		identity.endpoint = s->identity_endpoint;
		identity.header = s->identity_header;
	} else {
		identity.endpoint = s->imds_base;
	}
	return identity;
}
