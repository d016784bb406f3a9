/*
 * pem.h: the blocks of a PEM text (RFC 7468), and what is wrong with a text that lost its
 * form on the way into the vault.  Pure.
 */
#ifndef CRYPTO_PEM_H
#define CRYPTO_PEM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct evp_pkey_st; /* OpenSSL's EVP_PKEY */

struct pem_block {
	char *name;   /* "CERTIFICATE" */
	char *header; /* the lines before an empty line, such as Proc-Type; else "" */
	unsigned char *der;
	long len;
};

/* Returns -1 to stop. */
typedef int pem_take(void *arg, const struct pem_block *block, struct err *err);

/*
 * Hands over each block; between the blocks any text may stand.  ERR_CONFIG: a block
 * cannot be decoded, or there is none; the message says what became of the line ends, as
 * far as that can be seen, and holds no part of the text.
 */
int pem_read(const char *pem, size_t len, pem_take *take, void *arg,
	     struct err *err) MUST_CHECK;

/* True for text in which at least one block starts. */
bool pem_starts(const char *pem, size_t len);

/* True when there is at least one block, and no block is damaged. */
bool pem_is_readable(const char *pem, size_t len);

/* Appends a block as text. */
int pem_write(const struct pem_block *block, struct buf *out, struct err *err) MUST_CHECK;

/* Reads the private key of one block, given as text.  password: NULL when there may be
 * none, "" when none was given.  ERR_CONFIG.  EVP_PKEY_free() the result. */
int pem_read_key(const char *pem, size_t len, const char *password,
		 struct evp_pkey_st **out, struct err *err) MUST_CHECK;

#endif
