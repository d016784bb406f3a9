/* certs.h: keys and certificates that a test makes for itself, and their PEM. */
#ifndef TESTS_CERTS_H
#define TESTS_CERTS_H

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/buf.h"
#include "unit.h"

/* Valid from and to so many days from now; signed by the issuer, NULL: by itself. */
static inline X509 *certs_make(const char *subject, EVP_PKEY *key, const X509 *issuer,
			       EVP_PKEY *issuer_key, int from_days, int to_days)
{
	static long serial = 1;
	X509_NAME *name = X509_NAME_new();
	X509 *made = X509_new();

	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
				   (const unsigned char *)subject, -1, -1, 0);
	X509_set_version(made, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(made), serial++);
	X509_time_adj_ex(X509_getm_notBefore(made), from_days, 0, NULL);
	X509_time_adj_ex(X509_getm_notAfter(made), to_days, 0, NULL);
	X509_set_subject_name(made, name);
	X509_set_issuer_name(made, issuer ? X509_get_subject_name(issuer) : name);
	X509_set_pubkey(made, key);
	assert_true(X509_sign(made, issuer ? issuer_key : key, EVP_sha256()) > 0);
	X509_NAME_free(name);
	return made;
}

static inline void certs_take(BIO *bio, struct buf *out)
{
	char *bytes = NULL;
	long len = BIO_get_mem_data(bio, &bytes);
	struct err err;

	check_ok("PEM", buf_add(out, bytes, (size_t)len, &err), &err);
	BIO_free(bio);
}

static inline void certs_add(X509 *certificate, struct buf *out)
{
	BIO *bio = BIO_new(BIO_s_mem());

	assert_int_equal(PEM_write_bio_X509(bio, certificate), 1);
	certs_take(bio, out);
}

/* PKCS#8, or PKCS#1 and SEC 1; locked by a password unless it is NULL. */
static inline void certs_add_key(EVP_PKEY *key, bool traditional, const char *password,
				 struct buf *out)
{
	BIO *bio = BIO_new(BIO_s_mem());
	const EVP_CIPHER *cipher = password ? EVP_aes_256_cbc() : NULL;
	int len = password ? (int)strlen(password) : 0;
	const unsigned char *secret = (const unsigned char *)password;

	assert_int_equal((traditional ? PEM_write_bio_PrivateKey_traditional
				      : PEM_write_bio_PrivateKey)(
				 bio, key, cipher, secret, len, NULL, NULL),
			 1);
	certs_take(bio, out);
}

/* A root, an intermediate, a leaf, and a root that has nothing to do with them.  The root
 * once more, signed by the stranger; and the stranger's key under the root's name. */
struct certs {
	EVP_PKEY *keys[4];
	X509 *all[6];
};
enum { LEAF, BETWEEN, ROOT, STRANGER, CROSSED, IMPOSTOR, CERTS };

static inline struct certs certs_of(EVP_PKEY *leaf_key, int from_days, int to_days)
{
	struct certs c = { .keys = { leaf_key } };
	static const char *const names[] = { "leaf", "between", "root", "stranger" };

	for (int i = BETWEEN; i <= STRANGER; i++)
		c.keys[i] = EVP_EC_gen("P-256");
	for (int i = STRANGER; i >= LEAF; i--) {
		bool is_root = i >= ROOT;

		c.all[i] =
			certs_make(names[i], c.keys[i], is_root ? NULL : c.all[i + 1],
				   is_root ? NULL : c.keys[i + 1],
				   i == LEAF ? from_days : -1, i == LEAF ? to_days : 9);
	}
	c.all[CROSSED] = certs_make("root", c.keys[ROOT], c.all[STRANGER],
				    c.keys[STRANGER], -1, 9);
	c.all[IMPOSTOR] = certs_make("root", c.keys[STRANGER], NULL, NULL, -1, 9);
	return c;
}

static inline void certs_free(struct certs *c)
{
	for (int i = LEAF; i <= STRANGER; i++)
		EVP_PKEY_free(c->keys[i]);
	for (int i = LEAF; i < CERTS; i++)
		X509_free(c->all[i]);
}

/* Parts by letters: l, b, r, s, c, i are certificates; k the key as PKCS#8, t in its
 * traditional form, x another key, e the key locked by "x", h likewise in its traditional
 * form, whose header tells of that. */
static inline void certs_write(const struct certs *c, const char *parts, struct buf *out)
{
	for (; *parts; parts++) {
		static const char letters[] = "lbrsci";
		const char *at = strchr(letters, *parts);

		if (at != NULL)
			certs_add(c->all[at - letters], out);
		else
			certs_add_key(c->keys[*parts == 'x' ? ROOT : LEAF],
				      *parts == 't' || *parts == 'h',
				      *parts == 'e' || *parts == 'h' ? "x" : NULL, out);
	}
}

#endif
