/* What one turn of the loop reads from a connection, and when a connection breaks. */
#include "unit.h"

#include <openssl/bio.h>
#include <openssl/ssl.h>

#include "net/inflow.h"

#define KIB ((size_t)1024)

static struct inflow inflow;
static SSL_CTX *context;
static SSL *ssl;

/* A client whose handshake has begun, with many bytes to read; what it wrote is lost. */
static int set_up(void **state)
{
	static char zeros[64 * 1024];
	BIO *from = BIO_new(BIO_s_mem());

	(void)state;
	inflow = (struct inflow){ 0 };
	context = SSL_CTX_new(TLS_client_method());
	inflow_apply(&inflow, context);
	ssl = SSL_new(context);
	SSL_set_bio(ssl, from, BIO_new(BIO_s_null()));
	SSL_connect(ssl);
	for (size_t i = 0; i < 256; i++)
		assert_int_equal(BIO_write(from, zeros, sizeof(zeros)), sizeof(zeros));
	inflow_turn(&inflow);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	SSL_free(ssl);
	SSL_CTX_free(context);
	return 0;
}

/* Reads until nothing comes; how much came. */
static size_t read_all(void)
{
	char piece[16 * 1024];
	size_t sum = 0;
	int n;

	while ((n = BIO_read(SSL_get_rbio(ssl), piece, sizeof(piece))) > 0)
		sum += (size_t)n;
	return sum;
}

static void test_share_of_a_turn(void **state)
{
	(void)state;
	for (int turn = 0; turn < 5; turn++) {
		assert_false(inflow.held_back);
		assert_int_equal(read_all(), 128 * KIB);
		assert_true(inflow.held_back);
		assert_true(BIO_should_retry(SSL_get_rbio(ssl)));
		assert_int_equal(read_all(), 0);
		inflow_turn(&inflow);
	}
}

static void test_bytes_that_nobody_asked_for(void **state)
{
	size_t sum = 0, n;

	(void)state;
	while ((n = read_all()) > 0) {
		sum += n;
		inflow_turn(&inflow);
	}
	assert_int_equal(sum, 4096 * KIB);
	assert_false(BIO_should_retry(SSL_get_rbio(ssl)));
}

static void test_progress(void **state)
{
	size_t sum = 0;

	(void)state;
	while (sum < 8192 * KIB) {
		size_t n = read_all();

		assert_int_equal(n, 128 * KIB);
		sum += n;
		inflow.progress++;
		inflow_turn(&inflow);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_share_of_a_turn, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bytes_that_nobody_asked_for, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_progress, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
