#include "crypto/pkcs12.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>

#include "base/mem.h"
#include "crypto/effort.h"

/* OpenSSL's own text may quote its input, so only the kind of its complaint is used. */
static const char *pkcs12_complaint(const char *password)
{
	bool unsupported = false, locked = false;
	unsigned long code;

	while ((code = ERR_get_error()) != 0) {
		unsupported |=
			ERR_GET_REASON(code) == ERR_R_UNSUPPORTED ||
			ERR_GET_REASON(code) == PKCS12_R_UNKNOWN_DIGEST_ALGORITHM ||
			(ERR_GET_LIB(code) == ERR_LIB_EVP &&
			 ERR_GET_REASON(code) == EVP_R_UNSUPPORTED_ALGORITHM);
		locked |= ERR_GET_LIB(code) == ERR_LIB_PKCS12 &&
			  ERR_GET_REASON(code) == PKCS12_R_MAC_VERIFY_FAILURE;
	}
	if (unsupported)
		return "its PKCS#12 is encrypted with an algorithm that is out of use, "
		       "such as RC2; make it anew with AES or 3DES";
	if (!locked)
		return "its PKCS#12 is damaged";
	if (password == NULL)
		return "its PKCS#12 has a password; Key Vault's own have none";
	return *password ? "its password does not fit" : "its password is not given";
}

int pkcs12_open(const void *der, size_t len, const char *password, EVP_PKEY **key,
		STACK_OF(X509) * *certificates, struct err *err)
{
	const unsigned char *bytes = der;
	STACK_OF(X509) *others = NULL;
	const char *complaint = NULL;
	X509 *leaf = NULL;
	PKCS12 *pkcs12;

	ERR_clear_error();
	pkcs12 = len <= INT_MAX ? d2i_PKCS12(NULL, &bytes, (long)len) : NULL;
	if (pkcs12 == NULL)
		complaint = "it is not a PKCS#12";
	else if (password == NULL && !effort_is_bearable(pkcs12))
		complaint = "its PKCS#12 asks for too many iterations, or scrypt: "
			    "import it anew with fewer";
	/* Of "" it tries no password and the empty one, which are not the same. */
	else if (PKCS12_parse(pkcs12, password ? password : "", key, &leaf, &others) != 1)
		complaint = pkcs12_complaint(password);
	PKCS12_free(pkcs12);
	ERR_clear_error();
	if (complaint != NULL)
		return err_set(err, ERR_CONFIG, "%s", complaint);
	if (others == NULL)
		others = sk_X509_new_null();
	if (leaf != NULL)
		sk_X509_unshift(others, leaf);
	*certificates = others;
	return 0;
}

/* ---- making one ---- */

#define CIPHER NID_aes_256_cbc
#define TRUSTED_KEY_USAGE "2.16.840.1.113894.746875.1.1"

static PKCS12 *pkcs12_of_key(EVP_PKEY *key, X509 *const certificates[], int count,
			     const char *password, const char *name)
{
	STACK_OF(X509) *others = sk_X509_new_null();
	PKCS12 *made;

	for (int i = 1; i < count; i++)
		sk_X509_push(others, certificates[i]);
	/* -1: the MAC follows. */
	made = PKCS12_create(password, name, key, certificates[0], others, CIPHER, CIPHER,
			     PKCS12_ITERATIONS, -1, 0);
	sk_X509_free(others);
	return made;
}

/* For any use: the value of a trust store that keytool makes. */
static bool pkcs12_trust(STACK_OF(PKCS12_SAFEBAG) * *bags, X509 *certificate,
			 const char *name)
{
	PKCS12_SAFEBAG *bag = PKCS12_add_cert(bags, certificate);
	const void *any = OBJ_nid2obj(NID_anyExtendedKeyUsage);

	return bag != NULL && PKCS12_add_friendlyname_utf8(bag, name, -1) == 1 &&
	       PKCS12_add1_attr_by_txt(bag, TRUSTED_KEY_USAGE, V_ASN1_OBJECT, any, -1) ==
		       1;
}

static PKCS12 *pkcs12_of_trust(X509 *const certificates[], int count,
			       const char *password, const char *name)
{
	STACK_OF(PKCS12_SAFEBAG) *bags = NULL;
	STACK_OF(PKCS7) *safes = NULL;
	PKCS12 *made = NULL;
	bool fine = true;

	for (int i = 0; i < count && fine; i++) {
		auto_free char *next = xasprintf("%s-%d", name, i + 1);

		fine = pkcs12_trust(&bags, certificates[i], i == 0 ? name : next);
	}
	if (fine && PKCS12_add_safe(&safes, bags, CIPHER, PKCS12_ITERATIONS, password))
		made = PKCS12_add_safes(safes, 0);
	sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
	sk_PKCS7_pop_free(safes, PKCS7_free);
	return made;
}

PKCS12 *pkcs12_make(EVP_PKEY *key, X509 *const certificates[], int count,
		    const char *password, const char *name)
{
	PKCS12 *made = key ? pkcs12_of_key(key, certificates, count, password, name)
			   : pkcs12_of_trust(certificates, count, password, name);

	if (made == NULL || PKCS12_set_mac(made, password, -1, NULL, 0, PKCS12_ITERATIONS,
					   EVP_sha256()) == 1)
		return made;
	PKCS12_free(made);
	return NULL;
}
