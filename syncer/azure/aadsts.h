/*
 * aadsts.h: the refusals of Entra's token endpoint that users meet, each with what to
 * change.  Pure.
 */
#ifndef AZURE_AADSTS_H
#define AZURE_AADSTS_H

#include "base/err.h"
#include "base/json.h"

/*
 * Turns a token endpoint's error body into an error.  body may be NULL or not an Entra
 * error: then only the status speaks.  ERR_IDENTITY: refused; ERR_UNAVAILABLE: transient.
 * Returns -1.
 */
int aadsts_error(int status, const struct json *body, struct err *err);

#endif
