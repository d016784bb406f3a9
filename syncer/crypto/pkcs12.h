/*
 * pkcs12.h: opens a PKCS#12 (PFX), with or without a password, and makes one.  Pure.
 */
#ifndef CRYPTO_PKCS12_H
#define CRYPTO_PKCS12_H

#include <openssl/pkcs12.h>
#include <stddef.h>

#include "base/err.h"

/*
 * Takes the private key, NULL when there is none, and the certificates, that of the key
 * first; the caller frees both.
 *
 * password NULL is for what comes from a vault: Key Vault's have none, neither the empty
 * text nor another, and one that asks for more work than a caller can wait for is
 * refused.
 * "" is for a file of the user who gave no password.
 *
 * ERR_CONFIG: it is no PKCS#12, the password does not fit, or it uses an algorithm that
 * OpenSSL 3 refuses (RC2-40).  Messages hold no part of it.
 */
int pkcs12_open(const void *der, size_t len, const char *password, EVP_PKEY **key,
		STACK_OF(X509) * *certificates, struct err *err) MUST_CHECK;

/* Of the derivation of each key that encrypts, and of the one for the MAC: as keytool. */
#define PKCS12_ITERATIONS 10000

/*
 * Makes a PKCS#12 encrypted with a password: PBES2 with AES-256-CBC and HMAC-SHA-256, the
 * MAC with SHA-256, which all Java since 8u301 and 11.0.12 reads.  With a key: one entry
 * of this name, with the certificates, that of the key first.  key NULL: each certificate
 * is an entry that Java trusts (name, name-2, name-3, ...), by the attribute that Java
 * has for it (2.16.840.1.113894.746875.1.1), without which Java does not see it.
 * NULL: OpenSSL refused.  The caller frees.
 */
PKCS12 *pkcs12_make(EVP_PKEY *key, X509 *const certificates[], int count,
		    const char *password, const char *name);

#endif
