/*
 * refusal.h: what a vault refuses, each refusal with what to change.  Pure.
 */
#ifndef AZURE_REFUSAL_H
#define AZURE_REFUSAL_H

#include "azure/vault.h"

/*
 * Turns a reply that is not a success into an error, by its status and its innermost
 * code. The hint names the role or permission that this question needs.  ERR_IDENTITY:
 * 401. ERR_DENIED: 403.  ERR_NOTFOUND: 404.  ERR_UNAVAILABLE: 408, 429, 5xx;
 * retry_after_ms is set when the service named a delay.  ERR_CONFIG: another 4xx. Returns
 * -1.
 */
int refusal_error(const struct http_reply *reply, const struct vault_question *question,
		  struct err *err);

/* Adds what to look at when the vault could not be reached: its name, or the way there.
 */
void refusal_unreachable(enum http_failure failure, struct err *err);

#endif
