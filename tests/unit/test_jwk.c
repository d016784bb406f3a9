/* Public keys as Key Vault gives them: which become PEM, and which are refused and how.
 */
#include "unit.h"

#include "crypto/jwk.h"

/* RFC 7517, appendix A.1. */
#define X "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4"
#define Y "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"
#define N "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86z"

static void test_pem(void **state)
{
	static const struct jwk rows[] = {
		{ .kty = "EC", .crv = "P-256", .x = X, .y = Y },
		{ .kty = "EC-HSM", .crv = "P-256", .x = X, .y = Y },
		/* A leading zero more, as the service sometimes sends. */
		{ .kty = "EC",
		  .crv = "P-256",
		  .x = "ADCgQkzSHClEg4otdckrN-duog2fAIk6O07uijwKr-w-",
		  .y = Y },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf struct buf out = BUF_INIT(10000);
		struct err err = { 0 };

		check_ok(rows[i].x, jwk_to_pem(&rows[i], &out, &err), &err);
		assert_string_equal(buf_str(&out), "-----BEGIN PUBLIC KEY-----\n"
						   "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEM"
						   "KBCTNIcKUSDii11ySs3526iDZ8A\n"
						   "iTo7Tu6KPAqv7D7gS2XpJFbZiItSs3m9+"
						   "9Ue6GnvHw/GW2ZZaVtszggXIw==\n"
						   "-----END PUBLIC KEY-----\n");
	}
}

/* 379 times the base point of P-256: its x begins with a zero, which some leave out. */
static void test_leading_zero_of_a_coordinate(void **state)
{
	static const char y[] = "u0yFo9jqKe-q-iRAaRLdhNWxTcMr9lbvbGvVil2UP5I";
	auto_buf struct buf full = BUF_INIT(10000), cut = BUF_INIT(10000);
	struct jwk key = { .kty = "EC", .crv = "P-256", .y = y };
	struct err err = { 0 };

	(void)state;
	key.x = "AFVDiUrz0A7X10Cr29dclrBod7eH219w7qeLkKjXwAo";
	check_ok("full", jwk_to_pem(&key, &full, &err), &err);
	key.x = "VUOJSvPQDtfXQKvb11yWsGh3t4fbX3Dup4uQqNfACg";
	check_ok("cut", jwk_to_pem(&key, &cut, &err), &err);
	assert_string_equal(buf_str(&full), buf_str(&cut));
}

/* "AAEAAQ" is 65537 with a zero in front: the same key. */
static void test_leading_zero_of_an_exponent(void **state)
{
	auto_buf struct buf plain = BUF_INIT(10000), zero = BUF_INIT(10000);
	struct err err = { 0 };

	(void)state;
	check_ok("AQAB",
		 jwk_to_pem(&(struct jwk){ .kty = "RSA", .n = N, .e = "AQAB" }, &plain,
			    &err),
		 &err);
	check_ok("AAEAAQ",
		 jwk_to_pem(&(struct jwk){ .kty = "RSA-HSM", .n = N, .e = "AAEAAQ" },
			    &zero, &err),
		 &err);
	assert_string_equal(buf_str(&plain), buf_str(&zero));
}

static void test_refused(void **state)
{
	static const struct {
		struct jwk key;
		enum err_kind kind;
		const char *cause;
	} rows[] = {
		{ { .kty = "oct" }, ERR_CONFIG, "symmetric key (oct)" },
		{ { .kty = "oct-HSM" }, ERR_CONFIG, "symmetric key (oct-HSM)" },
		{ { .kty = "AKP" }, ERR_CONFIG, "not one of RSA" },
		{ { .kty = NULL }, ERR_CONFIG, "not one of RSA" },
		{ { .kty = "EC", .crv = "P-192", .x = X, .y = Y },
		  ERR_CONFIG,
		  "its curve" },
		{ { .kty = "EC", .x = X, .y = Y }, ERR_CONFIG, "its curve" },
		{ { .kty = "EC", .crv = "P-256", .x = X },
		  ERR_GARBLED,
		  "'y' is no number" },
		{ { .kty = "EC", .crv = "P-256", .x = X, .y = "" }, ERR_GARBLED, "'y'" },
		{ { .kty = "EC", .crv = "P-256", .x = X, .y = "a+b/" },
		  ERR_GARBLED,
		  "'y'" },
		{ { .kty = "EC", .crv = "P-256", .x = X, .y = X },
		  ERR_GARBLED,
		  "make no key" },
		{ { .kty = "EC", .crv = "P-256K", .x = X, .y = Y },
		  ERR_GARBLED,
		  "make no key" },
		{ { .kty = "EC", .crv = "P-256", .x = X X, .y = Y },
		  ERR_GARBLED,
		  "too large" },
		{ { .kty = "RSA", .n = N }, ERR_GARBLED, "'e' is no number" },
		{ { .kty = "RSA", .e = "AQAB" }, ERR_GARBLED, "'n' is no number" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf struct buf out = BUF_INIT(10000);
		struct err err = { 0 };

		check_err(rows[i].cause, jwk_to_pem(&rows[i].key, &out, &err), &err,
			  rows[i].kind, rows[i].cause);
		assert_int_equal(out.len, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pem),
		cmocka_unit_test(test_leading_zero_of_a_coordinate),
		cmocka_unit_test(test_leading_zero_of_an_exponent),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
