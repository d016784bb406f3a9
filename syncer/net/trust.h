/*
 * trust.h: which certificates a TLS peer may prove itself with, and how our TLS treats
 * memory.  Parsed once for all connections.
 *
 * Each of the certificates is trusted as it is: a root, an intermediate, or the peer's
 * own.
 */
#ifndef NET_TRUST_H
#define NET_TRUST_H

#include "base/buf.h"

struct trust;

/* The system's bundle. */
#define TRUST_SYSTEM_FILE "/etc/ssl/certs/ca-certificates.crt"

/* Reads trusted certificates (PEM): ca_file, or the system's bundle when NULL; and those
 * of extra_file besides, unless NULL.  ERR_CONFIG.  trust_free() the result. */
int trust_load(struct trust **out, const char *ca_file, const char *extra_file,
	       struct err *err) MUST_CHECK;
/* Trusts exactly the certificates of this PEM text.  ERR_IDENTITY: none in it. */
int trust_parse(struct trust **out, const struct buf *pem, struct err *err) MUST_CHECK;
void trust_free(struct trust *trust);

/* Makes an OpenSSL SSL_CTX use them. */
void trust_apply(const struct trust *trust, void *ssl_ctx);

/* Once in a process, before any TLS: OpenSSL allocates with the wiping allocator,
 * and reads no openssl.cnf, which could load code and weaken TLS.  ERR_UNAVAILABLE. */
int trust_global_init(struct err *err) MUST_CHECK;

#endif
