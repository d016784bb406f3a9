#include "sync/session.h"

static enum identity_kind session_identity_kind(const struct settings *s)
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

/* The strings stay the settings'. */
static void session_identify(struct identity *identity, const struct settings *s)
{
	*identity = (struct identity){
		.kind = session_identity_kind(s),
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
		return;
	/* The client id may only be what workload identity's webhook injected. */
	if (identity->object != NULL || identity->resource != NULL)
		identity->client = NULL;
	/* The vault's tenant does not follow from this variable: a managed identity has
	 * its own. */
	identity->tenant = NULL;
	if (identity->kind == IDENTITY_APP_SERVICE) {
		identity->endpoint = s->identity_endpoint;
		identity->header = s->identity_header;
	} else {
		identity->endpoint = s->imds_base;
	}
}

int session_open(struct sources *all, const struct settings *s,
		 const struct objects *objects, struct jitter *jitter, struct err *err)
{
	const struct http_options options = { .ca_file = s->ca_file,
					      .extra_ca_file = s->extra_ca_file,
					      .proxy = s->https_proxy,
					      .no_proxy = s->no_proxy,
					      .timeout_ms = s->request_timeout_ms };
	struct source *source;

	*all = (struct sources){
		.jitter = jitter,
		.cloud = cloud_at(s->cloud),
		.verify = s->verify_challenge,
	};
	session_identify(&all->identity, s);
	if (sources_get(all, s->vault, &source, err) < 0 ||
	    sources_add(all, objects, err) < 0 || http_new(&all->http, &options, err) < 0)
		return -1;
	all->token = token_new(all->http, &all->identity);
	return 0;
}

void session_close(struct sources *all)
{
	token_free(all->token);
	http_free(all->http);
	all->token = NULL;
	all->http = NULL;
	sources_done(all);
}
