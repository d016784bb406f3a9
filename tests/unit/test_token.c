// LDFLAGS: -Wl,--wrap=clock_now_ms
/* The access token in use: cached until shortly before its end, one request in flight. */
#include "fake_http.h"

#include "azure/token.h"

#define OTHER "https://vault.example"
#define CLIENT "33333333-3333-3333-3333-333333333333"

static int64_t now;

int64_t __wrap_clock_now_ms(void);
int64_t __wrap_clock_now_ms(void)
{
	return now;
}

static char assertion[64];
static struct identity identity = { .authority = "https://login.example",
				    .tenant = "tenant-1",
				    .client = CLIENT,
				    .assertion_file = assertion };
static struct token *t;

static int set_up(void **state)
{
	(void)state;
	assertion_make(assertion);
	memset(&net, 0, sizeof(net));
	now = 0;
	t = token_new(NULL, &identity);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	token_free(t);
	unlink(assertion);
	return net.count != 0;
}

static void grant(const char *token, int seconds)
{
	auto_free char *body = xasprintf(
		"{\"access_token\":\"%s\",\"expires_in\":\"%d\"}", token, seconds);

	net_answer(net_find("/token"), (struct answer){ .status = 200, .body = body });
}

static void test_life(void **state)
{
	/* How long a token is used, out of how long it lives: 5 minutes less, and no
	 * more than a quarter of a short one. */
	static const struct {
		int seconds;
		int64_t used_ms;
	} rows[] = {
		{ 3600, 3300000 }, { 1200, 900000 }, { 1199, 899250 },
		{ 60, 45000 },     { 1, 750 },       { 86399, 86099000 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct token *one = token_new(NULL, &identity);
		int64_t asked = 1000000;

		assert_int_equal(token_state(one, RESOURCE, asked), TOKEN_NONE);
		token_request(one, RESOURCE, asked);
		assert_int_equal(token_state(one, RESOURCE, asked), TOKEN_PENDING);
		grant("t", rows[i].seconds);
		assert_string_equal(token_bearer(one, RESOURCE), "t");
		assert_int_equal(token_state(one, RESOURCE, asked + rows[i].used_ms - 1),
				 TOKEN_READY);
		assert_int_equal(token_state(one, RESOURCE, asked + rows[i].used_ms),
				 TOKEN_NONE);
		token_free(one);
	}
}

static void test_request(void **state)
{
	const struct http_call *call;

	(void)state;
	token_request(t, RESOURCE, 0);
	call = net_find("https://login.example/tenant-1/oauth2/v2.0/token");
	assert_non_null(call);
	assert_null(call->bearer);
	check_holds("form", call->form, "client_assertion=aa.bb.cc");
	check_holds("form", call->form, "scope=https%3A%2F%2Fvault.azure.net%2F.default");
}

static void test_one_in_flight(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		token_request(t, RESOURCE, i);
	assert_int_equal(net.started, 1);
	grant("t", 3600);
	for (int i = 0; i < 3; i++)
		token_request(t, RESOURCE, i);
	assert_int_equal(net.started, 1);
	token_request(t, RESOURCE, 3600000);
	assert_int_equal(net.started, 2);
}

/* Tokens for several resources are asked for, cached and refused side by side. */
static void test_resources(void **state)
{
	(void)state;
	token_request(t, RESOURCE, 0);
	assert_int_equal(token_state(t, OTHER, 0), TOKEN_NONE);
	assert_null(token_bearer(t, OTHER));
	token_request(t, OTHER, 0);
	assert_int_equal(net.count, 2);
	grant("one", 3600);
	assert_int_equal(token_state(t, OTHER, 1), TOKEN_PENDING);
	grant("other", 3600);
	assert_string_equal(token_bearer(t, RESOURCE), "one");
	assert_string_equal(token_bearer(t, OTHER), "other");
	token_refused(t, OTHER, token_serial(t, OTHER));
	assert_int_equal(token_state(t, OTHER, 1), TOKEN_NONE);
	assert_int_equal(token_state(t, RESOURCE, 1), TOKEN_READY);
	assert_int_equal(token_requests(t, RESOURCE), 1);
}

/* In the middle of its life a token is renewed while it serves; a failure changes
 * nothing, and is not repeated within a minute. */
static void test_renewal(void **state)
{
	(void)state;
	token_request(t, RESOURCE, 0);
	grant("old", 3600);
	token_request(t, RESOURCE, 1799999);
	assert_int_equal(net.started, 1);
	token_request(t, RESOURCE, 1800000);
	assert_int_equal(net.started, 2);
	assert_int_equal(token_state(t, RESOURCE, 1800000), TOKEN_READY);
	net_break(net_find("/token"));
	assert_string_equal(token_bearer(t, RESOURCE), "old");
	assert_int_equal(token_state(t, RESOURCE, 1800000), TOKEN_READY);
	token_request(t, RESOURCE, 1859999);
	assert_int_equal(net.started, 2);
	token_request(t, RESOURCE, 1860000);
	assert_int_equal(net.started, 3);
	grant("new", 3600);
	assert_string_equal(token_bearer(t, RESOURCE), "new");
}

/* While Entra is out of reach, a token that still lives is better than none. */
static void test_last_minutes(void **state)
{
	const int64_t late = 3300000, end = 3600000;

	(void)state;
	token_request(t, RESOURCE, 0);
	grant("old", 3600);
	now = late;
	assert_int_equal(token_state(t, RESOURCE, late), TOKEN_NONE);
	token_request(t, RESOURCE, late);
	assert_int_equal(token_state(t, RESOURCE, late), TOKEN_PENDING);
	net_break(net_find("/token"));
	assert_int_equal(token_state(t, RESOURCE, late), TOKEN_READY);
	assert_string_equal(token_bearer(t, RESOURCE), "old");
	token_request(t, RESOURCE, late + 59999);
	assert_int_equal(net.started, 2);
	assert_int_equal(token_state(t, RESOURCE, end - 1), TOKEN_READY);
	assert_int_equal(token_state(t, RESOURCE, end), TOKEN_FAILED);
	/* A request that is waited for is dropped with the round; the token is not. */
	token_request(t, RESOURCE, late + 60000);
	token_cancel(t);
	assert_int_equal(net.count, 0);
	assert_int_equal(token_state(t, RESOURCE, end - 1), TOKEN_READY);
	token_request(t, RESOURCE, end);
	grant("new", 3600);
	assert_string_equal(token_bearer(t, RESOURCE), "new");
}

/* One that has ended when it comes is a failure, not a reason to ask at once again. */
static void test_too_short(void **state)
{
	(void)state;
	token_request(t, RESOURCE, 0);
	now = 800;
	grant("t", 1);
	assert_int_equal(token_state(t, RESOURCE, now), TOKEN_FAILED);
	check_err("too late", -1, token_error(t, RESOURCE), ERR_UNAVAILABLE,
		  "it came too late to be used");
}

/* Entra may name the time of renewal. */
static void test_refresh_in(void **state)
{
	(void)state;
	token_request(t, RESOURCE, 0);
	net_answer(net_find("/token"), (struct answer){ .status = 200,
							.body = "{\"access_token\":\"t\","
								"\"expires_in\":86400,"
								"\"refresh_in\":600}" });
	token_request(t, RESOURCE, 599999);
	assert_int_equal(net.started, 1);
	token_request(t, RESOURCE, 600000);
	assert_int_equal(net.started, 2);
	token_cancel(t);
}

static void test_refused(void **state)
{
	unsigned first, second;

	(void)state;
	token_request(t, RESOURCE, 0);
	grant("one", 3600);
	first = token_serial(t, RESOURCE);
	token_refused(t, RESOURCE, first);
	assert_int_equal(token_state(t, RESOURCE, 1), TOKEN_NONE);
	token_request(t, RESOURCE, 1);
	grant("two", 3600);
	second = token_serial(t, RESOURCE);
	assert_int_not_equal(first, second);
	token_refused(t, RESOURCE, first); /* late news of the old one */
	assert_int_equal(token_state(t, RESOURCE, 2), TOKEN_READY);
	assert_string_equal(token_bearer(t, RESOURCE), "two");
}

static void test_failures(void **state)
{
	(void)state;
	token_request(t, RESOURCE, 0);
	net_break(net_find("/token"));
	assert_int_equal(token_state(t, RESOURCE, 0), TOKEN_FAILED);
	check_err("broken", -1, token_error(t, RESOURCE), ERR_UNAVAILABLE,
		  "cannot get a token: the connection broke");
	token_request(t, RESOURCE, 0);
	assert_int_equal(token_state(t, RESOURCE, 0), TOKEN_PENDING);
	net_answer(net_find("/token"),
		   (struct answer){ .status = 429, .retry_after_ms = 7000 });
	check_err("429", -1, token_error(t, RESOURCE), ERR_UNAVAILABLE, "client " CLIENT);
	assert_int_equal(token_error(t, RESOURCE)->retry_after_ms, 7000);
	token_request(t, RESOURCE, 0);
	net_answer(
		net_find("/token"),
		(struct answer){ .status = 401, .body = "{\"error_codes\":[700024]}" });
	check_err("401", -1, token_error(t, RESOURCE), ERR_IDENTITY, "AADSTS700024");
	/* A later success forgets it. */
	token_request(t, RESOURCE, 0);
	grant("t", 3600);
	assert_int_equal(token_state(t, RESOURCE, 0), TOKEN_READY);
}

static void test_no_assertion(void **state)
{
	(void)state;
	assert_int_equal(truncate(assertion, 0), 0);
	token_request(t, RESOURCE, 0);
	assert_int_equal(net.started, 0);
	assert_int_equal(token_state(t, RESOURCE, 0), TOKEN_FAILED);
	check_err("empty", -1, token_error(t, RESOURCE), ERR_IDENTITY, "is empty");
}

static void test_cancel(void **state)
{
	(void)state;
	token_cancel(t);
	token_request(t, RESOURCE, 0);
	token_cancel(t);
	assert_int_equal(net.count, 0);
	check_err("cancelled", token_state(t, RESOURCE, 0) == TOKEN_FAILED ? -1 : 0,
		  token_error(t, RESOURCE), ERR_UNAVAILABLE,
		  "cannot get a token: no answer in time from 'login.example'");
	/* What is known of an earlier try is told instead. */
	token_request(t, RESOURCE, 0);
	net_answer(net_find("/token"), (struct answer){ .status = 503 });
	token_request(t, RESOURCE, 0);
	token_cancel(t);
	check_err("earlier", -1, token_error(t, RESOURCE), ERR_UNAVAILABLE, "503");
	token_request(t, RESOURCE, 0);
	assert_int_equal(net.started, 4);
	token_free(t); /* with a request in flight */
	assert_int_equal(net.cancelled, 3);
	t = NULL;
}

#define WITH_TOKEN(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_TOKEN(test_life),          WITH_TOKEN(test_request),
		WITH_TOKEN(test_one_in_flight), WITH_TOKEN(test_resources),
		WITH_TOKEN(test_renewal),       WITH_TOKEN(test_refresh_in),
		WITH_TOKEN(test_refused),       WITH_TOKEN(test_failures),
		WITH_TOKEN(test_no_assertion),  WITH_TOKEN(test_cancel),
		WITH_TOKEN(test_last_minutes),  WITH_TOKEN(test_too_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
