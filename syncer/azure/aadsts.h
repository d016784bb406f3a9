/*
 * aadsts.h: the refusals of Entra's token endpoint that users meet, each with what to
 * change.  Pure.
 */
#ifndef AZURE_AADSTS_H
#define AZURE_AADSTS_H

#include "azure/identity.h"
#include "base/err.h"
#include "base/json.h"

/*
 * Turns a token endpoint's error body into an error, without the values of the identity
 * that Entra repeats in it.  body may be NULL or not an Entra error: then only the status
 * speaks.  ERR_IDENTITY: refused; ERR_UNAVAILABLE: transient.  Returns -1.
 */
int aadsts_error(const struct identity *identity, int status, const struct json *body,
		 struct err *err);

#endif
