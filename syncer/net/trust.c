#include "net/trust.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "base/mem.h"

struct trust {
	X509_STORE *store;
};

static void *crypto_malloc(size_t n, const char *file, int line)
{
	(void)file, (void)line;
	return wipe_malloc(n);
}

static void *crypto_realloc(void *p, size_t n, const char *file, int line)
{
	(void)file, (void)line;
	/* OpenSSL frees by asking for 0 bytes. */
	if (n == 0) {
		wipe_free(p);
		return NULL;
	}
	return wipe_realloc(p, n);
}

static void crypto_free(void *p, const char *file, int line)
{
	(void)file, (void)line;
	wipe_free(p);
}

int trust_global_init(struct err *err)
{
	if (CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc, crypto_free) != 1 ||
	    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
		return err_set(err, ERR_UNAVAILABLE, "cannot initialise OpenSSL");
	return 0;
}

static struct trust *new_trust(void)
{
	struct trust *t = xcalloc(1, sizeof(*t));

	t->store = X509_STORE_new();
	/* An intermediate that is trusted is enough, also when its root is not here. */
	X509_STORE_set_flags(t->store, X509_V_FLAG_PARTIAL_CHAIN);
	return t;
}

int trust_load(struct trust **out, const char *ca_file, const char *extra_file,
	       struct err *err)
{
	const char *path = ca_file ? ca_file : TRUST_SYSTEM_FILE;
	struct trust *t = new_trust();
	const char *fix = ca_file ? "; SSL_CERT_FILE names it"
				  : "; install ca-certificates or set SSL_CERT_FILE";

	if (X509_STORE_load_file(t->store, path) == 1) {
		if (extra_file == NULL ||
		    X509_STORE_load_file(t->store, extra_file) == 1) {
			*out = t;
			return 0;
		}
		path = extra_file;
		fix = "; AKVSYNC_EXTRA_CA_FILE names it";
	}
	ERR_clear_error();
	trust_free(t);
	return err_set(err, ERR_CONFIG,
		       "cannot read trusted certificates (PEM) from '%s'%s", path, fix);
}

int trust_parse(struct trust **out, const struct buf *pem, struct err *err)
{
	struct trust *t = new_trust();
	BIO *bio = BIO_new_mem_buf(buf_str(pem), (int)pem->len);
	X509 *certificate;
	int count = 0;

	while ((certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
		count += X509_STORE_add_cert(t->store, certificate);
		X509_free(certificate);
	}
	BIO_free(bio);
	ERR_clear_error();
	if (count == 0) {
		trust_free(t);
		return err_set(err, ERR_IDENTITY,
			       "no trusted certificate (PEM) for its endpoint");
	}
	*out = t;
	return 0;
}

void trust_free(struct trust *t)
{
	if (t == NULL)
		return;
	X509_STORE_free(t->store);
	free(t);
}

void trust_apply(const struct trust *t, void *ssl_ctx)
{
	/* Else the last decrypted record stays in the idle connection's buffer. */
	SSL_CTX_set_options(ssl_ctx, SSL_OP_CLEANSE_PLAINTEXT);
	SSL_CTX_set1_cert_store(ssl_ctx, t->store);
}
