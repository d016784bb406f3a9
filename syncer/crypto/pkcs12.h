/*
 * pkcs12.h: opens a PKCS#12 (PFX), with or without a password.  Pure.
 */
#ifndef CRYPTO_PKCS12_H
#define CRYPTO_PKCS12_H

#include <openssl/x509.h>
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

#endif
