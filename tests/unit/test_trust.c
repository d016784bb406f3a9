/* What a connection is given to judge its peer by, and how it treats memory. */
#include "unit.h"

#include <openssl/ssl.h>

#include "net/trust.h"

static const char pem[] =
	"-----BEGIN CERTIFICATE-----\n"
	"MIIBfDCCASGgAwIBAgIUPsCnnS8HUCrElsTqHuHNQCCl1uQwCgYIKoZIzj0EAwIw\n"
	"EjEQMA4GA1UEAwwHdHJ1c3RlZDAgFw0yNjExMjgxNzIxMDlaGA8yMTI2MTEwNDE3\n"
	"MjEwOVowEjEQMA4GA1UEAwwHdHJ1c3RlZDBZMBMGByqGSM49AgEGCCqGSM49AwEH\n"
	"A0IABJRYznbcoaMli8aCOwE7aw3JnYJNZ1ZjxJXFCY23r7ONxr1ZUAYwZuZPXANG\n"
	"CYrDF7VNGIwrdLZyvrnEEaLhIFajUzBRMB0GA1UdDgQWBBQqU1Vr7yXCEo0V5Fcq\n"
	"p+xXRRKw8TAfBgNVHSMEGDAWgBQqU1Vr7yXCEo0V5Fcqp+xXRRKw8TAPBgNVHRMB\n"
	"Af8EBTADAQH/MAoGCCqGSM49BAMCA0kAMEYCIQDp+jB8pCAfzYAG+brnYs6xu7i3\n"
	"BDDsxpgxaCNFmTZ85AIhANVv/uItl74jHZjGj39eEYVNT5DVwpgOB/wvRYseGz0y\n"
	"-----END CERTIFICATE-----\n";

static char path[] = "/tmp/akvsync-test-XXXXXX";

static int set_up(void **state)
{
	int fd = mkstemp(path);
	FILE *file = fdopen(fd, "w");

	(void)state;
	fputs(pem, file);
	return fclose(file);
}

static int tear_down(void **state)
{
	(void)state;
	return remove(path);
}

static void check_context(const char *row, struct trust *trust)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	X509_STORE *store;

	trust_apply(trust, ctx);
	trust_free(trust); /* the context keeps what it needs */
	store = SSL_CTX_get_cert_store(ctx);
	check_int(row, sk_X509_OBJECT_num(X509_STORE_get0_objects(store)), 1);
	check(row, X509_VERIFY_PARAM_get_flags(X509_STORE_get0_param(store)) &
			   X509_V_FLAG_PARTIAL_CHAIN);
	check(row, SSL_CTX_get_options(ctx) & SSL_OP_CLEANSE_PLAINTEXT);
	SSL_CTX_free(ctx);
}

static void test_load(void **state)
{
	struct trust *trust;
	struct err err;

	(void)state;
	check_ok("as the bundle", trust_load(&trust, path, NULL, &err), &err);
	check_context("as the bundle", trust);
	check_ok("twice", trust_load(&trust, path, path, &err), &err);
	check_context("twice", trust);
	check_err("none", trust_load(&trust, "/dev/null", NULL, &err), &err, ERR_CONFIG,
		  "'/dev/null'; SSL_CERT_FILE names it");
	check_err("no extra ones", trust_load(&trust, path, "/nowhere", &err), &err,
		  ERR_CONFIG, "'/nowhere'; AKVSYNC_EXTRA_CA_FILE names it");
}

static void test_parse(void **state)
{
	auto_buf struct buf text = BUF_INIT(4096);
	struct trust *trust;
	struct err err;

	(void)state;
	check_err("nothing", trust_parse(&trust, &text, &err), &err, ERR_IDENTITY,
		  "no trusted certificate");
	buf_text(&text, pem);
	check_ok("one", trust_parse(&trust, &text, &err), &err);
	check_context("one", trust);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_load),
		cmocka_unit_test(test_parse),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
