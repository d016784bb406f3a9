/*
 * challenge.h: what a vault's 401 asks for.  Pure.
 *
 * The challenge is not trusted: it may name another resource of the vault's own domain,
 * never an authority to send the assertion to.
 */
#ifndef AZURE_CHALLENGE_H
#define AZURE_CHALLENGE_H

#include "base/err.h"

struct challenge {
	char tenant[64];    /* "" when not named */
	char resource[256]; /* https://vault.azure.net: no path, no final '/' */
};

/* Parses a Bearer WWW-Authenticate header, tolerant of its known shapes.
 * ERR_UNAVAILABLE: not such a header, or it names no resource. */
int challenge_parse(const char *header, struct challenge *out,
		    struct err *err) MUST_CHECK;

/*
 * Refuses a challenge whose resource is not a domain of the vault host, so that a token
 * never goes to a host outside it (https://aka.ms/azsdk/blog/vault-uri), and one that
 * names the id of another tenant than the identity's.  host may carry ":port", and the
 * resource may carry the same one.  ERR_CONFIG.
 */
int challenge_check(const struct challenge *c, const char *host, const char *tenant,
		    struct err *err) MUST_CHECK;

#endif
