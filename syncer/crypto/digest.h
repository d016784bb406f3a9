/*
 * digest.h: tells whether two values are the same without keeping them.  Pure.
 *
 * SHA-256 over a random key and the value.  Without the key, which stays in this process,
 * nobody can find a short value by trying all of them.
 */
#ifndef CRYPTO_DIGEST_H
#define CRYPTO_DIGEST_H

#include <stddef.h>

struct digest_key {
	unsigned char bytes[32];
};

struct digest {
	unsigned char bytes[32];
};

/* Makes a random key. */
void digest_key_make(struct digest_key *key);

struct digest digest_of(const struct digest_key *key, const void *data, size_t len);

#endif
