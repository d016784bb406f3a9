/*
 * refusal.h: what a vault refuses, each refusal with what to change.  Pure.
 */
#ifndef AZURE_REFUSAL_H
#define AZURE_REFUSAL_H

#include <stdbool.h>

#include "base/err.h"
#include "base/kind.h"
#include "net/request.h"

/* What was asked, of which vault and by whom: a refusal's hint names the vault, and the
 * role or permission that is needed. */
struct refusal_context {
	enum object_kind kind;
	bool list; /* a list of objects or versions; false: one object */
	const char *client_id;
	const char *vault; /* its name */
	/* The URL of what was asked for, such as https://HOST/secrets/NAME: the id of an
	 * answer must begin with it.  Without https://HOST any host may have answered.
	 * NULL: the id is not compared. */
	const char *id;
};

/*
 * Turns a reply that is not a success into an error, by its status and its innermost
 * code. The hint names the role or permission that the context needs.  ERR_IDENTITY:
 * 401. ERR_DENIED: 403.  ERR_NOTFOUND: 404.  ERR_UNAVAILABLE: status_passes() says so;
 * retry_after_ms is set when the service named a delay.  ERR_CONFIG: another 4xx. Returns
 * -1.
 */
int refusal_error(const struct http_reply *reply, const struct refusal_context *context,
		  struct err *err);

/* Adds what to check when the vault could not be reached: its name, or the network. */
void refusal_unreachable(enum http_failure failure, struct err *err);

#endif
