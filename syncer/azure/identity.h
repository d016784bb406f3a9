/*
 * identity.h: who we are to Azure: one identity a process, with the credential that
 * proves it.  What proves it goes only to the configured authority, to the identity
 * binding's proxy, or to the managed identity endpoint.
 */
#ifndef AZURE_IDENTITY_H
#define AZURE_IDENTITY_H

#include <stdbool.h>

#include "base/err.h"
#include "net/request.h"

/* credential.h has a function for each, in a file of its own. */
enum identity_kind {
	IDENTITY_WORKLOAD,    /* a federated assertion from a file; workload.c */
	IDENTITY_SECRET,      /* an application's client secret; secret.c */
	IDENTITY_CERTIFICATE, /* an application's certificate; certificate.c */
	IDENTITY_APP_SERVICE, /* managed identity of App Service; managed.c */
	IDENTITY_IMDS,        /* managed identity of a machine; managed.c */
};

/* The strings are the caller's and outlive what uses them; NULL: not given. */
struct identity {
	enum identity_kind kind;
	const char *authority; /* https://login.microsoftonline.com, no final '/' */
	const char *tenant;
	const char *client; /* NULL: a system-assigned managed identity, or one that
			       object or resource selects */

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
	const char *proof; /* what was sent, for identity_clean(); NULL otherwise */
};

/* True for the managed identity of App Service or of a machine. */
bool identity_is_managed(const struct identity *identity);

/* "workload-identity": the kind as logs and settings spell it. */
const char *identity_name(enum identity_kind kind);

/* "client" or "managed identity": for messages, before identity_id(). */
const char *identity_label(const struct identity *identity);
/* The client, object or resource id, or "(system-assigned)"; "(not shown)" when it has
 * not the shape of such an id, since it may be a secret that was put into the wrong
 * variable.
 */
const char *identity_id(const struct identity *identity);

/*
 * A server's text without the values of the identity: each is replaced by the name of its
 * variable, unless it has the shape of an id.  A server may repeat what it was sent, and
 * who mixed two variables up sent a secret in the place of an id.  The caller frees.
 */
char *identity_clean(const struct identity *identity, const char *text);

/* The file whose replacement may end a refusal; NULL: none. */
const char *identity_file(const struct identity *identity);

/* Adds what to check when the endpoint could not be reached. */
void identity_unreachable(const struct identity *identity, enum http_failure failure,
			  struct err *err);

#endif
