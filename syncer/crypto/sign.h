/*
 * sign.h: the certificate of an application, and what is signed with its private key.
 *
 * For the application's assertion (a JWT) that Entra accepts: the algorithm PS256 (RFC
 * 7518 section 3.5) with the thumbprint x5t#S256, which is the pair that Entra documents.
 * RSA only: Entra takes nothing else.
 */
#ifndef CRYPTO_SIGN_H
#define CRYPTO_SIGN_H

#include "base/buf.h"
#include "crypto/pki.h"

/*
 * Reads a private key and its certificates: PEM in any order, or PKCS#12.  password: NULL
 * or "" for none.  ERR_IDENTITY: not such bytes, the password does not fit, no key, no
 * certificate of that key, not RSA, or the certificate has expired.  pki_free() the
 * result.
 */
int sign_read(struct pki **out, const struct buf *bytes, const char *password,
	      struct err *err) MUST_CHECK;

/* Appends the certificate's SHA-256 thumbprint, base64url: the header's x5t#S256. */
void sign_thumbprint(const struct pki *p, struct buf *out);

/* Appends the items of the header's x5c: the certificates of the chain in base64 and in
 * quotes, the key's own first.  ERR_IDENTITY: they are larger than Entra could want. */
int sign_chain(const struct pki *p, struct buf *out, struct err *err) MUST_CHECK;

/* Appends ".SIGNATURE": the PS256 signature of what out holds, base64url.  ERR_IDENTITY.
 */
int sign_append(const struct pki *p, struct buf *out, struct err *err) MUST_CHECK;

/* Appends a random UUID, for the assertion's jti. */
void sign_uuid(struct buf *out);

#endif
