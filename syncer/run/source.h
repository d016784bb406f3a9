/*
 * source.h: where objects come from: a vault, the identity that reads it, and what has
 * been learned of both.
 */
#ifndef RUN_SOURCE_H
#define RUN_SOURCE_H

#include <stdbool.h>

#include "azure/token.h"
#include "base/backoff.h"
#include "config/cloud.h"

struct source {
	struct http *http;
	struct token *token;
	struct cloud_vault vault;
	struct identity identity;
	struct jitter *jitter;
	char *resource; /* what tokens are asked for: the vault's, or its challenge's */
	bool verify;    /* refuse a challenge of another domain or tenant */
	bool verified;  /* the vault's challenge has been seen and agrees */
};

#endif
