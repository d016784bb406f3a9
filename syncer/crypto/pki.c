#include "crypto/pki.h"

#include <limits.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "crypto/effort.h"

/* Key Vault takes a few; each pair may cost a signature check. */
#define CERTIFICATES_MAX 32

struct pki {
	EVP_PKEY *key; /* NULL: none */
	X509 *certificates[CERTIFICATES_MAX];
	int count, chain_length; /* the chain stands first */
	bool in_order;
};

void pki_free(struct pki *p)
{
	if (p == NULL)
		return;
	EVP_PKEY_free(p->key);
	for (int i = 0; i < p->count; i++)
		X509_free(p->certificates[i]);
	free(p);
}

bool pki_has_key(const struct pki *p)
{
	return p->key != NULL;
}

bool pki_is_in_order(const struct pki *p)
{
	return p->in_order;
}

/* OpenSSL's own text may quote its input, so only the kind of its complaint is used. */
static int pki_fail(struct err *err, const char *what)
{
	ERR_clear_error();
	return err_set(err, ERR_CONFIG, "%s", what);
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
	if (p->count == CERTIFICATES_MAX) {
		X509_free(certificate);
		return pki_fail(err, "it holds more than 32 certificates");
	}
	p->certificates[p->count++] = certificate;
	return 0;
}

/* ---- order ---- */

static bool is_issued_by(X509 *certificate, X509 *issuer)
{
	EVP_PKEY *key = X509_get0_pubkey(issuer);
	bool is_it = key != NULL &&
		     X509_NAME_cmp(X509_get_issuer_name(certificate),
				   X509_get_subject_name(issuer)) == 0 &&
		     X509_verify(certificate, key) == 1;

	ERR_clear_error();
	return is_it;
}

struct graph {
	bool issued[CERTIFICATES_MAX][CERTIFICATES_MAX]; /* [child][issuer] */
	int count;
};

static void find_issuers(const struct pki *p, struct graph *g)
{
	g->count = p->count;
	for (int child = 0; child < p->count; child++)
		for (int issuer = 0; issuer < p->count; issuer++)
			g->issued[child][issuer] = is_issued_by(p->certificates[child],
								p->certificates[issuer]);
}

static bool is_issuer(const struct graph *g, int i)
{
	for (int child = 0; child < g->count; child++)
		if (child != i && g->issued[child][i])
			return true;
	return false;
}

/* The certificate of the key; without a key, the first that issued no other. */
static int pki_find_leaf(const struct pki *p, const struct graph *g)
{
	for (int i = 0; i < p->count; i++)
		if (p->key != NULL
			    ? X509_check_private_key(p->certificates[i], p->key) == 1
			    : !is_issuer(g, i))
			return i;
	return p->key != NULL ? -1 : 0;
}

/* The way from the leaf to the nearest self-signed certificate, or as far up as it goes:
 * breadth first, so cross-signed certificates cannot lead astray.  Of ways that are
 * equally long the first counts, so what was put in order stays in it.  Returns its
 * length. */
static int find_chain(const struct graph *g, int leaf, int chain[CERTIFICATES_MAX])
{
	int from[CERTIFICATES_MAX], queue[CERTIFICATES_MAX], depth[CERTIFICATES_MAX];
	int head = 0, tail = 0, top = leaf, length = 0;

	for (int i = 0; i < g->count; i++)
		from[i] = -1;
	from[leaf] = leaf;
	depth[leaf] = 0;
	queue[tail++] = leaf;
	while (head < tail) {
		int child = queue[head++];
		bool is_root = g->issued[child][child];

		if (is_root || depth[child] > depth[top])
			top = child;
		if (is_root)
			break;
		for (int issuer = 0; issuer < g->count; issuer++) {
			if (!g->issued[child][issuer] || from[issuer] >= 0)
				continue;
			from[issuer] = child;
			depth[issuer] = depth[child] + 1;
			queue[tail++] = issuer;
		}
	}
	for (int i = top;; i = from[i]) {
		length++;
		if (i == leaf)
			break;
	}
	for (int i = top, at = length - 1; at >= 0; i = from[i])
		chain[at--] = i;
	return length;
}

static int put_in_order(struct pki *p, struct err *err)
{
	X509 *ordered[CERTIFICATES_MAX];
	bool used[CERTIFICATES_MAX] = { false };
	int chain[CERTIFICATES_MAX], leaf, length;
	struct graph g;

	if (p->count == 0)
		return pki_fail(err, "it holds no certificate");
	find_issuers(p, &g);
	leaf = pki_find_leaf(p, &g);
	ERR_clear_error();
	if (leaf < 0)
		return pki_fail(err, "its private key fits none of its certificates");
	p->chain_length = length = find_chain(&g, leaf, chain);
	for (int i = 0; i < length; i++) {
		ordered[i] = p->certificates[chain[i]];
		used[chain[i]] = true;
	}
	for (int i = 0; i < p->count; i++)
		if (!used[i])
			ordered[length++] = p->certificates[i];
	for (int i = 0; i < length; i++) {
		p->in_order &= ordered[i] == p->certificates[i];
		p->certificates[i] = ordered[i];
	}
	return 0;
}

static int pki_finish(struct pki *p, struct pki **out, struct err *err)
{
	if (put_in_order(p, err) < 0) {
		pki_free(p);
		return -1;
	}
	*out = p;
	return 0;
}

/* ---- reading ---- */

static int explain_pkcs12(struct err *err)
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
		return pki_fail(err,
				"its PKCS#12 is encrypted with an algorithm that is out "
				"of use, such as RC2; import it anew with AES or 3DES");
	if (locked)
		return pki_fail(err,
				"its PKCS#12 has a password; Key Vault's own have none");
	return pki_fail(err, "its PKCS#12 is damaged");
}

static int take_pkcs12(struct pki *p, PKCS12 *pkcs12, struct err *err)
{
	STACK_OF(X509) *others = NULL;
	X509 *leaf = NULL, *other;
	int result = 0;

	/* Tries no password and the empty one, which are not the same. */
	if (PKCS12_parse(pkcs12, "", &p->key, &leaf, &others) != 1)
		return explain_pkcs12(err);
	if (leaf != NULL)
		result = pki_add(p, leaf, err);
	while (result == 0 && (other = sk_X509_shift(others)) != NULL)
		result = pki_add(p, other, err);
	sk_X509_pop_free(others, X509_free);
	return result;
}

int pki_from_pkcs12(const void *der, size_t len, struct pki **out, struct err *err)
{
	const unsigned char *bytes = der;
	struct pki *p = NULL;
	PKCS12 *pkcs12;
	int result;

	ERR_clear_error();
	pkcs12 = len <= INT_MAX ? d2i_PKCS12(NULL, &bytes, (long)len) : NULL;
	if (pkcs12 == NULL)
		return pki_fail(err, "it is not a PKCS#12");
	p = xcalloc(1, sizeof(*p));
	result = effort_is_bearable(pkcs12) ? take_pkcs12(p, pkcs12, err)
					    : pki_fail(err, "its PKCS#12 asks for too "
							    "many iterations, or scrypt: "
							    "import it anew with fewer");
	PKCS12_free(pkcs12);
	if (result < 0) {
		pki_free(p);
		return -1;
	}
	return pki_finish(p, out, err);
}

static int take_key(struct pki *p, const char *name, const char *header,
		    const unsigned char *der, long len, struct err *err)
{
	if (strcmp(name, "ENCRYPTED PRIVATE KEY") == 0 || strstr(header, "ENCRYPTED"))
		return pki_fail(err, "its private key has a password");
	if (p->key != NULL)
		return pki_fail(err, "it holds more than one private key");
	if (strcmp(name, "PRIVATE KEY") != 0 || p->count > 0)
		p->in_order = false;
	p->key = d2i_AutoPrivateKey(NULL, &der, len);
	return p->key ? 0
		      : pki_fail(err,
				 "its private key is damaged, or of an unknown kind");
}

static int take_block(struct pki *p, const char *name, const char *header,
		      const unsigned char *der, long len, struct err *err)
{
	X509 *certificate;

	if (text_ends_same(name, "PRIVATE KEY"))
		return take_key(p, name, header, der, len, err);
	if (strcmp(name, PEM_STRING_X509) != 0 &&
	    strcmp(name, PEM_STRING_X509_OLD) != 0) {
		p->in_order = false; /* such as EC PARAMETERS: of no use */
		return 0;
	}
	certificate = d2i_X509(NULL, &der, len);
	if (certificate == NULL)
		return pki_fail(err, "one of its certificates is damaged");
	return pki_add(p, certificate, err);
}

static int take_pem(struct pki *p, BIO *bio, struct err *err)
{
	for (;;) {
		char *name = NULL, *header = NULL;
		unsigned char *der = NULL;
		long len = 0;
		int result;

		if (PEM_read_bio(bio, &name, &header, &der, &len) != 1)
			break;
		result = take_block(p, name, header, der, len, err);
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_clear_free(der, (size_t)len);
		if (result < 0)
			return -1;
	}
	if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		return pki_fail(err, "its PEM is damaged");
	ERR_clear_error();
	return 0;
}

int pki_from_pem(const char *pem, size_t len, struct pki **out, struct err *err)
{
	struct pki *p;
	int result;
	BIO *bio;

	if (len > INT_MAX)
		return pki_fail(err, "its PEM is too large");
	ERR_clear_error();
	p = xcalloc(1, sizeof(*p));
	p->in_order = true;
	bio = BIO_new_mem_buf(pem, (int)len);
	result = take_pem(p, bio, err);
	BIO_free(bio);
	if (result < 0) {
		pki_free(p);
		return -1;
	}
	return pki_finish(p, out, err);
}

/* ---- writing ---- */

/* Moves what was written into the buffer; written is what the writing returned. */
static int take_bio(BIO *bio, int written, struct buf *out, struct err *err)
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

int pki_write_key(const struct pki *p, struct buf *out, struct err *err)
{
	BIO *bio;

	if (p->key == NULL)
		return pki_fail(err,
				"it has no private key: is it not exportable (key_props."
				"exportable of the certificate's policy)?");
	bio = BIO_new(BIO_s_mem());
	return take_bio(
		bio,
		PEM_write_bio_PKCS8PrivateKey(bio, p->key, NULL, NULL, 0, NULL, NULL),
		out, err);
}

static int write_certificate(X509 *certificate, struct buf *out, struct err *err)
{
	BIO *bio = BIO_new(BIO_s_mem());

	return take_bio(bio, PEM_write_bio_X509(bio, certificate), out, err);
}

static bool is_self_signed(const struct pki *p, int i)
{
	return is_issued_by(p->certificates[i], p->certificates[i]);
}

/* The index of the root: the chain's end, or the last beyond a chain that has a gap; -1:
 * none is self-signed. */
static int find_root(const struct pki *p)
{
	int top = p->chain_length - 1, i = p->count - 1;

	if (is_self_signed(p, top))
		return top;
	while (i > top && !is_self_signed(p, i))
		i--;
	return i > top ? i : -1;
}

static int write_all_but(const struct pki *p, int left_out, struct buf *out,
			 struct err *err)
{
	for (int i = 0; i < p->count; i++)
		if (i != left_out && write_certificate(p->certificates[i], out, err) < 0)
			return -1;
	return 0;
}

int pki_write_all(const struct pki *p, struct buf *out, struct err *err)
{
	return write_all_but(p, -1, out, err);
}

int pki_write_chain(const struct pki *p, struct buf *out, struct err *err)
{
	int root = find_root(p);

	return write_all_but(p, root > 0 ? root : -1, out, err);
}

int pki_write_root(const struct pki *p, struct buf *out, struct err *err)
{
	int root = find_root(p);

	return write_certificate(p->certificates[root < 0 ? p->count - 1 : root], out,
				 err);
}

int pki_write_pkcs12(const struct pki *p, const char *password, struct buf *out,
		     struct err *err)
{
	STACK_OF(X509) *others = sk_X509_new_null();
	PKCS12 *pkcs12;
	int written;
	BIO *bio;

	for (int i = 1; i < p->count; i++)
		sk_X509_push(others, p->certificates[i]);
	/* Zeroes: OpenSSL's present defaults. */
	pkcs12 = PKCS12_create(password, NULL, p->key, p->certificates[0], others, 0, 0,
			       0, 0, 0);
	sk_X509_free(others);
	if (pkcs12 == NULL)
		return pki_fail(err, "it cannot be made a PKCS#12");
	bio = BIO_new(BIO_s_mem());
	written = i2d_PKCS12_bio(bio, pkcs12);
	PKCS12_free(pkcs12);
	return take_bio(bio, written, out, err);
}

int pki_certificate_pem(const void *der, size_t len, struct buf *out, struct err *err)
{
	const unsigned char *bytes = der;
	X509 *certificate = len <= INT_MAX ? d2i_X509(NULL, &bytes, (long)len) : NULL;
	int result;

	if (certificate == NULL)
		return pki_fail(err, "it is not a certificate");
	result = write_certificate(certificate, out, err);
	X509_free(certificate);
	return result;
}
