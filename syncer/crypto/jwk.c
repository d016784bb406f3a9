#include "crypto/jwk.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define NUMBER_MAX 4096 /* bytes, with leading zeros */
/* What OpenSSL computes with, and FIPS 186-4; Key Vault has 4096 and 65537. */
#define RSA_BITS_MAX 16384
#define EXPONENT_BITS_MAX 256

static const struct curve {
	const char *crv, *group;
	size_t bytes; /* of a coordinate */
} curves[] = {
	{ "P-256", "prime256v1", 32 },
	{ "P-384", "secp384r1", 48 },
	{ "P-521", "secp521r1", 66 },
	{ "P-256K", "secp256k1", 32 },
};

/* A number without its leading zeros, which the service sometimes sends. */
static int read_number(const char *member, const char *name, struct buf *out,
		       struct err *err)
{
	auto_buf struct buf raw = BUF_INIT(NUMBER_MAX);
	size_t zeros = 0;

	if (member == NULL ||
	    text_from_base64url(member, strlen(member), &raw, err) < 0 || raw.len == 0)
		return err_set(err, ERR_GARBLED,
			       "garbled reply: the key's '%s' is no number", name);
	while (zeros < raw.len - 1 && raw.data[zeros] == 0)
		zeros++;
	return buf_add(out, raw.data + zeros, raw.len - zeros, err);
}

static EVP_PKEY *from_params(const char *kind, OSSL_PARAM *params)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, kind, NULL);
	EVP_PKEY *key = NULL;

	if (context == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
	    EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(context);
	return key;
}

/* OpenSSL takes any numbers, such as 0. */
static bool rsa_is_sound(const BIGNUM *modulus, const BIGNUM *exponent)
{
	return BN_is_odd(modulus) && BN_num_bits(modulus) <= RSA_BITS_MAX &&
	       BN_is_odd(exponent) && BN_num_bits(exponent) <= EXPONENT_BITS_MAX &&
	       !BN_is_one(exponent) && BN_cmp(exponent, modulus) < 0;
}

static EVP_PKEY *rsa_key(const struct buf *n, const struct buf *e)
{
	BIGNUM *modulus = BN_bin2bn((const unsigned char *)n->data, (int)n->len, NULL);
	BIGNUM *exponent = BN_bin2bn((const unsigned char *)e->data, (int)e->len, NULL);
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params = NULL;
	EVP_PKEY *key = NULL;

	if (rsa_is_sound(modulus, exponent) &&
	    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus) == 1 &&
	    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent) == 1)
		params = OSSL_PARAM_BLD_to_param(builder);
	if (params != NULL)
		key = from_params("RSA", params);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(builder);
	BN_free(modulus);
	BN_free(exponent);
	return key;
}

static int read_rsa(const struct jwk *jwk, EVP_PKEY **out, struct err *err)
{
	auto_buf struct buf n = BUF_INIT(NUMBER_MAX), e = BUF_INIT(NUMBER_MAX);

	if (read_number(jwk->n, "n", &n, err) < 0 ||
	    read_number(jwk->e, "e", &e, err) < 0)
		return -1;
	*out = rsa_key(&n, &e);
	return 0;
}

/* A coordinate has a fixed length, with zeros in front. */
static int add_coordinate(const char *member, const char *name, size_t bytes,
			  struct buf *point, struct err *err)
{
	auto_buf struct buf number = BUF_INIT(NUMBER_MAX);

	if (read_number(member, name, &number, err) < 0)
		return -1;
	if (number.len > bytes)
		return err_set(err, ERR_GARBLED,
			       "garbled reply: the key's '%s' is too large", name);
	for (size_t i = number.len; i < bytes; i++)
		if (buf_add(point, "", 1, err) < 0)
			return -1;
	return buf_add(point, number.data, number.len, err);
}

static int read_ec(const struct jwk *jwk, EVP_PKEY **out, struct err *err)
{
	auto_buf struct buf point = BUF_INIT(NUMBER_MAX);
	const struct curve *curve = NULL;

	for (size_t i = 0; i < ARRAY_LEN(curves); i++)
		if (jwk->crv != NULL && strcmp(curves[i].crv, jwk->crv) == 0)
			curve = &curves[i];
	if (curve == NULL)
		return err_set(err, ERR_CONFIG,
			       "its curve is not one of P-256, P-384, P-521, P-256K");
	if (buf_add(&point, "\x04", 1, err) < 0 ||
	    add_coordinate(jwk->x, "x", curve->bytes, &point, err) < 0 ||
	    add_coordinate(jwk->y, "y", curve->bytes, &point, err) < 0)
		return -1;
	*out = from_params(
		"EC", (OSSL_PARAM[]){
			      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
							       (char *)curve->group, 0),
			      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY,
								point.data, point.len),
			      OSSL_PARAM_construct_end() });
	return 0;
}

static int jwk_read_key(const struct jwk *jwk, EVP_PKEY **out, struct err *err)
{
	const char *kty = jwk->kty ? jwk->kty : "";

	if (strcmp(kty, "RSA") == 0 || strcmp(kty, "RSA-HSM") == 0)
		return read_rsa(jwk, out, err);
	if (strcmp(kty, "EC") == 0 || strcmp(kty, "EC-HSM") == 0)
		return read_ec(jwk, out, err);
	if (strcmp(kty, "oct") == 0 || strcmp(kty, "oct-HSM") == 0)
		return err_set(err, ERR_CONFIG,
			       "it is a symmetric key (%s), which has no public part and "
			       "never leaves the vault",
			       kty);
	return err_set(err, ERR_CONFIG,
		       "its type is not one of RSA, RSA-HSM, EC, EC-HSM");
}

static int write_pem(EVP_PKEY *key, struct buf *out, struct err *err)
{
	BIO *bio = BIO_new(BIO_s_mem());
	int written = PEM_write_bio_PUBKEY(bio, key), result;
	char *bytes = NULL;
	long len = BIO_get_mem_data(bio, &bytes);

	result = written == 1 ? buf_add(out, bytes, (size_t)len, err)
			      : err_set(err, ERR_GARBLED, "the key cannot be written");
	BIO_free(bio);
	return result;
}

int jwk_to_pem(const struct jwk *key, struct buf *out, struct err *err)
{
	EVP_PKEY *pkey = NULL;
	int result;

	if (jwk_read_key(key, &pkey, err) < 0)
		return -1;
	ERR_clear_error();
	if (pkey == NULL)
		return err_set(err, ERR_GARBLED,
			       "garbled reply: the key's numbers make no key");
	result = write_pem(pkey, out, err);
	EVP_PKEY_free(pkey);
	return result;
}
