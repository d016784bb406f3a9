/*
 * identity.h: who we are to Entra: workload identity, a federated assertion from a file
 * that the kubelet renews.
 *
 * The file is read anew for each token request; nothing keeps the assertion longer.  It
 * goes only to the configured authority.
 * POST {authority}/{tenant}/oauth2/v2.0/token, RFC 7523.
 */
#ifndef AZURE_IDENTITY_H
#define AZURE_IDENTITY_H

#include <stdint.h>

#include "base/buf.h"
#include "net/http.h"

/* The strings are the caller's and outlive what uses them. */
struct identity {
	const char *authority; /* https://login.microsoftonline.com, no final '/' */
	const char *tenant;
	const char *client;
	const char *assertion_file;
};

/* The token endpoint; the caller frees. */
char *identity_url(const struct identity *identity);

/* Appends the form of a token request for a resource, reading the assertion now.
 * ERR_IDENTITY: the file is missing, empty or no JWT. */
int identity_form(const struct identity *identity, const char *resource, struct buf *form,
		  struct err *err) MUST_CHECK;

struct identity_grant {
	char *access_token; /* wiped and freed by identity_grant_done() */
	int64_t lifetime_ms;
};

/* Reads the token endpoint's answer, of any status.  ERR_IDENTITY, ERR_UNAVAILABLE. */
int identity_reply(const struct http_reply *reply, struct identity_grant *out,
		   struct err *err) MUST_CHECK;
void identity_grant_done(struct identity_grant *grant);

#endif
