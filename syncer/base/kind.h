/*
 * kind.h: what configuration, vault and rendering share about an object: of which kind it
 * is, and which form its files have.
 */
#ifndef BASE_KIND_H
#define BASE_KIND_H

#include <sys/types.h>

enum object_kind { OBJECT_SECRET, OBJECT_KEY, OBJECT_CERTIFICATE };

/* "secret", "key", "certificate". */
const char *kind_word(enum object_kind kind);

/* pfx: PKCS#12 as the vault has it, or encrypted with a password; pkcs12: encrypted, as
 * Java's key store; truststore: likewise, of certificates only, which Java trusts. */
enum object_format { OBJECT_PEM, OBJECT_PFX, OBJECT_PKCS12, OBJECT_TRUSTSTORE };

/* "pem", "pfx", "pkcs12", "truststore"; NULL behind the last. */
extern const char *const kind_formats[];

/* Which files the secret of a certificate becomes: one with all; that one, PATH.crt and
 * PATH.key; PATH/tls.crt, PATH/tls.key and PATH/ca.crt. */
enum object_layout { OBJECT_SINGLE, OBJECT_SPLIT, OBJECT_TLS };

/* Which values of a JSON text become files of their own besides those of the list: none,
 * or that of each top-level key. */
enum object_extract { OBJECT_EXTRACT_NONE, OBJECT_EXTRACT_ALL };

/* A file that is made of one value of a JSON text. */
struct object_part {
	char *expression; /* which value: jmespath.h */
	char *path;       /* of the file */
	mode_t mode;
};

struct object_tag {
	char *name, *value;
};

#endif
