#include "crypto/effort.h"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>
#include <stdint.h>

/* What takes some 50 ms, for nothing else has its turn meanwhile.  Key Vault's have 2,000
 * for each of three parts, those of OpenSSL 2,048 and those of keytool 10,000. */
#define ITERATIONS_MAX 50000
#define DEPTH_MAX 4

static int64_t number(const ASN1_INTEGER *value)
{
	int64_t n;

	if (value == NULL)
		return 1; /* the default */
	return ASN1_INTEGER_get_int64(&n, value) == 1 && n >= 0 && n <= ITERATIONS_MAX
		       ? n
		       : ITERATIONS_MAX + 1;
}

static int64_t of_pbkdf2(const X509_ALGOR *algorithm)
{
	const ASN1_OBJECT *kind;
	const void *value;
	PBKDF2PARAM *param;
	int64_t n;
	int type;

	X509_ALGOR_get0(&kind, &type, &value, algorithm);
	/* Of scrypt neither time nor memory is bounded by one number. */
	if (OBJ_obj2nid(kind) != NID_id_pbkdf2 || type != V_ASN1_SEQUENCE)
		return ITERATIONS_MAX + 1;
	param = ASN1_item_unpack(value, ASN1_ITEM_rptr(PBKDF2PARAM));
	n = param ? number(param->iter) : 0;
	PBKDF2PARAM_free(param);
	return n;
}

/* What cannot be read asks for nothing: it is refused when it is parsed. */
static int64_t of_algorithm(const X509_ALGOR *algorithm)
{
	const ASN1_OBJECT *kind;
	const void *value;
	PBE2PARAM *two = NULL;
	PBEPARAM *one = NULL;
	int64_t n = 0;
	int type;

	X509_ALGOR_get0(&kind, &type, &value, algorithm);
	if (type != V_ASN1_SEQUENCE)
		return 0;
	/* PBMAC1 has the same shape as PBES2. */
	two = ASN1_item_unpack(value, ASN1_ITEM_rptr(PBE2PARAM));
	if (two != NULL)
		n = of_pbkdf2(two->keyfunc);
	else if ((one = ASN1_item_unpack(value, ASN1_ITEM_rptr(PBEPARAM))) != NULL)
		n = number(one->iter);
	PBE2PARAM_free(two);
	PBEPARAM_free(one);
	return n;
}

static int64_t of_bags(const STACK_OF(PKCS12_SAFEBAG) * bags, int depth)
{
	int64_t sum = 0;

	for (int i = 0; i < sk_PKCS12_SAFEBAG_num(bags) && sum <= ITERATIONS_MAX; i++) {
		const PKCS12_SAFEBAG *bag = sk_PKCS12_SAFEBAG_value(bags, i);
		const X509_ALGOR *algorithm;

		switch (PKCS12_SAFEBAG_get_nid(bag)) {
		case NID_pkcs8ShroudedKeyBag:
			X509_SIG_get0(PKCS12_SAFEBAG_get0_pkcs8(bag), &algorithm, NULL);
			sum += of_algorithm(algorithm);
			break;
		case NID_safeContentsBag:
			sum += depth == DEPTH_MAX
				       ? ITERATIONS_MAX + 1
				       : of_bags(PKCS12_SAFEBAG_get0_safes(bag),
						 depth + 1);
			break;
		default:
			break;
		}
	}
	return sum;
}

/* The bags of a part; reading an encrypted one takes what the part itself asks for. */
static STACK_OF(PKCS12_SAFEBAG) * open_part(PKCS7 *part)
{
	STACK_OF(PKCS12_SAFEBAG) * bags;

	if (PKCS7_type_is_data(part))
		return PKCS12_unpack_p7data(part);
	bags = PKCS12_unpack_p7encdata(part, NULL, 0);
	return bags ? bags : PKCS12_unpack_p7encdata(part, "", 0);
}

static int64_t of_part(PKCS7 *part)
{
	STACK_OF(PKCS12_SAFEBAG) * bags;
	int64_t sum = 0;

	if (PKCS7_type_is_encrypted(part) && part->d.encrypted != NULL)
		sum = of_algorithm(part->d.encrypted->enc_data->algorithm);
	else if (!PKCS7_type_is_data(part))
		return 0;
	if (sum > ITERATIONS_MAX)
		return sum;
	bags = open_part(part);
	sum += of_bags(bags, 0);
	sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
	return sum;
}

static int64_t of_mac(const PKCS12 *pkcs12)
{
	const ASN1_INTEGER *iterations = NULL;
	const X509_ALGOR *algorithm = NULL;

	PKCS12_get0_mac(NULL, &algorithm, NULL, &iterations, pkcs12);
	if (algorithm == NULL)
		return 0;
	return number(iterations) + of_algorithm(algorithm);
}

bool effort_is_bearable(const PKCS12 *pkcs12)
{
	int64_t sum = of_mac(pkcs12);
	STACK_OF(PKCS7) *parts =
		sum <= ITERATIONS_MAX ? PKCS12_unpack_authsafes(pkcs12) : NULL;

	for (int i = 0; i < sk_PKCS7_num(parts) && sum <= ITERATIONS_MAX; i++)
		sum += of_part(sk_PKCS7_value(parts, i));
	sk_PKCS7_pop_free(parts, PKCS7_free);
	ERR_clear_error();
	return sum <= ITERATIONS_MAX;
}
