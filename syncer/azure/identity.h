/*
 * identity.h: who we are to Azure, and how a token is asked for: one credential a
 * process, each kind in a file of its own.
 *
 * Files (assertion, secret, certificate, CA) are read anew for each token request;
 * nothing keeps their content longer.  What proves who we are goes only to the configured
 * authority, to the identity binding's proxy, or to the managed identity endpoint.
 */
#ifndef AZURE_IDENTITY_H
#define AZURE_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "net/http.h"
#include "net/trust.h"

enum identity_kind {
	IDENTITY_WORKLOAD,    /* a federated assertion from a file; workload.h */
	IDENTITY_SECRET,      /* an application's client secret; secret.h */
	IDENTITY_CERTIFICATE, /* an application's certificate; certificate.h */
	IDENTITY_APP_SERVICE, /* managed identity of App Service; managed.h */
	IDENTITY_IMDS,        /* managed identity of a machine; managed.h */
};

/* The strings are the caller's and outlive what uses them; NULL: not given. */
struct identity {
	enum identity_kind kind;
	const char *authority; /* https://login.microsoftonline.com, no final '/' */
	const char *tenant;
	const char *client; /* NULL: a system-assigned managed identity, or see below */

	const char *assertion_file; /* WORKLOAD */
	const char *proxy;          /* WORKLOAD, identity binding: its https URL */
	const char *proxy_name;     /* what its certificate is for; NULL: its host */
	const char *proxy_ca_file, *proxy_ca; /* its CA: a file or PEM; NULL: the usual */

	const char *secret_file, *secret;     /* SECRET: either */
	const char *certificate_file;         /* CERTIFICATE: PEM or PFX, with key */
	const char *password_file, *password; /* of its key, if any */
	bool send_chain;                      /* x5c: subject name and issuer */

	const char *object, *resource; /* managed: selects it instead of client */
	const char *endpoint;          /* APP_SERVICE: its URL; IMDS: its base URL */
	const char *header;            /* APP_SERVICE: what proves that we may ask */
};

/* "workload-identity": the kind as logs and settings spell it. */
const char *identity_name(enum identity_kind kind);

/* "client" or "managed identity": for messages, before identity_id(). */
const char *identity_label(const struct identity *identity);
/* The client, object or resource id, or "(system-assigned)". */
const char *identity_id(const struct identity *identity);

/* The file whose replacement may heal a refusal; NULL: none. */
const char *identity_file(const struct identity *identity);

/* A token request; http points into the rest. */
struct identity_request {
	struct http_request http;
	char *url;
	struct buf form;
	struct buf header;
	char *connect_to;
	struct trust *trust;
};

/* Makes the request for a token for a resource (https://vault.azure.net), reading the
 * credential now.  ERR_IDENTITY: it is missing or unusable.  identity_request_done() the
 * result either way. */
int identity_request(const struct identity *identity, const char *resource,
		     struct identity_request *out, struct err *err) MUST_CHECK;
void identity_request_done(struct identity_request *request);

struct identity_grant {
	char *access_token; /* wiped and freed by identity_grant_done() */
	int64_t lifetime_ms;
	int64_t renew_in_ms; /* when to ask for the next: as named, else half of it */
};

/* Reads the answer, of any status.  ERR_IDENTITY, ERR_UNAVAILABLE. */
int identity_reply(const struct identity *identity, const struct http_reply *reply,
		   struct identity_grant *out, struct err *err) MUST_CHECK;
void identity_grant_done(struct identity_grant *grant);

/* Adds what to look at when the endpoint could not be reached. */
void identity_unreachable(const struct identity *identity, enum http_failure failure,
			  struct err *err);

#endif
