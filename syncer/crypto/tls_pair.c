#include "crypto/tls_pair.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#include "base/text.h"
#include "crypto/pem.h"
#include "crypto/pki.h"

#define FILE_MAX (1024 * 1024)

/* ---- PEM ---- */

struct tls_pair_reading {
	struct buf *out;
	size_t found;
};

static int tls_pair_take_certificate(void *arg, const struct pem_block *block,
				     struct err *err)
{
	struct tls_pair_reading *r = arg;

	if (strcmp(block->name, PEM_STRING_X509) != 0)
		return 0;
	r->found++;
	return pem_write(block, r->out, err);
}

static int tls_pair_write_key(EVP_PKEY *key, struct buf *out, struct err *err)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *bytes = NULL;
	int written, result;
	long len;

	written =
		PEM_write_bio_PrivateKey_traditional(bio, key, NULL, NULL, 0, NULL, NULL);
	if (written != 1) {
		(void)BIO_reset(bio);
		written = PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL,
							NULL);
	}
	len = BIO_get_mem_data(bio, &bytes);
	result = written == 1
			 ? buf_add(out, bytes, (size_t)len, err)
			 : err_set(err, ERR_CONFIG, "its private key cannot be written");
	ERR_clear_error();
	BIO_free(bio);
	return result;
}

static int tls_pair_take_key(void *arg, const struct pem_block *block, struct err *err)
{
	struct tls_pair_reading *r = arg;
	auto_buf struct buf pem = BUF_INIT(FILE_MAX);
	EVP_PKEY *key = NULL;
	int result;

	if (!text_ends_same(block->name, "PRIVATE KEY") || r->found > 0)
		return 0;
	if (pem_write(block, &pem, err) < 0 ||
	    pem_read_key(buf_str(&pem), pem.len, NULL, &key, err) < 0)
		return -1;
	r->found++;
	result = tls_pair_write_key(key, r->out, err);
	EVP_PKEY_free(key);
	return result;
}

/* ---- PKCS#12 ---- */

static int tls_pair_open(const char *file, size_t len, struct pki **out, struct err *err)
{
	auto_buf struct buf der = BUF_INIT(FILE_MAX);
	struct err ignored;

	if (text_from_base64(file, len, &der, &ignored) == 0)
		return pki_from_pkcs12(buf_str(&der), der.len, NULL, out, err);
	return pki_from_pkcs12(file, len, NULL, out, err);
}

/* ---- both ---- */

int tls_pair_certificates(const char *file, size_t len, struct buf *out, struct err *err)
{
	struct tls_pair_reading r = { .out = out };
	auto_pki struct pki *p = NULL;

	if (!pem_starts(file, len))
		return tls_pair_open(file, len, &p, err) < 0 ? -1
							     : pki_write_all(p, out, err);
	if (pem_read(file, len, tls_pair_take_certificate, &r, err) < 0)
		return -1;
	return r.found > 0 ? 0 : err_set(err, ERR_CONFIG, "it holds no certificate");
}

int tls_pair_key(const char *file, size_t len, struct buf *out, struct err *err)
{
	struct tls_pair_reading r = { .out = out };
	auto_pki struct pki *p = NULL;

	if (!pem_starts(file, len)) {
		if (tls_pair_open(file, len, &p, err) < 0)
			return -1;
		if (pki_key(p) == NULL)
			return err_set(err, ERR_CONFIG, "it holds no private key");
		return tls_pair_write_key(pki_key(p), out, err);
	}
	if (pem_read(file, len, tls_pair_take_key, &r, err) < 0)
		return -1;
	return r.found > 0 ? 0 : err_set(err, ERR_CONFIG, "it holds no private key");
}
