/*
 * effort.h: how much work a PKCS#12 asks for before it can be read.  Pure.
 *
 * Its maker chooses how often passwords are hashed, up to 2^31 times for each part, and
 * the only thread of a process can do nothing else meanwhile.  This counts, and decrypts
 * nothing whose count it has not accepted.
 */
#ifndef CRYPTO_EFFORT_H
#define CRYPTO_EFFORT_H

#include <openssl/pkcs12.h>
#include <stdbool.h>

/* True when all its iterations together are no more than 50,000, which take some 50 ms.
 */
bool effort_is_bearable(const PKCS12 *pkcs12);

#endif
