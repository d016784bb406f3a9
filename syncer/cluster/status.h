/*
 * status.h: what the API server refuses, and what to change.  Pure.
 */
#ifndef CLUSTER_STATUS_H
#define CLUSTER_STATUS_H

#include "net/request.h"

/*
 * Turns a reply that is not a success into an error, by its status and the Status object
 * in its body; of that only names, verbs and fields are told, since a message may quote a
 * value.  space: the namespace.
 * ERR_IDENTITY: 401.  ERR_DENIED: 403.  ERR_NOTFOUND: 404.  ERR_CONFIG: 422, or another
 * 4xx that does not pass.  ERR_UNAVAILABLE: status_passes() says so; retry_after_ms is
 * set when the server named a delay.  Returns -1.
 */
int cluster_status_error(const struct http_reply *reply, const char *space,
			 struct err *err);

/* True when the reply to an apply refuses the verb create, so that there is no Secret. */
bool cluster_status_is_absent(const struct http_reply *reply);

#endif
