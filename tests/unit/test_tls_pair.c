/* The two halves of a TLS Secret, from PEM in any order and from a PKCS#12. */
#include "certs.h"

#include "base/text.h"
#include "crypto/pki.h"
#include "crypto/tls_pair.h"

static struct certs certs;

static int setup(void **state)
{
	(void)state;
	certs = certs_of(EVP_EC_gen("P-256"), -1, 9);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	certs_free(&certs);
	return 0;
}

static void test_pem(void **state)
{
	static const struct {
		const char *file, *certificates, *key; /* NULL: it has none */
	} rows[] = {
		{ "klbr", "lbr", "t" }, { "lbrk", "lbr", "t" }, { "lkb", "lb", "t" },
		{ "tl", "l", "t" },     { "rbl", "rbl", NULL }, { "k", NULL, "t" },
		{ "kxl", "l", "t" },    { "el", "l", NULL },    { "hl", "l", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf struct buf file = BUF_INIT(100000), wanted = BUF_INIT(100000);
		auto_buf struct buf got = BUF_INIT(100000);
		struct err err;

		certs_write(&certs, rows[i].file, &file);
		if (rows[i].certificates != NULL) {
			check_ok(rows[i].file,
				 tls_pair_certificates(buf_str(&file), file.len, &got,
						       &err),
				 &err);
			certs_write(&certs, rows[i].certificates, &wanted);
			check_text(rows[i].file, buf_str(&got), buf_str(&wanted));
		} else {
			check_err(rows[i].file,
				  tls_pair_certificates(buf_str(&file), file.len, &got,
							&err),
				  &err, ERR_CONFIG, "holds no certificate");
		}
		buf_truncate(&got, 0);
		buf_truncate(&wanted, 0);
		if (rows[i].key != NULL) {
			check_ok(rows[i].file,
				 tls_pair_key(buf_str(&file), file.len, &got, &err),
				 &err);
			certs_write(&certs, rows[i].key, &wanted);
			check_text(rows[i].file, buf_str(&got), buf_str(&wanted));
		} else {
			check_int(rows[i].file,
				  tls_pair_key(buf_str(&file), file.len, &got, &err), -1);
			check_int(rows[i].file, err.kind, ERR_CONFIG);
			check_int(rows[i].file, got.len, 0);
		}
	}
}

/* Each key in the form that the CSI driver writes, and Ed25519 as it is. */
static void test_kinds_of_keys(void **state)
{
	static const struct {
		const char *name, *begins;
	} rows[] = {
		{ "RSA", "-----BEGIN RSA PRIVATE KEY-----\n" },
		{ "P-521", "-----BEGIN EC PRIVATE KEY-----\n" },
		{ "ED25519", "-----BEGIN PRIVATE KEY-----\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		EVP_PKEY *key = strcmp(rows[i].name, "RSA") == 0 ? EVP_RSA_gen(2048)
				: strcmp(rows[i].name, "ED25519") == 0
					? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
					: EVP_EC_gen(rows[i].name);
		auto_buf struct buf file = BUF_INIT(10000), got = BUF_INIT(10000);
		struct err err;

		certs_add_key(key, false, NULL, &file);
		check_ok(rows[i].name, tls_pair_key(buf_str(&file), file.len, &got, &err),
			 &err);
		check(rows[i].name, text_starts(buf_str(&got), rows[i].begins));
		EVP_PKEY_free(key);
	}
}

static void test_pkcs12(void **state)
{
	auto_buf struct buf pem = BUF_INIT(100000), der = BUF_INIT(100000);
	auto_buf struct buf text = BUF_INIT(100000), got = BUF_INIT(100000);
	auto_buf struct buf wanted = BUF_INIT(100000);
	auto_pki struct pki *p = NULL;
	struct err err;

	(void)state;
	certs_write(&certs, "klb", &pem);
	check_ok("pem", pki_from_pem(buf_str(&pem), pem.len, NULL, &p, &err), &err);
	check_ok("pkcs12", pki_write_pkcs12(p, "", NULL, &der, &err), &err);
	text_to_base64(buf_str(&der), der.len, &text);
	for (int i = 0; i < 2; i++) {
		const struct buf *file = i ? &text : &der;

		buf_truncate(&got, 0);
		check_ok("certificates",
			 tls_pair_certificates(buf_str(file), file->len, &got, &err),
			 &err);
		check_ok("key", tls_pair_key(buf_str(file), file->len, &got, &err), &err);
		buf_truncate(&wanted, 0);
		certs_write(&certs, "lbt", &wanted);
		check_text("both", buf_str(&got), buf_str(&wanted));
	}
}

static void test_nonsense(void **state)
{
	static const char *const rows[] = {
		"",
		"planted",
		"cGxhbnRlZA==",
		"\x30\x80planted",
		"-----BEGIN CERTIFICATE-----\nplanted",
		"-----BEGIN PRIVATE KEY-----\ncGxhbnRlZA==\n-----END PRIVATE KEY-----\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf struct buf out = BUF_INIT(1000);
		struct err err;

		check_int(rows[i],
			  tls_pair_certificates(rows[i], strlen(rows[i]), &out, &err),
			  -1);
		check_int(rows[i], err.kind, ERR_CONFIG);
		check(rows[i], strstr(err.msg, "planted") == NULL);
		check_int(rows[i], tls_pair_key(rows[i], strlen(rows[i]), &out, &err),
			  -1);
		check_int(rows[i], err.kind, ERR_CONFIG);
		check(rows[i], strstr(err.msg, "planted") == NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pem),
		cmocka_unit_test(test_kinds_of_keys),
		cmocka_unit_test(test_pkcs12),
		cmocka_unit_test(test_nonsense),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
