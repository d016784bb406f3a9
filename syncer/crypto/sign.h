/*
 * sign.h: a certificate with its private key, and signatures made with it.
 *
 * For the assertion of an application (RFC 7515 RS256): reads PEM and PKCS#12 files,
 * names the certificate by its thumbprint, signs.  RSA only: Entra takes nothing else.
 */
#ifndef CRYPTO_SIGN_H
#define CRYPTO_SIGN_H

#include <stdbool.h>

#include "base/buf.h"

struct sign_key;

/*
 * Reads a private key and its certificate, and what other certificates come with them:
 * PEM in any order, or PKCS#12.  password: NULL or "" for none.  ERR_IDENTITY: not such
 * bytes, the password does not fit, no key, no certificate of that key, not RSA, or the
 * certificate has expired.  sign_key_free() the result; the key is wiped.
 */
int sign_key_read(struct sign_key **out, const struct buf *bytes, const char *password,
		  struct err *err) MUST_CHECK;
void sign_key_free(struct sign_key *key);

/* Appends the certificate's SHA-256 thumbprint, base64url: the header's x5t#S256. */
void sign_thumbprint(const struct sign_key *key, struct buf *out);

/* Appends a certificate of the chain in base64, the key's own first: items of the
 * header's x5c.  False behind the last. */
bool sign_chain(const struct sign_key *key, int index, struct buf *out);

/* Appends ".SIGNATURE": the RS256 signature of what out holds, base64url.  ERR_IDENTITY.
 */
int sign_append(const struct sign_key *key, struct buf *out, struct err *err) MUST_CHECK;

/* Appends a random UUID, for the assertion's jti. */
void sign_uuid(struct buf *out);

#endif
