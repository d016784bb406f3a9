#include "crypto/sign.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <time.h>

#include "base/text.h"
#include "crypto/pem.h"

/* A chain has few certificates of two or three kilobytes. */
#define CHAIN_KIB 64

static int sign_check(const struct pki *p, struct err *err)
{
	const ASN1_TIME *end = X509_get0_notAfter(pki_chain(p, 0));
	char day[16] = "";
	struct tm tm;

	if (pki_key(p) == NULL)
		return err_set(err, ERR_IDENTITY, "it holds no private key");
	if (!EVP_PKEY_is_a(pki_key(p), "RSA"))
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

int sign_read(struct pki **out, const struct buf *bytes, const char *password,
	      struct err *err)
{
	const char *text = buf_str(bytes), *given = password ? password : "";
	struct pki *p = NULL;
	int result;

	if (pem_starts(text, bytes->len))
		result = pki_from_pem(text, bytes->len, given, &p, err);
	else if (text[0] == '\x30') /* DER: a sequence */
		result = pki_from_pkcs12(text, bytes->len, given, &p, err);
	else
		result = err_set(
			err, ERR_IDENTITY,
			"it is neither PEM nor PFX (PKCS#12), with a private key");
	if (result < 0) {
		err->kind = ERR_IDENTITY;
		return -1;
	}
	if (sign_check(p, err) < 0) {
		pki_free(p);
		return -1;
	}
	*out = p;
	return 0;
}

void sign_thumbprint(const struct pki *p, struct buf *out)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (X509_digest(pki_chain(p, 0), EVP_sha256(), digest, &len) == 1)
		text_to_base64url(digest, len, out);
}

int sign_chain(const struct pki *p, struct buf *out, struct err *err)
{
	size_t start = out->len;

	for (int i = 0; pki_chain(p, i) != NULL; i++) {
		auto_buf struct buf item = BUF_INIT(CHAIN_KIB * 1024);
		unsigned char *der = NULL;
		int len = i2d_X509(pki_chain(p, i), &der);

		buf_text(&item, i ? ",\"" : "\"");
		if (len > 0)
			text_to_base64(der, (size_t)len, &item);
		OPENSSL_free(der);
		if (out->len - start + item.len >= CHAIN_KIB * 1024)
			return err_set(err, ERR_IDENTITY,
				       "its chain is larger than %d KiB, which is too "
				       "much to send (AZURE_CLIENT_SEND_CERTIFICATE_"
				       "CHAIN); leave only the issuers in the file",
				       CHAIN_KIB);
		buf_text(&item, "\"");
		if (buf_add(out, item.data, item.len, err) < 0)
			return -1;
	}
	return 0;
}

int sign_append(const struct pki *p, struct buf *out, struct err *err)
{
	const unsigned char *text = (const unsigned char *)out->data;
	unsigned char signature[1024]; /* RSA keys of up to 8192 bits */
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	size_t len = sizeof(signature);
	EVP_PKEY_CTX *options = NULL; /* the context's */
	bool signed_it;

	signed_it =
		EVP_DigestSignInit(context, &options, EVP_sha256(), NULL, pki_key(p)) ==
			1 &&
		EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1 &&
		EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) == 1 &&
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
