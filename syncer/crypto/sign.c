#include "crypto/sign.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

struct sign_key {
	EVP_PKEY *key;
	X509 *leaf;
	STACK_OF(X509) * rest; /* the other certificates, as they came */
};

void sign_key_free(struct sign_key *k)
{
	if (k == NULL)
		return;
	EVP_PKEY_free(k->key);
	X509_free(k->leaf);
	sk_X509_pop_free(k->rest, X509_free);
	free(k);
}

/* Never asks a terminal. */
static int give_password(char *out, int size, int writing, void *password)
{
	size_t len = password ? strlen(password) : 0;

	(void)writing;
	if (len > (size_t)size)
		return -1;
	memcpy(out, password ? password : "", len);
	return (int)len;
}

static int read_pem(struct sign_key *k, const struct buf *bytes, const char *password,
		    struct err *err)
{
	bool locked = strstr(bytes->data, "ENCRYPTED") != NULL;
	BIO *bio = BIO_new_mem_buf(bytes->data, (int)bytes->len);
	X509 *certificate;

	k->key = PEM_read_bio_PrivateKey(bio, NULL, give_password,
					 (void *)(uintptr_t)password);
	BIO_free(bio);
	bio = BIO_new_mem_buf(bytes->data, (int)bytes->len);
	while ((certificate = PEM_read_bio_X509(bio, NULL, give_password, NULL)) != NULL)
		sk_X509_push(k->rest, certificate);
	BIO_free(bio);
	ERR_clear_error();
	if (k->key == NULL && locked)
		return err_set(err, ERR_IDENTITY,
			       "its private key is encrypted and the password %s",
			       password && *password ? "does not fit" : "is not given");
	if (k->key == NULL)
		return err_set(err, ERR_IDENTITY, "it holds no private key");
	return 0;
}

/* Parses once the password is known to fit: what fails then is the encryption. */
static int parse_pkcs12(struct sign_key *k, PKCS12 *p12, const char *password,
			struct err *err)
{
	X509 *leaf = NULL;
	STACK_OF(X509) *more = NULL;

	/* Empty passwords are written in two ways. */
	if (*password
		    ? !PKCS12_verify_mac(p12, password, -1)
		    : !PKCS12_verify_mac(p12, "", 0) && !PKCS12_verify_mac(p12, NULL, 0))
		return err_set(err, ERR_IDENTITY, "its password %s",
			       *password ? "does not fit" : "is not given");
	if (!PKCS12_parse(p12, password, &k->key, &leaf, &more))
		return err_set(
			err, ERR_IDENTITY,
			"it is encrypted in a way that is no longer supported (such "
			"as RC2-40): export it anew with AES or 3DES");
	if (leaf != NULL)
		sk_X509_push(k->rest, leaf);
	while (more != NULL && sk_X509_num(more) > 0)
		sk_X509_push(k->rest, sk_X509_shift(more));
	sk_X509_free(more);
	if (k->key == NULL)
		return err_set(err, ERR_IDENTITY, "it holds no private key");
	return 0;
}

static int read_pkcs12(struct sign_key *k, const struct buf *bytes, const char *password,
		       struct err *err)
{
	const unsigned char *data = (const unsigned char *)bytes->data;
	PKCS12 *p12 = d2i_PKCS12(NULL, &data, (long)bytes->len);
	int result;

	if (p12 == NULL) {
		ERR_clear_error();
		return err_set(err, ERR_IDENTITY,
			       "it is neither PEM nor PFX (PKCS#12), with a private key");
	}
	result = parse_pkcs12(k, p12, password ? password : "", err);
	PKCS12_free(p12);
	ERR_clear_error();
	return result;
}

/* The certificate of the key, wherever it stands. */
static int sign_find_leaf(struct sign_key *k, struct err *err)
{
	for (int i = 0; i < sk_X509_num(k->rest); i++) {
		if (X509_check_private_key(sk_X509_value(k->rest, i), k->key) != 1)
			continue;
		k->leaf = sk_X509_delete(k->rest, i);
		ERR_clear_error();
		return 0;
	}
	ERR_clear_error();
	return err_set(err, ERR_IDENTITY, "it holds no certificate of its private key");
}

static int sign_check(const struct sign_key *k, struct err *err)
{
	const ASN1_TIME *end = X509_get0_notAfter(k->leaf);
	struct tm tm;
	char day[16] = "";

	if (!EVP_PKEY_is_a(k->key, "RSA"))
		return err_set(err, ERR_IDENTITY,
			       "its key is not RSA: Entra takes RSA only");
	if (X509_cmp_current_time(end) >= 0)
		return 0;
	if (ASN1_TIME_to_tm(end, &tm) == 1)
		strftime(day, sizeof(day), "%Y-%m-%d", &tm);
	return err_set(
		err, ERR_IDENTITY,
		"its certificate expired on %s: put a new one there, and register it "
		"with the application",
		day);
}

int sign_key_read(struct sign_key **out, const struct buf *bytes, const char *password,
		  struct err *err)
{
	struct sign_key *k = xcalloc(1, sizeof(*k));
	bool is_pem = bytes->len > 0 && strstr(bytes->data, "-----BEGIN") != NULL;

	k->rest = sk_X509_new_null();
	if ((is_pem ? read_pem : read_pkcs12)(k, bytes, password, err) < 0 ||
	    sign_find_leaf(k, err) < 0 || sign_check(k, err) < 0) {
		sign_key_free(k);
		return -1;
	}
	*out = k;
	return 0;
}

void sign_thumbprint(const struct sign_key *k, struct buf *out)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (X509_digest(k->leaf, EVP_sha256(), digest, &len) == 1)
		text_to_base64url(digest, len, out);
}

bool sign_chain(const struct sign_key *k, int index, struct buf *out)
{
	X509 *certificate = index == 0 ? k->leaf : sk_X509_value(k->rest, index - 1);
	unsigned char *der = NULL;
	int len;

	if (certificate == NULL)
		return false;
	len = i2d_X509(certificate, &der);
	if (len > 0)
		text_to_base64(der, (size_t)len, out);
	OPENSSL_free(der);
	return len > 0;
}

int sign_append(const struct sign_key *k, struct buf *out, struct err *err)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	const unsigned char *text = (const unsigned char *)out->data;
	unsigned char signature[1024]; /* RSA keys of up to 8192 bits */
	size_t len = sizeof(signature);
	bool signed_it;

	signed_it = EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, k->key) == 1 &&
		    EVP_DigestSign(context, signature, &len, text, out->len) == 1;
	EVP_MD_CTX_free(context);
	if (!signed_it) {
		ERR_clear_error();
		return err_set(err, ERR_IDENTITY, "its key cannot sign");
	}
	buf_text(out, ".");
	text_to_base64url(signature, len, out);
	return 0;
}

void sign_uuid(struct buf *out)
{
	unsigned char b[16] = { 0 };

	RAND_bytes(b, sizeof(b));
	b[6] = (b[6] & 0x0f) | 0x40; /* RFC 9562: version 4, variant 1 */
	b[8] = (b[8] & 0x3f) | 0x80;
	for (size_t i = 0; i < sizeof(b); i++)
		buf_printf(out, "%s%02x",
			   i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", b[i]);
}
