/* Certificates and their key: the order, the bytes that stay, and what is refused. */
#include "certs.h"

#include "crypto/pki.h"

#define MAX (256 * 1024)

static struct certs certs;

static int set_up(void **state)
{
	(void)state;
	certs = certs_of(EVP_EC_gen("P-256"), -2, 5);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	certs_free(&certs);
	return 0;
}

static int read_parts(const char *parts, const char *password, struct pki **out,
		      struct err *err)
{
	auto_buf struct buf text = BUF_INIT(MAX);

	certs_write(&certs, parts, &text);
	return pki_from_pem(buf_str(&text), text.len, password, out, err);
}

static void test_order(void **state)
{
	static const struct {
		const char *parts;
		const char *bundle, *chain, *root; /* what is written, in parts */
		int length;                        /* of the chain */
		bool in_order;
	} rows[] = {
		{ "klbr", "klbr", "lb", "r", 3, true },
		{ "lbrk", "klbr", "lb", "r", 3, true },
		{ "lkbr", "klbr", "lb", "r", 3, true },
		{ "krbl", "klbr", "lb", "r", 3, false },
		{ "kblr", "klbr", "lb", "r", 3, false },
		{ "klb", "klb", "lb", "b", 2, true },
		{ "kbl", "klb", "lb", "b", 2, false },
		{ "klr", "klr", "l", "r", 1, true }, /* the intermediate is missing */
		{ "krl", "klr", "l", "r", 1, false },
		{ "kl", "kl", "l", "l", 1, true },
		{ "klbrr", "klbr", "lb", "r", 3, false },
		{ "kllbr", "klbr", "lb", "r", 3, false },
		{ "ksrbl", "klbrs", "lbs", "r", 3, false },
		{ "klbrs", "klbrs", "lbs", "r", 3, true },
		{ "lbr", "lbr", "lb", "r", 3, true }, /* no key */
		{ "rbl", "lbr", "lb", "r", 3, false },
		{ "tlbr", "tlbr", "lb", "r", 3, true }, /* SEC 1 stays SEC 1 */
		{ "rblt", "tlbr", "lb", "r", 3, false },
		{ "klbrcs", "klbrcs", "lbcs", "r", 3, true }, /* the nearest root */
		{ "klbcsr", "klbrcs", "lbcs", "r", 3, false },
		{ "klbir", "klbri", "lbi", "r", 3, false }, /* a name is not enough */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *row = rows[i].parts;
		auto_buf struct buf bundle = BUF_INIT(MAX), chain = BUF_INIT(MAX);
		auto_buf struct buf root = BUF_INIT(MAX), want = BUF_INIT(MAX);
		auto_pki struct pki *p = NULL;
		struct err err;
		int length = 0;

		check_ok(row, read_parts(row, NULL, &p, &err), &err);
		check(row, pki_is_in_order(p) == rows[i].in_order);
		while (pki_chain(p, length) != NULL)
			length++;
		check_int(row, length, rows[i].length);
		check_ok(row, pki_write_bundle(p, &bundle, &err), &err);
		check_ok(row, pki_write_chain(p, &chain, &err), &err);
		check_ok(row, pki_write_root(p, &root, &err), &err);
		certs_write(&certs, rows[i].bundle, &want);
		check_text(row, buf_str(&bundle), buf_str(&want));
		buf_done(&want);
		certs_write(&certs, rows[i].chain, &want);
		check_text(row, buf_str(&chain), buf_str(&want));
		buf_done(&want);
		certs_write(&certs, rows[i].root, &want);
		check_text(row, buf_str(&root), buf_str(&want));
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *parts, *password, *says;
	} rows[] = {
		{ "kxlbr", NULL, "it holds more than one private key" },
		{ "xlb", NULL, "private key fits none of its certificates" },
		{ "k", NULL, "it holds no certificate of its private key" },
		{ "", NULL, "it is not PEM" },
		{ "elbr", NULL, "its private key has a password" },
		{ "hlbr", NULL, "its private key has a password" },
		{ "elbr", "", "is encrypted and the password is not given" },
		{ "elbr", "y", "is encrypted and the password does not fit" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct pki *p = NULL;
		struct err err;

		check_err(rows[i].says,
			  read_parts(rows[i].parts, rows[i].password, &p, &err), &err,
			  ERR_CONFIG, rows[i].says);
		assert_null(p);
	}
}

static void test_locked_key(void **state)
{
	auto_buf struct buf key = BUF_INIT(MAX);
	auto_pki struct pki *p = NULL;
	struct err err;

	(void)state;
	check_ok("locked", read_parts("rble", "x", &p, &err), &err);
	assert_true(EVP_PKEY_eq(pki_key(p), certs.keys[LEAF]) == 1);
}

/* What a text may lose on its way, in a chain of valid blocks. */
static void test_spoilt_text(void **state)
{
	static const struct {
		const char *from, *to, *says;
	} rows[] = {
		{ "\n", " ", "has lost its line ends" },
		{ "\n", "", "has lost its line ends" },
		{ "\n", "\r", "has lost its line ends" },
		{ "\n", "\\n", "the two characters \\n in place of each line end" },
		{ "\n", "\\r\\n", "the two characters \\n in place of each line end" },
		{ "-----BEGIN", " -----BEGIN", "something in front of -----BEGIN" },
		{ "-----BEGIN", "\"-----BEGIN", "something in front of -----BEGIN" },
		{ "-----END", "-----FIN", "its PEM is damaged" },
		{ "-----BEGIN", "-----Begin", "it is not PEM" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf struct buf text = BUF_INIT(MAX), spoilt = BUF_INIT(MAX);
		struct pki *p = NULL;
		struct err err;

		certs_write(&certs, "klbr", &text);
		for (const char *s = text.data, *next; *s; s = next) {
			next = strstr(s, rows[i].from);
			buf_printf(&spoilt, "%.*s",
				   next ? (int)(next - s) : (int)strlen(s), s);
			if (next == NULL)
				break;
			buf_text(&spoilt, rows[i].to);
			next += strlen(rows[i].from);
		}
		check_err(rows[i].to,
			  pki_from_pem(spoilt.data, spoilt.len, NULL, &p, &err), &err,
			  ERR_CONFIG, rows[i].says);
	}
}

/* One block whose first line is spoilt would be passed over like text. */
static void test_one_spoilt_block(void **state)
{
	auto_buf struct buf text = BUF_INIT(MAX);
	struct pki *p = NULL;
	struct err err;

	(void)state;
	buf_text(&text, "key: ");
	certs_write(&certs, "klbr", &text);
	check_err("key", pki_from_pem(text.data, text.len, NULL, &p, &err), &err,
		  ERR_CONFIG, "something in front of -----BEGIN");
}

static void test_pkcs12(void **state)
{
	auto_buf struct buf der = BUF_INIT(MAX), again = BUF_INIT(MAX),
			    want = BUF_INIT(MAX);
	auto_pki struct pki *p = NULL, *opened = NULL;
	static const struct {
		const char *password, *says;
	} rows[] = {
		{ NULL, "its PKCS#12 has a password; Key Vault's own have none" },
		{ "", "its password is not given" },
		{ "y", "its password does not fit" },
	};
	struct pki *refused = NULL;
	struct err err;

	(void)state;
	check_ok("read", read_parts("rblt", NULL, &p, &err), &err);
	check_ok("write", pki_write_pkcs12(p, "x", "web", &der, &err), &err);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_err(rows[i].says,
			  pki_from_pkcs12(der.data, der.len, rows[i].password, &refused,
					  &err),
			  &err, ERR_CONFIG, rows[i].says);
	check_ok("open", pki_from_pkcs12(der.data, der.len, "x", &opened, &err), &err);
	assert_false(pki_is_in_order(opened));
	check_ok("bundle", pki_write_bundle(opened, &again, &err), &err);
	certs_write(&certs, "klbr", &want);
	assert_string_equal(buf_str(&again), buf_str(&want));
	check_err("cut", pki_from_pkcs12(der.data, der.len / 2, "x", &refused, &err),
		  &err, ERR_CONFIG, "it is not a PKCS#12");
}

/* One entry that Java trusts for each certificate, and no key. */
static void test_truststore(void **state)
{
	auto_buf struct buf der = BUF_INIT(MAX), again = BUF_INIT(MAX),
			    want = BUF_INIT(MAX);
	auto_pki struct pki *p = NULL, *opened = NULL;
	struct err err;

	(void)state;
	check_ok("read", read_parts("klbr", NULL, &p, &err), &err);
	check_ok("write", pki_write_truststore(p, "x", "web", &der, &err), &err);
	check_ok("open", pki_from_pkcs12(der.data, der.len, "x", &opened, &err), &err);
	assert_null(pki_key(opened));
	check_ok("all", pki_write_all(opened, &again, &err), &err);
	certs_write(&certs, "lbr", &want);
	assert_string_equal(buf_str(&again), buf_str(&want));
}

static void test_validity(void **state)
{
	auto_buf struct buf pem = BUF_INIT(MAX), want = BUF_INIT(MAX);
	int64_t day = 86400, now = (int64_t)time(NULL);
	auto_pki struct pki *p = NULL, *leaf = NULL;
	struct pki *none = NULL;
	struct pki_validity validity;
	unsigned char *der = NULL;
	struct err err;
	int len;

	(void)state;
	check_ok("read", read_parts("krbl", NULL, &p, &err), &err);
	validity = pki_leaf_validity(p);
	assert_in_range(validity.not_before, now - 2 * day - 60, now - 2 * day + 60);
	assert_in_range(validity.not_after, now + 5 * day - 60, now + 5 * day + 60);
	len = i2d_X509(certs.all[LEAF], &der);
	check_ok("DER", pki_from_certificate(der, (size_t)len, &leaf, &err), &err);
	check_ok("PEM", pki_write_all(leaf, &pem, &err), &err);
	validity = pki_leaf_validity(leaf);
	certs_write(&certs, "l", &want);
	assert_string_equal(buf_str(&pem), buf_str(&want));
	assert_null(pki_key(leaf));
	assert_in_range(validity.not_after, now + 5 * day - 60, now + 5 * day + 60);
	check_err("cut", pki_from_certificate(der, 20, &none, &err), &err, ERR_CONFIG,
		  "it is not a certificate");
	OPENSSL_free(der);
}

static void test_too_many(void **state)
{
	auto_buf struct buf text = BUF_INIT(MAX);
	struct pki *p = NULL;
	struct err err;

	(void)state;
	for (int i = 0; i < 33; i++) {
		X509 *one = certs_make("one", certs.keys[ROOT], NULL, NULL, -1, 1);

		certs_add(one, &text);
		X509_free(one);
	}
	check_err("33", pki_from_pem(text.data, text.len, NULL, &p, &err), &err,
		  ERR_CONFIG, "more than 32 certificates");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_locked_key),
		cmocka_unit_test(test_spoilt_text),
		cmocka_unit_test(test_one_spoilt_block),
		cmocka_unit_test(test_pkcs12),
		cmocka_unit_test(test_truststore),
		cmocka_unit_test(test_validity),
		cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
