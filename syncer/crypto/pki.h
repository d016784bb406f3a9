/*
 * pki.h: certificates and their private key: reads PKCS#12 and PEM, puts the certificates
 * in order (chain.h), writes PEM and PKCS#12.  Pure.
 *
 * What was read from PEM keeps its blocks as they are: a key stays PKCS#1, SEC 1 or
 * PKCS#8.  A key from PKCS#12 becomes PKCS#8 as Go's x509.MarshalPKCS8PrivateKey writes
 * it, which the CSI provider uses: an EC key with its public point, uncompressed.
 */
#ifndef CRYPTO_PKI_H
#define CRYPTO_PKI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* OpenSSL's EVP_PKEY and X509. */
struct evp_pkey_st;
struct x509_st;

/* One private key, if any, and at least one certificate; no certificate twice. */
struct pki;

/* The time in which a certificate is valid, in Unix seconds; -1: not known. */
struct pki_validity {
	int64_t not_before, not_after;
};

/*
 * Each reads a private key and its certificates, or one certificate (DER) without a key,
 * in any order, with any text between PEM blocks.  password: NULL for an object of a
 * vault, which may not have one; "" when the user gave none.
 *
 * ERR_CONFIG: it is not such a thing, the password does not fit, it holds no certificate
 * or several private keys, or the key fits none of the certificates; of PKCS#12 see also
 * pkcs12.h.  Messages hold no part of it.  pki_free() the result.
 */
int pki_from_pkcs12(const void *der, size_t len, const char *password, struct pki **out,
		    struct err *err) MUST_CHECK;
int pki_from_certificate(const void *der, size_t len, struct pki **out,
			 struct err *err) MUST_CHECK;
int pki_from_pem(const char *pem, size_t len, const char *password, struct pki **out,
		 struct err *err) MUST_CHECK;

void pki_free(struct pki *p);

static inline void pki_freep(struct pki **p)
{
	pki_free(*p);
}
#define auto_pki __attribute__((cleanup(pki_freep)))

/* True for what was read from PEM whose certificates stand in their order, each once. */
bool pki_is_in_order(const struct pki *p);

/* The private key, NULL when there is none; the certificates of the chain, the leaf being
 * number 0, NULL behind the last.  They stay p's. */
struct evp_pkey_st *pki_key(const struct pki *p);
struct x509_st *pki_chain(const struct pki *p, int i);

/* When the leaf is valid. */
struct pki_validity pki_leaf_validity(const struct pki *p);

/*
 * Each appends PEM: the key; the key, if any, and all certificates; all certificates; all
 * but the root; the root, which is the last certificate when none is self-signed.  With
 * the key go the other blocks of a PEM that are no certificates, such as EC PARAMETERS.
 * ERR_CONFIG: there is no key; ERR_UNAVAILABLE: past the buffer's limit.
 */
int pki_write_key(const struct pki *p, struct buf *out, struct err *err) MUST_CHECK;
int pki_write_bundle(const struct pki *p, struct buf *out, struct err *err) MUST_CHECK;
int pki_write_all(const struct pki *p, struct buf *out, struct err *err) MUST_CHECK;
int pki_write_chain(const struct pki *p, struct buf *out, struct err *err) MUST_CHECK;
int pki_write_root(const struct pki *p, struct buf *out, struct err *err) MUST_CHECK;

/* Both append a PKCS#12 (DER) encrypted with a password, as in pkcs12.h: the key with the
 * certificates, or the certificates alone, each of which Java then trusts.  name: the
 * alias by which Java finds them.  Without a key there is no difference. */
int pki_write_pkcs12(const struct pki *p, const char *password, const char *name,
		     struct buf *out, struct err *err) MUST_CHECK;
int pki_write_truststore(const struct pki *p, const char *password, const char *name,
			 struct buf *out, struct err *err) MUST_CHECK;

#endif
