/*
 * jwk.h: a public key as Key Vault gives it, a JSON Web Key (RFC 7517, RFC 7518 section
 * 6), becomes PEM.  Pure.
 */
#ifndef CRYPTO_JWK_H
#define CRYPTO_JWK_H

#include "base/buf.h"

/* Members that are not there are NULL. */
struct jwk {
	const char *kty;   /* RSA, RSA-HSM, EC, EC-HSM */
	const char *n, *e; /* of RSA, base64url */
	const char *crv;   /* of EC: P-256, P-384, P-521, P-256K */
	const char *x, *y; /* of EC, base64url */
};

/* Appends the key as a PEM block "PUBLIC KEY" (SubjectPublicKeyInfo).  ERR_CONFIG: of a
 * kind that has no public part, or is not known; ERR_GARBLED: its members make no key. */
int jwk_to_pem(const struct jwk *key, struct buf *out, struct err *err) MUST_CHECK;

#endif
