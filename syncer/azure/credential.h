/*
 * credential.h: how each kind of credential fills in a token request, and what they
 * share. The kinds are in files of their own, which grant.c alone calls.
 */
#ifndef AZURE_CREDENTIAL_H
#define AZURE_CREDENTIAL_H

#include "azure/identity.h"
#include "base/buf.h"
#include "base/json.h"
#include "net/trust.h"

/* A token request; http points into the rest. */
struct credential_request {
	struct http_request http;
	char *url;
	struct buf form;
	struct buf proof; /* the client secret or the assertion that is in the form */
	struct buf header;
	char *connect_to;
	struct trust *trust;
};
void credential_request_done(struct credential_request *request);

/* Each: ERR_IDENTITY when the credential is missing or unusable. */
int workload_request(const struct identity *identity, const char *resource,
		     struct credential_request *out, struct err *err) MUST_CHECK;
int secret_request(const struct identity *identity, const char *resource,
		   struct credential_request *out, struct err *err) MUST_CHECK;
int certificate_request(const struct identity *identity, const char *resource,
			struct credential_request *out, struct err *err) MUST_CHECK;
int managed_request(const struct identity *identity, const char *resource,
		    struct credential_request *out, struct err *err) MUST_CHECK;

/* Turns a managed identity endpoint's refusal into an error.  Returns -1. */
int managed_error(const struct identity *identity, int status, const struct json *body,
		  struct err *err);

/* The token endpoint, {base}/{tenant}/oauth2/v2.0/token.  The caller frees. */
char *credential_url(const char *base, const char *tenant);

/* The members that all requests to Entra have; then comes the proof. */
void credential_form(const struct identity *identity, const char *resource,
		     struct buf *form);
/* The proof: under the name of its member, or RFC 7523's, a signed assertion. */
void credential_proof(struct credential_request *out, const char *name,
		      const char *proof);
void credential_assertion(struct credential_request *out, const char *assertion);

/*
 * Reads the file that a variable names, as it is or, credential_text(), as text of one
 * line without the white space around it.  ERR_IDENTITY: the message has the variable's
 * name and not the path, which may be a secret that was put into the wrong variable.
 */
int credential_file(const char *path, const char *variable, struct buf *out,
		    struct err *err) MUST_CHECK;
int credential_text(const char *path, const char *variable, struct buf *out,
		    struct err *err) MUST_CHECK;

#endif
