#include "crypto/pki.h"

#include <limits.h>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/text.h"
#include "crypto/chain.h"
#include "crypto/pem.h"
#include "crypto/pkcs12.h"

/* More than any value of a vault or file of a credential may hold. */
#define BLOCKS_MAX (1024 * 1024)

struct pki {
	EVP_PKEY *key;     /* NULL: none */
	struct buf blocks; /* PEM: the key, and what else is no certificate */
	X509 *certificates[CHAIN_MAX];
	int count, chain_length; /* the chain stands first */
	bool in_order;
};

void pki_free(struct pki *p)
{
	if (p == NULL)
		return;
	EVP_PKEY_free(p->key);
	buf_done(&p->blocks);
	for (int i = 0; i < p->count; i++)
		X509_free(p->certificates[i]);
	free(p);
}

bool pki_is_in_order(const struct pki *p)
{
	return p->in_order;
}

struct evp_pkey_st *pki_key(const struct pki *p)
{
	return p->key;
}

struct x509_st *pki_chain(const struct pki *p, int i)
{
	return i < p->chain_length ? p->certificates[i] : NULL;
}

/* OpenSSL's own text may quote its input, so it is dropped. */
static int pki_fail(struct err *err, const char *what)
{
	ERR_clear_error();
	return err_set(err, ERR_CONFIG, "%s", what);
}

static int64_t pki_time(const ASN1_TIME *time)
{
	struct tm tm;

	return ASN1_TIME_to_tm(time, &tm) == 1 ? (int64_t)timegm(&tm) : -1;
}

static struct pki_validity pki_validity_of(const X509 *certificate)
{
	return (struct pki_validity){
		.not_before = pki_time(X509_get0_notBefore(certificate)),
		.not_after = pki_time(X509_get0_notAfter(certificate)),
	};
}

struct pki_validity pki_leaf_validity(const struct pki *p)
{
	return pki_validity_of(p->certificates[0]);
}

/* ---- reading ---- */

static struct pki *pki_new(void)
{
	struct pki *p = xcalloc(1, sizeof(*p));

	p->blocks = BUF_INIT(BLOCKS_MAX);
	return p;
}

/* Takes over a certificate; a second copy is dropped. */
static int pki_add(struct pki *p, X509 *certificate, struct err *err)
{
	for (int i = 0; i < p->count; i++) {
		if (X509_cmp(p->certificates[i], certificate) == 0) {
			X509_free(certificate);
			p->in_order = false;
			return 0;
		}
	}
	if (p->count == CHAIN_MAX) {
		X509_free(certificate);
		return pki_fail(err, "it holds more than 32 certificates");
	}
	p->certificates[p->count++] = certificate;
	return 0;
}

static int pki_put_in_order(struct pki *p, struct err *err)
{
	bool moved = false;

	if (p->count == 0)
		return pki_fail(err, p->key ? "it holds no certificate of its private key"
					    : "it holds no certificate");
	p->chain_length = chain_order(p->certificates, p->count, p->key, &moved);
	if (p->chain_length == 0)
		return pki_fail(err, "it holds no certificate of its own: its private "
				     "key fits none of its certificates");
	p->in_order &= !moved;
	return 0;
}

/* Hands over what was read, or frees it. */
static int pki_finish(struct pki *p, int result, struct pki **out, struct err *err)
{
	if (result < 0 || pki_put_in_order(p, err) < 0) {
		pki_free(p);
		return -1;
	}
	*out = p;
	return 0;
}

/* Moves what was written into the buffer; written is what the writing returned. */
static int pki_take_bio(BIO *bio, int written, struct buf *out, struct err *err)
{
	char *bytes = NULL;
	long len = BIO_get_mem_data(bio, &bytes);
	int result;

	if (written == 1)
		result = buf_add(out, bytes, (size_t)len, err);
	else
		result = pki_fail(err, "it cannot be written");
	BIO_free(bio);
	return result;
}

/* A key that was stored without its public point gets it. */
static int pki_write_pkcs8(struct pki *p, struct err *err)
{
	BIO *bio = BIO_new(BIO_s_mem());

	if (EVP_PKEY_is_a(p->key, "EC")) {
		EVP_PKEY_set_int_param(p->key, OSSL_PKEY_PARAM_EC_INCLUDE_PUBLIC, 1);
		EVP_PKEY_set_utf8_string_param(
			p->key, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
			OSSL_PKEY_EC_POINT_CONVERSION_FORMAT_UNCOMPRESSED);
	}
	return pki_take_bio(
		bio,
		PEM_write_bio_PKCS8PrivateKey(bio, p->key, NULL, NULL, 0, NULL, NULL),
		&p->blocks, err);
}

int pki_from_pkcs12(const void *der, size_t len, const char *password, struct pki **out,
		    struct err *err)
{
	STACK_OF(X509) *certificates = NULL;
	struct pki *p = pki_new();
	X509 *certificate;
	int result;

	result = pkcs12_open(der, len, password, &p->key, &certificates, err);
	while (result == 0 && (certificate = sk_X509_shift(certificates)) != NULL)
		result = pki_add(p, certificate, err);
	sk_X509_pop_free(certificates, X509_free);
	if (result == 0 && p->key != NULL)
		result = pki_write_pkcs8(p, err);
	return pki_finish(p, result, out, err);
}

int pki_from_certificate(const void *der, size_t len, struct pki **out, struct err *err)
{
	const unsigned char *bytes = der;
	X509 *certificate = len <= INT_MAX ? d2i_X509(NULL, &bytes, (long)len) : NULL;
	struct pki *p;

	if (certificate == NULL)
		return pki_fail(err, "it is not a certificate");
	p = pki_new();
	return pki_finish(p, pki_add(p, certificate, err), out, err);
}

struct pki_reading {
	struct pki *p;
	const char *password;
};

/* A key, or a block of no further use. */
static int pki_take_other(const struct pki_reading *r, const struct pem_block *block,
			  struct err *err)
{
	struct buf *blocks = &r->p->blocks;
	size_t at = blocks->len;

	if (pem_write(block, blocks, err) < 0)
		return -1;
	if (!text_ends_same(block->name, "PRIVATE KEY"))
		return 0;
	if (r->p->key != NULL)
		return pki_fail(err, "it holds more than one private key");
	return pem_read_key(blocks->data + at, blocks->len - at, r->password, &r->p->key,
			    err);
}

static int pki_take_block(void *arg, const struct pem_block *block, struct err *err)
{
	const struct pki_reading *r = arg;
	const unsigned char *der = block->der;
	X509 *certificate;

	if (strcmp(block->name, PEM_STRING_X509) != 0 &&
	    strcmp(block->name, PEM_STRING_X509_OLD) != 0)
		return pki_take_other(r, block, err);
	certificate = d2i_X509(NULL, &der, block->len);
	if (certificate == NULL)
		return pki_fail(err, "one of its certificates is damaged");
	return pki_add(r->p, certificate, err);
}

int pki_from_pem(const char *pem, size_t len, const char *password, struct pki **out,
		 struct err *err)
{
	struct pki_reading reading = { .p = pki_new(), .password = password };

	reading.p->in_order = true;
	return pki_finish(reading.p, pem_read(pem, len, pki_take_block, &reading, err),
			  out, err);
}

/* ---- writing ---- */

int pki_write_key(const struct pki *p, struct buf *out, struct err *err)
{
	if (p->key == NULL)
		return pki_fail(err,
				"it has no private key: is it not exportable (key_props."
				"exportable of the certificate's policy)?");
	return buf_add(out, buf_str(&p->blocks), p->blocks.len, err);
}

int pki_write_bundle(const struct pki *p, struct buf *out, struct err *err)
{
	if (buf_add(out, buf_str(&p->blocks), p->blocks.len, err) < 0)
		return -1;
	return pki_write_all(p, out, err);
}

static int pki_write_certificate(X509 *certificate, struct buf *out, struct err *err)
{
	BIO *bio = BIO_new(BIO_s_mem());

	return pki_take_bio(bio, PEM_write_bio_X509(bio, certificate), out, err);
}

/* The index of the root: the chain's end, or the last beyond a chain that has a gap; -1:
 * none is self-signed. */
static int pki_find_root(const struct pki *p)
{
	int top = p->chain_length - 1, i = p->count - 1;

	if (chain_is_self_signed(p->certificates[top]))
		return top;
	while (i > top && !chain_is_self_signed(p->certificates[i]))
		i--;
	return i > top ? i : -1;
}

static int pki_write_all_but(const struct pki *p, int left_out, struct buf *out,
			     struct err *err)
{
	for (int i = 0; i < p->count; i++)
		if (i != left_out &&
		    pki_write_certificate(p->certificates[i], out, err) < 0)
			return -1;
	return 0;
}

int pki_write_all(const struct pki *p, struct buf *out, struct err *err)
{
	return pki_write_all_but(p, -1, out, err);
}

int pki_write_chain(const struct pki *p, struct buf *out, struct err *err)
{
	int root = pki_find_root(p);

	return pki_write_all_but(p, root > 0 ? root : -1, out, err);
}

int pki_write_root(const struct pki *p, struct buf *out, struct err *err)
{
	int root = pki_find_root(p);

	return pki_write_certificate(p->certificates[root < 0 ? p->count - 1 : root], out,
				     err);
}

static int pki_write_store(const struct pki *p, EVP_PKEY *key, const char *password,
			   const char *name, struct buf *out, struct err *err)
{
	PKCS12 *pkcs12 = pkcs12_make(key, p->certificates, p->count, password, name);
	int written;
	BIO *bio;

	if (pkcs12 == NULL)
		return pki_fail(err, "it cannot be made a PKCS#12");
	bio = BIO_new(BIO_s_mem());
	written = i2d_PKCS12_bio(bio, pkcs12);
	PKCS12_free(pkcs12);
	return pki_take_bio(bio, written, out, err);
}

int pki_write_pkcs12(const struct pki *p, const char *password, const char *name,
		     struct buf *out, struct err *err)
{
	return pki_write_store(p, p->key, password, name, out, err);
}

int pki_write_truststore(const struct pki *p, const char *password, const char *name,
			 struct buf *out, struct err *err)
{
	return pki_write_store(p, NULL, password, name, out, err);
}
