/*
 * token.h: the access tokens in use, one a resource: cached until shortly before they
 * expire, renewed in the background well before that, and at most one request for each in
 * flight.
 *
 * A process has one authority, tenant and client, so the resource alone identifies a
 * token.
 */
#ifndef AZURE_TOKEN_H
#define AZURE_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "azure/identity.h"
#include "net/http.h"

struct token;

/* What its requests are for, as net/request.h has it. */
#define TOKEN_PURPOSE "token"

/* h and identity must outlive it.  token_free() the result. */
struct token *token_new(struct http *h, const struct identity *identity);
void token_free(struct token *t);

enum token_state {
	TOKEN_NONE,    /* nothing usable, nothing asked for */
	TOKEN_PENDING, /* a request is in flight */
	TOKEN_READY,   /* token_bearer() works */
	TOKEN_FAILED,  /* the last request failed: token_error() */
};

/* The state of the token for this resource now. */
enum token_state token_state(const struct token *t, const char *resource, int64_t now);

/*
 * Asks for a token for the resource, reading the credential now; does nothing while a
 * request for it is in flight or a new one is cached.  A usable one that is past the
 * middle of its life, or past the time Entra named, is renewed and serves meanwhile; when
 * that fails it goes on serving, to its very end, and a minute passes before the next
 * try.
 */
void token_request(struct token *t, const char *resource, int64_t now);

/* At the end of a round: drops the requests in flight that the round waited for.  They
 * have failed, since no answer came.  Renewals go on. */
void token_cancel(struct token *t);

/* The cached token, for TOKEN_READY; owned by t until it next runs. */
const char *token_bearer(const struct token *t, const char *resource);

/* When the token ends that is here now, in monotonic milliseconds; CLOCK_NEVER: none is.
 */
int64_t token_ends_at(const struct token *t, const char *resource);

/* When the request was made that is waited for, in TOKEN_PENDING; CLOCK_NEVER: none is.
 */
int64_t token_asked_at(const struct token *t, const char *resource, int64_t now);

/* How many requests for it were made so far, to recognise a new failure. */
unsigned token_requests(const struct token *t, const char *resource);

/* A number that no other token has, from 1: it identifies the token that was refused. */
unsigned token_serial(const struct token *t, const char *resource);

/* The service refused the token of that serial: forget it, unless a newer one is here. */
void token_refused(struct token *t, const char *resource, unsigned serial);

/* Why the last request for the resource failed, for TOKEN_FAILED. */
const struct err *token_error(const struct token *t, const char *resource);

#endif
