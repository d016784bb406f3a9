/*
 * pki.h: certificates and their private keys: reads PKCS#12 and PEM, puts them in order,
 * writes PEM and PKCS#12.  Pure; owns OpenSSL, with crypto/jwk and net/http.
 *
 * The order is always the private key first, then the leaf, which is the certificate of
 * that key, then its issuers as far as they are there, then whatever else there was.  An
 * issuer is found by its name and by verifying the signature, never by position or key
 * ids.
 */
#ifndef CRYPTO_PKI_H
#define CRYPTO_PKI_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* One private key, if any, and at least one certificate; no certificate twice. */
struct pki;

/*
 * Reads a PKCS#12 without a password (neither the empty text nor none).  ERR_CONFIG: it
 * is no PKCS#12, has a password, uses an algorithm that OpenSSL 3 refuses (RC2-40), asks
 * for more work than a caller can wait for, or its key fits none of its certificates.
 * Messages hold no part of it.  pki_free() the result.
 */
int pki_from_pkcs12(const void *der, size_t len, struct pki **out,
		    struct err *err) MUST_CHECK;

/* The same for PEM blocks in any order, with any text between them. */
int pki_from_pem(const char *pem, size_t len, struct pki **out,
		 struct err *err) MUST_CHECK;

void pki_free(struct pki *p);

static inline void pki_freep(struct pki **p)
{
	pki_free(*p);
}
#define auto_pki __attribute__((cleanup(pki_freep)))

bool pki_has_key(const struct pki *p);

/* True for what was read from PEM in the order in which it would be written. */
bool pki_is_in_order(const struct pki *p);

/* Each appends PEM.  The key as PKCS#8; all certificates; all but the root; the root,
 * which is the last certificate when none is self-signed.  ERR_CONFIG: there is no key;
 * ERR_UNAVAILABLE: past the buffer's limit. */
int pki_write_key(const struct pki *p, struct buf *out, struct err *err) MUST_CHECK;
int pki_write_all(const struct pki *p, struct buf *out, struct err *err) MUST_CHECK;
int pki_write_chain(const struct pki *p, struct buf *out, struct err *err) MUST_CHECK;
int pki_write_root(const struct pki *p, struct buf *out, struct err *err) MUST_CHECK;

/* Appends a PKCS#12 (DER) encrypted with a password: PBES2 with AES-256, HMAC-SHA-256. */
int pki_write_pkcs12(const struct pki *p, const char *password, struct buf *out,
		     struct err *err) MUST_CHECK;

/* Appends one certificate, given as DER, as PEM.  ERR_CONFIG: it is none. */
int pki_certificate_pem(const void *der, size_t len, struct buf *out,
			struct err *err) MUST_CHECK;

#endif
