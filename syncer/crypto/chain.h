/*
 * chain.h: the order of certificates.  Pure.
 *
 * The leaf stands first: it is the certificate of the private key.  Then come its
 * issuers, up to the root, as far as they are there, and then all other certificates.  An
 * issuer is found by its name and by verifying the signature, never by its position or by
 * key ids.
 */
#ifndef CRYPTO_CHAIN_H
#define CRYPTO_CHAIN_H

#include <openssl/x509.h>
#include <stdbool.h>

/* Key Vault takes a few certificates; each pair may cost one verified signature. */
#define CHAIN_MAX 32

/*
 * Puts 1 to CHAIN_MAX certificates in order.  key: NULL when there is none; then the leaf
 * is the first certificate that issued no other.  *moved becomes true when the order
 * changed, else it stays as it is.  Returns the length of the chain from the leaf up; 0,
 * and nothing is moved, when the key fits none of the certificates.
 */
int chain_order(X509 **certificates, int count, EVP_PKEY *key, bool *moved);

bool chain_is_self_signed(X509 *certificate);

#endif
