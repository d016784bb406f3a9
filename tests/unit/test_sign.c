/* The certificate of an application: how it is read, named and sent, and what it signs.
 */
#include "certs.h"

#include <openssl/rsa.h>

#include "base/text.h"
#include "crypto/sign.h"

#define MAX (1024 * 1024)

static struct certs certs;

static int set_up(void **state)
{
	(void)state;
	certs = certs_of(EVP_RSA_gen(2048), -1, 9);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	certs_free(&certs);
	return 0;
}

static int sign_parts(const struct certs *of, const char *parts, const char *password,
		      struct pki **out, struct err *err)
{
	auto_buf struct buf text = BUF_INIT(MAX);

	certs_write(of, parts, &text);
	return sign_read(out, &text, password, err);
}

static bool is_signed(EVP_PKEY *key, int padding, const char *text,
		      const struct buf *signature)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *options = NULL;
	bool is_it;

	EVP_DigestVerifyInit(context, &options, EVP_sha256(), NULL, key);
	EVP_PKEY_CTX_set_rsa_padding(options, padding);
	if (padding == RSA_PKCS1_PSS_PADDING)
		EVP_PKEY_CTX_set_rsa_pss_saltlen(options, 32);
	is_it = EVP_DigestVerify(context, (const unsigned char *)signature->data,
				 signature->len, (const unsigned char *)text,
				 strlen(text)) == 1;
	EVP_MD_CTX_free(context);
	return is_it;
}

/* RFC 7518 section 3.5: PSS with SHA-256, MGF1 with the same, a salt of 32 bytes. */
static void test_signature(void **state)
{
	auto_buf struct buf text = BUF_INIT(MAX), raw = BUF_INIT(MAX);
	auto_pki struct pki *p = NULL;
	const char *dot;
	struct err err;

	(void)state;
	check_ok("read", sign_parts(&certs, "rblk", NULL, &p, &err), &err);
	buf_text(&text, "header.claims");
	check_ok("sign", sign_append(p, &text, &err), &err);
	dot = strrchr(text.data, '.');
	assert_memory_equal(text.data, "header.claims.", 14);
	check_ok("base64url", text_from_base64url(dot + 1, strlen(dot + 1), &raw, &err),
		 &err);
	assert_true(is_signed(certs.keys[LEAF], RSA_PKCS1_PSS_PADDING, "header.claims",
			      &raw));
	assert_false(
		is_signed(certs.keys[LEAF], RSA_PKCS1_PADDING, "header.claims", &raw));
}

static void test_thumbprint(void **state)
{
	auto_buf struct buf text = BUF_INIT(MAX), raw = BUF_INIT(MAX);
	auto_pki struct pki *p = NULL;
	unsigned char want[32];
	unsigned len = 0;
	struct err err;

	(void)state;
	check_ok("read", sign_parts(&certs, "rblk", NULL, &p, &err), &err);
	sign_thumbprint(p, &text);
	check_ok("base64url", text_from_base64url(text.data, text.len, &raw, &err), &err);
	assert_int_equal(X509_digest(certs.all[LEAF], EVP_sha256(), want, &len), 1);
	assert_int_equal(raw.len, len);
	assert_memory_equal(raw.data, want, len);
}

static void add_item(const X509 *certificate, struct buf *out)
{
	unsigned char *der = NULL;
	int len = i2d_X509(certificate, &der);

	buf_text(out, out->len ? ",\"" : "\"");
	text_to_base64(der, (size_t)len, out);
	buf_text(out, "\"");
	OPENSSL_free(der);
}

/* Leaf first, each certified by the next, nothing else. */
static void test_chain(void **state)
{
	static const struct {
		const char *parts, *want;
	} rows[] = {
		{ "klbr", "lbr" }, { "rblk", "lbr" }, { "skrlb", "lbr" },
		{ "kblbl", "lb" }, { "rlk", "l" },    { "kl", "l" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf struct buf got = BUF_INIT(MAX), want = BUF_INIT(MAX);
		auto_pki struct pki *p = NULL;
		struct err err;

		check_ok(rows[i].parts, sign_parts(&certs, rows[i].parts, NULL, &p, &err),
			 &err);
		check_ok(rows[i].parts, sign_chain(p, &got, &err), &err);
		for (const char *c = rows[i].want; *c; c++)
			add_item(certs.all[*c == 'l'   ? LEAF
					   : *c == 'b' ? BETWEEN
						       : ROOT],
				 &want);
		check_text(rows[i].parts, buf_str(&got), buf_str(&want));
	}
}

static void test_a_chain_without_end(void **state)
{
	auto_buf struct buf text = BUF_INIT(MAX), out = BUF_INIT(MAX);
	auto_free char *long_name = xcalloc(1, 50001);
	ASN1_OCTET_STRING *bytes = ASN1_OCTET_STRING_new();
	ASN1_OBJECT *kind = OBJ_txt2obj("1.2.3.4", 1);
	X509 *leaf = X509_dup(certs.all[LEAF]);
	auto_pki struct pki *p = NULL;
	X509_EXTENSION *extension;
	struct err err;

	(void)state;
	ASN1_OCTET_STRING_set(bytes, (unsigned char *)long_name, 50000);
	extension = X509_EXTENSION_create_by_OBJ(NULL, kind, 0, bytes);
	X509_add_ext(leaf, extension, -1);
	assert_true(X509_sign(leaf, certs.keys[BETWEEN], EVP_sha256()) > 0);
	certs_add(leaf, &text);
	certs_write(&certs, "kbr", &text);
	check_ok("read", sign_read(&p, &text, NULL, &err), &err);
	check_err("large", sign_chain(p, &out, &err), &err, ERR_IDENTITY,
		  "its chain is larger than 64 KiB");
	X509_EXTENSION_free(extension);
	ASN1_OBJECT_free(kind);
	ASN1_OCTET_STRING_free(bytes);
	X509_free(leaf);
}

static void test_forms(void **state)
{
	static const struct {
		const char *parts, *password;
	} rows[] = {
		{ "klbr", NULL },
		{ "tl", "" },
		{ "el", "x" },
		{ "kl", "of no use" },
	};
	auto_buf struct buf der = BUF_INIT(MAX);
	auto_pki struct pki *p = NULL, *again = NULL;
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_pki struct pki *one = NULL;

		check_ok(rows[i].parts,
			 sign_parts(&certs, rows[i].parts, rows[i].password, &one, &err),
			 &err);
	}
	check_ok("PEM", sign_parts(&certs, "rblk", NULL, &p, &err), &err);
	check_ok("PFX", pki_write_pkcs12(p, "x", "web", &der, &err), &err);
	check_ok("PFX", sign_read(&again, &der, "x", &err), &err);
	check_err("PFX", sign_read(&again, &der, NULL, &err), &err, ERR_IDENTITY,
		  "its password is not given");
	check_err("PFX", sign_read(&again, &der, "y", &err), &err, ERR_IDENTITY,
		  "its password does not fit");
}

static void test_refused(void **state)
{
	static const struct {
		const char *parts, *says;
	} rows[] = {
		{ "", "neither PEM nor PFX" },
		{ "lbr", "it holds no private key" },
		{ "k", "no certificate of its private key" },
		{ "kbr", "private key fits none of its certificates" },
		{ "el", "encrypted and the password is not given" },
	};
	struct certs expired = certs_of(EVP_RSA_gen(2048), -9, -2);
	struct certs elliptic = certs_of(EVP_EC_gen("P-256"), -1, 9);
	auto_buf struct buf text = BUF_INIT(100);
	struct pki *p = NULL;
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_err(rows[i].says, sign_parts(&certs, rows[i].parts, NULL, &p, &err),
			  &err, ERR_IDENTITY, rows[i].says);
	check_err("expired", sign_parts(&expired, "kl", NULL, &p, &err), &err,
		  ERR_IDENTITY, "its certificate expired on 20");
	check_err("elliptic", sign_parts(&elliptic, "kl", NULL, &p, &err), &err,
		  ERR_IDENTITY, "its key is not RSA");
	buf_text(&text, "nonsense");
	check_err("nonsense", sign_read(&p, &text, NULL, &err), &err, ERR_IDENTITY,
		  "neither PEM nor PFX");
	certs_free(&expired);
	certs_free(&elliptic);
}

static void test_uuid(void **state)
{
	auto_buf struct buf one = BUF_INIT(100), two = BUF_INIT(100);

	(void)state;
	sign_uuid(&one);
	sign_uuid(&two);
	assert_int_equal(one.len, 36);
	assert_string_not_equal(one.data, two.data);
	for (int i = 0; i < 36; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		assert_true(dash ? one.data[i] == '-'
				 : strchr("0123456789abcdef", one.data[i]) != NULL);
	}
	assert_int_equal(one.data[14], '4');
	assert_non_null(strchr("89ab", one.data[19]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signature),
		cmocka_unit_test(test_thumbprint),
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_a_chain_without_end),
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_uuid),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
