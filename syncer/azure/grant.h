/*
 * grant.h: a token request of any kind of credential, and what its answer grants.
 *
 * Files (assertion, secret, certificate, CA) are read anew for each token request;
 * nothing keeps their content longer.
 */
#ifndef AZURE_GRANT_H
#define AZURE_GRANT_H

#include <stdint.h>

#include "azure/credential.h"

/* Makes the request for a token for a resource (https://vault.azure.net), reading the
 * credential now.  ERR_IDENTITY: it is missing or unusable.  credential_request_done()
 * the result either way. */
int grant_request(const struct identity *identity, const char *resource,
		  struct credential_request *out, struct err *err) MUST_CHECK;

struct grant {
	char *access_token; /* wiped and freed by grant_done() */
	int64_t lifetime_ms;
	int64_t renew_in_ms; /* when to ask for the next: as named, else half of it */
};

/* Reads the answer, of any status.  ERR_IDENTITY, ERR_UNAVAILABLE. */
int grant_read(const struct identity *identity, const struct http_reply *reply,
	       struct grant *out, struct err *err) MUST_CHECK;
void grant_done(struct grant *grant);

#endif
