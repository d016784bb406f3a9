#include "sync/session.h"

#include "sync/login.h"

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
		.identity = login_identity(s),
		.verify = s->verify_challenge,
	};
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
