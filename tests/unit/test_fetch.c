// LDFLAGS: -Wl,--wrap=clock_now_ms
/* Many objects at once, over a network and a clock that the tests script: what is asked,
 * what is tried again and when, and that nothing is left behind. */
#include "source.h"

#include "azure/vault.h"
#include "sync/fetch.h"

#define MANY 25

static struct fetch_item items[MANY];
static struct vault_object got[MANY];
static char names[MANY][8], urls[MANY][64], words[MANY][24];
static struct fetch *fetch;

static int set_up(void **state)
{
	fetch = NULL;
	return source_set_up(state);
}

static int tear_down(void **state)
{
	fetch_free(fetch);
	for (size_t i = 0; i < MANY; i++)
		vault_object_done(&got[i]);
	return source_tear_down(state);
}

static int parse(void *arg, struct http_reply *reply, struct err *err)
{
	const struct refusal_context context = { .kind = OBJECT_SECRET,
						 .client_id = "client-1",
						 .vault = "shop-kv" };

	return vault_object_parse(reply, &context, arg, err);
}

/* A new fetch of s00, s01, … */
static void start(size_t count)
{
	fetch_free(fetch);
	fetch = fetch_start(source, now);
	for (size_t i = 0; i < count; i++) {
		snprintf(names[i], sizeof(names[i]), "s%02u", (unsigned)i % MANY);
		snprintf(urls[i], sizeof(urls[i]), VAULT "/secrets/%.7s", names[i]);
		snprintf(words[i], sizeof(words[i]), "secret '%.7s'", names[i]);
		vault_object_done(&got[i]);
		items[i] = (struct fetch_item){
			.url = urls[i], .words = words[i], .parse = parse, .arg = &got[i]
		};
		fetch_add(fetch, &items[i]);
	}
}

static bool run(void)
{
	return fetch_run(fetch, now);
}

/* Waits for the next thing to do by itself. */
static bool wait(void)
{
	int64_t deadline = fetch_deadline(fetch);

	assert_true(deadline != CLOCK_NEVER);
	assert_true(deadline > now); /* else it would spin */
	now = deadline;
	return run();
}

/* As the loop does when the network has been heard. */
static bool go_on(void)
{
	return run() || (net.count == 0 && wait());
}

/* Past the token and the challenge, so that requests for objects are open. */
static void start_ready(size_t count)
{
	struct http_call *call;

	start(count);
	assert_false(run());
	/* A long list opens more connections, by requests like the first. */
	while ((call = net_secret("s00", true)) != NULL)
		net_answer(call,
			   (struct answer){ .status = 401, .challenge = OWN_CHALLENGE });
	grant("t1");
	assert_false(run());
}

static size_t open_secrets(void)
{
	size_t n = 0;

	for (size_t i = 0; i < net.count; i++)
		n += net.open[i]->bearer != NULL;
	return n;
}

static void test_discovery(void **state)
{
	(void)state;
	start(3);
	assert_false(run());
	/* Side by side: the token request, and one request without a token. */
	assert_int_equal(net.count, 2);
	assert_non_null(net_find("/token"));
	assert_non_null(net_secret("s00", true));
	assert_false(run());
	assert_int_equal(net.started, 2);
	grant("t1");
	assert_false(run());
	assert_int_equal(open_secrets(), 0); /* not before the challenge is known */
	net_answer(net_secret("s00", true),
		   (struct answer){ .status = 401, .challenge = OWN_CHALLENGE });
	assert_false(run());
	assert_int_equal(open_secrets(), 3);
	for (int i = 0; i < 3; i++) {
		assert_string_equal(net_secret(names[i], false)->bearer, "t1");
		give(net_secret(names[i], false), "v", VERSION);
	}
	assert_true(run());
	for (int i = 0; i < 3; i++)
		assert_int_equal(items[i].state, FETCH_GOT);
	assert_string_equal(buf_str(&got[2].value), "v");
	/* The next round has nothing to learn. */
	start(1);
	run();
	assert_int_equal(net.count, 1);
	assert_int_equal(open_secrets(), 1);
}

static void test_parallel(void **state)
{
	(void)state;
	start_ready(MANY);
	for (size_t left = MANY; left > 0; left--) {

		assert_int_equal(open_secrets(), left < 10 ? left : 10);
		give(net.open[net.count - 1], "v", VERSION);
		assert_int_equal(run(), left == 1);
	}
	assert_int_equal(net.most, 10);
	assert_int_equal(net.started, MANY + 2 + 4);
}

static void test_nothing_to_do(void **state)
{
	(void)state;
	start(0);
	assert_true(run());
	assert_int_equal(net.started, 0);
}

/* Which answers are tried again, and what they come to when they stay. */
static void test_answers(void **state)
{
	static const struct {
		int status; /* 0: the connection breaks */
		bool again;
		enum err_kind kind;
	} rows[] = {
		{ 0, true, ERR_UNAVAILABLE },   { 408, true, ERR_UNAVAILABLE },
		{ 429, true, ERR_UNAVAILABLE }, { 500, true, ERR_UNAVAILABLE },
		{ 503, true, ERR_UNAVAILABLE }, { 504, true, ERR_UNAVAILABLE },
		{ 200, true, ERR_GARBLED }, /* without a body */
		{ 302, true, ERR_UNAVAILABLE }, { 400, false, ERR_CONFIG },
		{ 403, false, ERR_DENIED },     { 404, false, ERR_NOTFOUND },
		{ 409, true, ERR_UNAVAILABLE }, { 413, false, ERR_CONFIG },
		{ 204, true, ERR_UNAVAILABLE }, { 421, true, ERR_UNAVAILABLE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *row = xasprintf("status %d", rows[i].status);
		int64_t began = now;
		int tries = 0;

		if (i == 0)
			start_ready(1);
		else
			start(1);
		while (!go_on()) {
			struct http_call *call = net_secret("s00", false);

			tries++;
			if (rows[i].status == 0)
				net_break(call);
			else
				net_answer(call,
					   (struct answer){ .status = rows[i].status });
		}
		/* What is throttled is tried as the pace allows, not by count. */
		if (rows[i].again)
			check(row,
			      tries >= 3 && tries <= (rows[i].status == 429 ? 12 : 6));
		else
			check_int(row, tries, 1);
		check(row, now - began <= 20000);
		check_int(row, items[0].state, FETCH_FAILED);
		check_int(row, items[0].err.kind, rows[i].kind);
		check_holds(row, items[0].err.msg,
			    rows[i].status ? "secret 's00'" : "connection broke");
		check_int(row, net.count, 0);
	}
}

static void test_heals(void **state)
{
	(void)state;
	start_ready(1);
	net_answer(net_secret("s00", false), (struct answer){ .status = 503 });
	assert_false(run());
	assert_int_equal(net.count, 0); /* not at once */
	assert_false(wait());
	give(net_secret("s00", false), "v", VERSION);
	assert_true(run());
	assert_int_equal(items[0].state, FETCH_GOT);
}

/* One refused token: one new one, and each object once more. */
static void test_unauthorized(void **state)
{
	(void)state;
	start_ready(10);
	for (int i = 0; i < 10; i++)
		net_answer(net_secret(names[i], false), (struct answer){ .status = 401 });
	assert_false(run());
	assert_int_equal(net.count, 1);
	assert_non_null(net_find("/token"));
	grant("t2");
	assert_false(run());
	assert_int_equal(open_secrets(), 10);
	for (int i = 0; i < 9; i++) {
		assert_string_equal(net_secret(names[i], false)->bearer, "t2");
		give(net_secret(names[i], false), "v", VERSION);
	}
	net_answer(net_secret("s09", false), (struct answer){ .status = 401 });
	assert_true(run()); /* not a third time */
	assert_int_equal(items[9].state, FETCH_FAILED);
	assert_int_equal(items[9].err.kind, ERR_IDENTITY);
	assert_int_equal(items[0].state, FETCH_GOT);
	assert_int_equal(net.started, 2 + 10 + 1 + 10);
}

/* Of what fails in one fetch, it is said which did for want of a token. */
static void test_without_token(void **state)
{
	(void)state;
	start_ready(2);
	while (items[0].state != FETCH_FAILED)
		if (net_secret("s00", false))
			net_answer(net_secret("s00", false),
				   (struct answer){ .status = 503 });
		else
			assert_false(wait());
	net_answer(net_secret("s01", false), (struct answer){ .status = 401 });
	assert_false(run());
	net_answer(net_find("/token"),
		   (struct answer){ .status = 503, .retry_after_ms = 60000 });
	assert_true(run());
	assert_int_equal(items[1].state, FETCH_FAILED);
	assert_false(items[0].err.tokenless);
	assert_true(items[1].err.tokenless);
	/* Also when there is no time for a second request. */
	start(1);
	assert_false(run());
	net_answer(net_find("/token"), (struct answer){ .status = 503 });
	assert_false(run());
	fetch_free(fetch);
	fetch = NULL;
	assert_int_equal(items[0].state, FETCH_FAILED);
	assert_true(items[0].err.tokenless);
}

/* A delay that the service names holds for all requests. */
static void check_retry_after(int status)
{
	start_ready(12);
	net_answer(net_secret("s00", false),
		   (struct answer){ .status = status, .retry_after_ms = 5000 });
	for (int i = 1; i < 10; i++)
		give(net_secret(names[i], false), "v", VERSION);
	now += 4999;
	assert_false(run());
	assert_int_equal(open_secrets(), 0);
	assert_true(fetch_deadline(fetch) >= now + 500); /* at random: others wait, too */
	/* And then one by one: each answer lets more of them go. */
	wait();
	assert_int_equal(open_secrets(), 1);
	give(net_secret("s00", false), "v", VERSION);
	assert_false(run());
	assert_int_equal(open_secrets(), 2);
	for (int i = 10; i < 12; i++)
		give(net_secret(names[i], false), "v", VERSION);
	assert_true(run());
}

static void test_retry_after(void **state)
{
	(void)state;
	check_retry_after(429);
}

/* With a delay, any other status that passes is throttling, too. */
static void test_retry_after_503(void **state)
{
	(void)state;
	check_retry_after(503);
}

static void test_retry_after_423(void **state)
{
	(void)state;
	check_retry_after(423);
}

/* Rounds that follow know that the vault was throttling. */
static void test_throttling_is_remembered(void **state)
{
	(void)state;
	start_ready(3);
	net_answer(net_secret("s00", false), (struct answer){ .status = 429 });
	start(3);
	assert_false(run());
	assert_int_equal(net.count, 0);
	assert_false(wait());
	assert_int_equal(open_secrets(), 1);
}

/* A vault that lets some through keeps the round going beyond the time of a failure. */
static void test_throttled_but_moving(void **state)
{
	(void)state;
	start_ready(3);
	for (int i = 2; i >= 0; i--) {
		for (int64_t until = now + 15000; now < until;) {
			while (net.count > 0)
				net_answer(net.open[0], (struct answer){ .status = 429 });
			assert_false(run());
			if (net.count == 0)
				assert_false(wait());
		}
		while (net.count > 1)
			net_answer(net.open[1], (struct answer){ .status = 429 });
		give(net.open[0], "v", VERSION);
		assert_int_equal(run(), i == 0);
	}
}

/* Over HTTP/2 all go at once; a poll that nobody waits for spares connections. */
static void test_width(void **state)
{
	(void)state;
	start_ready(MANY);
	while (net.count > 0) {
		give(net.open[0], "v", VERSION);
		run();
	}
	sources.hurried = false;
	start(MANY);
	run();
	assert_int_equal(open_secrets(), 2);
	source->multiplexed = true;
	assert_false(run());
	assert_int_equal(open_secrets(), MANY);
}

/* One that is too long for this round ends it: nobody is asked in the meantime. */
static void test_long_retry_after(void **state)
{
	int started;

	(void)state;
	start_ready(12);
	started = net.started;
	net_answer(net_secret("s00", false),
		   (struct answer){ .status = 429, .retry_after_ms = 60000 });
	assert_false(run());
	assert_int_equal(net.started, started);
	for (int i = 1; i < 10; i++)
		give(net_secret(names[i], false), "v", VERSION);
	assert_true(run());
	assert_int_equal(net.started, started);
	assert_int_equal(items[0].state, FETCH_FAILED);
	assert_int_equal(items[1].state, FETCH_GOT);
	assert_int_equal(items[11].state, FETCH_FAILED);
	assert_int_equal(items[11].err.kind, ERR_UNAVAILABLE);
	assert_int_equal(items[11].err.retry_after_ms, 60000);
}

/* Nor in the next, when that comes too soon. */
static void test_long_retry_after_is_remembered(void **state)
{
	int started;

	(void)state;
	start_ready(2);
	net_answer(net_secret("s00", false),
		   (struct answer){ .status = 429, .retry_after_ms = 60000 });
	start(2);
	started = net.started;
	assert_true(run());
	assert_int_equal(net.started, started);
	check_err("told", -1, &items[1].err, ERR_UNAVAILABLE, "429");
}

/* Also when the first, anonymous request brings it. */
static void test_throttled_at_once(void **state)
{
	(void)state;
	start(3);
	run();
	grant("t1");
	net_answer(net_secret("s00", true),
		   (struct answer){ .status = 429, .retry_after_ms = 5000 });
	assert_false(run());
	assert_int_equal(net.count, 0);
	assert_true(fetch_deadline(fetch) >= now + 5000);
	wait();
	assert_int_equal(open_secrets(), 1);
}

static void test_foreign_challenge(void **state)
{
	static const char *const rows[] = {
		CHALLENGE(TENANT, "https://evil.example"),
		CHALLENGE(TENANT, "https://vault.azure.net.evil.example"),
		CHALLENGE(TENANT, "http://vault.azure.net"),
		CHALLENGE("00000000-0000-0000-0000-000000000000", RESOURCE),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		start(2);
		run();
		net_answer(net_secret("s00", true),
			   (struct answer){ .status = 401, .challenge = rows[i] });
		check(rows[i], run());
		check_int(rows[i], items[1].state, FETCH_FAILED);
		check_int(rows[i], items[1].err.kind, ERR_CONFIG);
		check_int(rows[i], net.started, 2); /* no token went anywhere */
		check_text(rows[i], source->resource, RESOURCE);
		net.started = 0;
	}
}

/* A challenge for another resource of the vault's domain costs one more token. */
static void test_other_resource(void **state)
{
	(void)state;
	start(1);
	run();
	grant("t1");
	net_answer(
		net_secret("s00", true),
		(struct answer){ .status = 401,
				 .challenge = CHALLENGE(TENANT, "https://azure.net") });
	assert_false(run());
	assert_int_equal(net.count, 1);
	check_holds("form", net_find("/token")->form,
		    "scope=https%3A%2F%2Fazure.net%2F.default");
	grant("t2");
	run();
	assert_string_equal(net_secret("s00", false)->bearer, "t2");
}

static void test_no_network(void **state)
{
	(void)state;
	start(2);
	run();
	net_break(net_secret("s00", true));
	assert_false(run());
	assert_int_equal(net.count, 1); /* the token request goes on */
	net_break(net_find("/token"));
	while (!go_on())
		while (net.count > 0)
			net_break(net.open[0]);
	assert_true(net.started <= 12);
	for (int i = 0; i < 2; i++)
		check_err(names[i], items[i].state == FETCH_FAILED ? -1 : 0,
			  &items[i].err, ERR_UNAVAILABLE, "the connection broke");
}

/* No answer to any of a long list, each after its time-out: told in time all the same. */
static void test_black_hole(void **state)
{
	int64_t began;

	(void)state;
	start_ready(MANY);
	began = now;
	do {
		now += 10000;
		while (net.count > 0)
			net_break(net.open[0]);
	} while (!go_on());
	assert_true(now - began <= 30000);
	for (int i = 0; i < MANY; i++)
		check_err(names[i], items[i].state == FETCH_FAILED ? -1 : 0,
			  &items[i].err, ERR_UNAVAILABLE, "the connection broke");
}

/* A vault that answers is not taken for one, whatever it says. */
static void test_slow_refusals(void **state)
{
	(void)state;
	start_ready(MANY);
	net_break(net.open[0]);
	for (int i = 0; i < MANY - 1; i++) {
		now += 3000;
		run();
		net_answer(net.open[0], (struct answer){ .status = 403 });
	}
	assert_false(run());
	give(net.open[0], "v", VERSION);
	assert_true(run());
}

/* Entra refuses: all fail at once, for the next round to try. */
static void test_token_refused(void **state)
{
	(void)state;
	start(2);
	run();
	net_answer(
		net_find("/token"),
		(struct answer){ .status = 401, .body = "{\"error_codes\":[700213]}" });
	assert_true(run());
	for (int i = 0; i < 2; i++)
		check_err(names[i], items[i].state == FETCH_FAILED ? -1 : 0,
			  &items[i].err, ERR_IDENTITY, "AADSTS700213");
	assert_int_equal(open_secrets(), 0);
	/* And the old failure is not taken for the next round's. */
	start(1);
	assert_false(run());
	assert_non_null(net_find("/token"));
}

static void test_token_throttled(void **state)
{
	(void)state;
	start(1);
	run();
	net_answer(net_secret("s00", true), (struct answer){ .status = 401 });
	net_answer(net_find("/token"),
		   (struct answer){ .status = 429, .retry_after_ms = 3000 });
	assert_false(run());
	assert_int_equal(net.count, 0);
	assert_true(fetch_deadline(fetch) >= now + 3000);
	wait();
	grant("t1");
	run();
	assert_int_equal(open_secrets(), 1);
}

/* A stop cancels everything, and unfinished objects say what they waited for. */
static void test_stop(void **state)
{
	(void)state;
	start(2);
	run();
	fetch_free(fetch);
	fetch = NULL;
	assert_int_equal(net.count, 0);
	assert_int_equal(net.cancelled, 2);
	check_err("early", items[0].state == FETCH_FAILED ? -1 : 0, &items[0].err,
		  ERR_UNAVAILABLE, "no answer in time from 'login.example'");
	start(1);
	run();
	grant("t0");
	fetch_free(fetch);
	fetch = NULL;
	check_err("the vault", -1, &items[0].err, ERR_UNAVAILABLE,
		  "no answer in time from 'shop-kv.vault.azure.net'");
	token_refused(sources.token, RESOURCE, token_serial(sources.token, RESOURCE));
	start_ready(12);
	net_answer(net_secret("s00", false), (struct answer){ .status = 503 });
	give(net_secret("s01", false), "v", VERSION);
	fetch_free(fetch);
	fetch = NULL;
	assert_int_equal(net.count, 0);
	check_err("retried", -1, &items[0].err, ERR_UNAVAILABLE, "503");
	assert_int_equal(items[1].state, FETCH_GOT);
	check_err("open", -1, &items[2].err, ERR_UNAVAILABLE, "no answer in time");
	check_err("not asked", -1, &items[11].err, ERR_UNAVAILABLE, "no answer in time");
}

/* Asked again with the same item, as for the next page, after it had failed and worked:
 * the failure that is over is not told for the new request. */
static void test_stop_after_a_failure_that_is_over(void **state)
{
	(void)state;
	start_ready(1);
	net_answer(net_secret("s00", false), (struct answer){ .status = 503 });
	assert_false(wait());
	give(net_secret("s00", false), "v", VERSION);
	assert_true(run());
	vault_object_done(&got[0]);
	fetch_again(&items[0]);
	assert_false(run());
	fetch_free(fetch);
	fetch = NULL;
	check_err("again", -1, &items[0].err, ERR_UNAVAILABLE, "no answer in time");
}

/* The request that has been without an answer for longest, and what failed so far. */
static void test_silence(void **state)
{
	struct access_silence silence;
	struct err why;

	(void)state;
	start(2);
	assert_false(fetch_is_silent(fetch, &silence, now));
	run();
	assert_true(fetch_is_silent(fetch, &silence, now));
	assert_int_equal(silence.asked_at, now);
	assert_false(fetch_failure(fetch, &why, now));
	now += 3000;
	net_answer(net_secret("s00", true),
		   (struct answer){ .status = 401, .challenge = OWN_CHALLENGE });
	assert_true(fetch_is_silent(fetch, &silence, now));
	assert_true(silence.of_token);
	assert_int_equal(now - silence.asked_at, 3000);
	net_answer(net_find("/token"), (struct answer){ .status = 503 });
	run();
	assert_false(fetch_is_silent(fetch, &silence, now));
	assert_true(fetch_failure(fetch, &why, now));
	assert_true(why.tokenless);
	wait();
	assert_true(fetch_is_silent(fetch, &silence, now));
	assert_int_equal(silence.attempt, 2);
	assert_true(fetch_failure(fetch, &why, now)); /* while it is tried again */
	grant("t1");
	assert_false(fetch_failure(fetch, &why, now));
	run();
	now += 1000;
	give(net_secret("s00", false), "v", VERSION);
	assert_true(fetch_is_silent(fetch, &silence, now));
	assert_false(silence.of_token);
	assert_int_equal(now - silence.asked_at, 1000);
	net_answer(net_secret("s01", false),
		   (struct answer){ .status = 429, .retry_after_ms = 5000 });
	run();
	assert_true(fetch_failure(fetch, &why, now)); /* it throttles */
	assert_false(fetch_is_silent(fetch, &silence, now));
}

#define WITH_SOURCE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SOURCE(test_discovery),
		WITH_SOURCE(test_parallel),
		WITH_SOURCE(test_nothing_to_do),
		WITH_SOURCE(test_answers),
		WITH_SOURCE(test_heals),
		WITH_SOURCE(test_unauthorized),
		WITH_SOURCE(test_retry_after),
		WITH_SOURCE(test_retry_after_503),
		WITH_SOURCE(test_retry_after_423),
		WITH_SOURCE(test_throttling_is_remembered),
		WITH_SOURCE(test_throttled_but_moving),
		WITH_SOURCE(test_width),
		WITH_SOURCE(test_long_retry_after),
		WITH_SOURCE(test_long_retry_after_is_remembered),
		WITH_SOURCE(test_throttled_at_once),
		WITH_SOURCE(test_foreign_challenge),
		WITH_SOURCE(test_other_resource),
		WITH_SOURCE(test_no_network),
		WITH_SOURCE(test_black_hole),
		WITH_SOURCE(test_slow_refusals),
		WITH_SOURCE(test_token_refused),
		WITH_SOURCE(test_token_throttled),
		WITH_SOURCE(test_without_token),
		WITH_SOURCE(test_stop),
		WITH_SOURCE(test_stop_after_a_failure_that_is_over),
		WITH_SOURCE(test_silence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
