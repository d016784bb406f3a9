/*
 * tls_pair.h: the two halves of a TLS Secret of Kubernetes, from one file or from two.
 * Pure.
 *
 * A file is PEM, or a PKCS#12 without a password, as it is or in base64.
 */
#ifndef CRYPTO_TLS_PAIR_H
#define CRYPTO_TLS_PAIR_H

#include "base/buf.h"

/* Appends the certificates of the file as PEM, in the order of the file.  ERR_CONFIG:
 * there is none, or the file is of no such kind; the message holds no part of it. */
int tls_pair_certificates(const char *file, size_t len, struct buf *out,
			  struct err *err) MUST_CHECK;

/* Appends the private key of the file as PEM in the form that is older than PKCS#8: RSA
 * PRIVATE KEY or EC PRIVATE KEY, as the CSI driver writes it; a key of another kind has
 * no such form and becomes PKCS#8.  ERR_CONFIG, likewise. */
int tls_pair_key(const char *file, size_t len, struct buf *out,
		 struct err *err) MUST_CHECK;

#endif
