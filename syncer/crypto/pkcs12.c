#include "crypto/pkcs12.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>

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
