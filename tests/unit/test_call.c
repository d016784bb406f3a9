// LDFLAGS: -Wl,--wrap=curl_easy_setopt,--wrap=curl_multi_perform,--wrap=clock_now_ms
/* One request after another, as libcurl tells of them: when their time is over, what
 * happens to the connections, and which of them go through a proxy.  There is no network
 * but loopback, and nothing is sent. */
#include "loopback.h"

#include <netinet/tcp.h>

#include "base/clock.h"
#include "net/call.h"
#include "net/http.h"

#define TIMEOUT_MS 1000
#define HOST_A "https://a.example/secrets/x"
#define HOST_B "https://b.example:8443/secrets/x"

static int64_t now;
static struct calls all;

int64_t __wrap_clock_now_ms(void);
int64_t __wrap_clock_now_ms(void)
{
	return now;
}

/* ---- what libcurl was told ---- */

static struct {
	curl_sockopt_callback on_socket;
	void *socket_arg;
	curl_prereq_callback on_send;
	void *send_arg;
	curl_closesocket_callback on_close;
	char *proxy, *no_proxy, *user, *password;
	long timeout_ms, connect_timeout_ms;
	int connect_timeouts; /* how often it was set */
	int performs;
} told;

static void forget(void)
{
	free(told.proxy);
	free(told.no_proxy);
	free(told.user);
	free(told.password);
	memset(&told, 0, sizeof(told));
}

static char *copy_of(const char *text)
{
	return text ? xstrdup(text) : NULL;
}

CURLcode __real_curl_easy_setopt(CURL *easy, CURLoption option, ...);
CURLcode __wrap_curl_easy_setopt(CURL *easy, CURLoption option, ...);
CURLcode __wrap_curl_easy_setopt(CURL *easy, CURLoption option, ...)
{
	va_list ap;
	void *value;

	va_start(ap, option);
	value = va_arg(ap, void *);
	va_end(ap);
	if (option == CURLOPT_SOCKOPTFUNCTION)
		told.on_socket = (curl_sockopt_callback)(uintptr_t)value;
	else if (option == CURLOPT_SOCKOPTDATA)
		told.socket_arg = value;
	else if (option == CURLOPT_PREREQFUNCTION)
		told.on_send = (curl_prereq_callback)(uintptr_t)value;
	else if (option == CURLOPT_PREREQDATA)
		told.send_arg = value;
	else if (option == CURLOPT_CLOSESOCKETFUNCTION)
		told.on_close = (curl_closesocket_callback)(uintptr_t)value;
	else if (option == CURLOPT_PROXY)
		told.proxy = copy_of(value);
	else if (option == CURLOPT_NOPROXY)
		told.no_proxy = copy_of(value);
	else if (option == CURLOPT_PROXYUSERNAME)
		told.user = copy_of(value);
	else if (option == CURLOPT_PROXYPASSWORD)
		told.password = copy_of(value);
	else if (option == CURLOPT_TIMEOUT_MS)
		told.timeout_ms = (long)(uintptr_t)value;
	else if (option == CURLOPT_CONNECTTIMEOUT_MS) {
		told.connect_timeout_ms = (long)(uintptr_t)value;
		told.connect_timeouts++;
	}
	return __real_curl_easy_setopt(easy, option, value);
}

CURLMcode __wrap_curl_multi_perform(CURLM *multi, int *running);
CURLMcode __wrap_curl_multi_perform(CURLM *multi, int *running)
{
	(void)multi;
	*running = 1;
	told.performs++;
	/* Set before, for each of the two. */
	assert_int_equal(told.connect_timeouts, 2);
	return CURLM_OK;
}

/* ---- calls ---- */

struct asked {
	struct http_call *call; /* NULL: ended */
	curl_sockopt_callback on_socket;
	curl_prereq_callback on_send;
	enum http_failure failure;
	char msg[512];
	int ends;
};

static void on_done(void *arg, struct http_reply *reply, const struct err *err)
{
	struct asked *a = arg;

	a->call = NULL;
	a->failure = reply->failure;
	snprintf(a->msg, sizeof(a->msg), "%s", err ? err->msg : "");
	a->ends++;
}

static struct asked ask(const char *url)
{
	struct asked a = { 0 };

	forget();
	a.call = call_new(&all, &(struct http_request){ .url = url }, on_done, NULL);
	a.on_socket = told.on_socket;
	a.on_send = told.on_send;
	assert_ptr_equal(told.socket_arg, a.call);
	assert_ptr_equal(told.send_arg, a.call);
	return a;
}

/* The structure must not move any more. */
static void keep(struct asked *a)
{
	a->call->arg = a;
}

static void opens(struct asked *a, const struct connection *c)
{
	assert_int_equal(a->on_socket(a->call, c->fd, CURLSOCKTYPE_IPCXN),
			 CURL_SOCKOPT_OK);
}

static void is_sent(struct asked *a, const struct connection *c)
{
	static char ip[] = "127.0.0.1";

	assert_int_equal(a->on_send(a->call, ip, ip, 443, c->port), CURL_PREREQFUNC_OK);
}

static void is_answered(struct asked *a)
{
	call_end(a->call, CURLE_OK);
}

static int set_up(void **state)
{
	(void)state;
	now = 1000000;
	all = (struct calls){ .options = { .timeout_ms = TIMEOUT_MS } };
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	while (all.first != NULL)
		call_free(all.first);
	pool_done(&all.pool);
	proxy_done(&all.proxy);
	forget();
	return 0;
}

static void check_left_ms(const char *row, int64_t left_ms)
{
	check_int(row, calls_deadline(&all) - now, left_ms);
}

static void test_none(void **state)
{
	(void)state;
	assert_true(calls_deadline(&all) == CLOCK_NEVER);
	calls_expire(&all, now);
}

/* A peer that vanished is noticed by the kernel, too. */
static void test_sockets(void **state)
{
	struct connection c = connection_make();
	struct asked a = ask(HOST_A);
	unsigned timeout_ms = 0;
	socklen_t len = sizeof(timeout_ms);

	(void)state;
	opens(&a, &c);
	assert_int_equal(
		getsockopt(c.fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, &len), 0);
	assert_int_equal(timeout_ms, TIMEOUT_MS);
	assert_int_equal(told.timeout_ms, 0); /* it would count the time in the queue */
	connection_close(&c);
}

/* Its time counts from the start, from when it has a connection, and from when it was
 * sent. */
static void test_alone(void **state)
{
	struct connection c = connection_make();
	struct asked a = ask(HOST_A);

	(void)state;
	keep(&a);
	now += 400;
	check_left_ms("a name that is looked up", 600);
	opens(&a, &c);
	check_left_ms("an address", 1000);
	now += 900;
	check_left_ms("TLS", 100);
	is_sent(&a, &c);
	check_left_ms("sent", 1000);
	now += 999;
	calls_expire(&all, now);
	assert_int_equal(a.ends, 0);
	now += 1;
	calls_expire(&all, now);
	assert_int_equal(a.ends, 1);
	assert_int_equal(a.failure, HTTP_TIMEOUT);
	assert_string_equal(a.msg, "no answer from 'a.example' within 1000 ms");
	connection_close(&c);
}

/* Two of the same host wait in libcurl's queue while the first is sent and answered. */
static void test_queue(void **state)
{
	struct connection c = connection_make();
	struct asked a = ask(HOST_A), b = ask(HOST_A), d = ask(HOST_A);

	(void)state;
	keep(&a);
	keep(&b);
	keep(&d);
	opens(&a, &c);
	now += 900;
	is_sent(&a, &c);
	now += 900;
	calls_expire(&all, now);
	is_answered(&a);
	check_left_ms("since the first answer", 1000);
	is_sent(&b, &c);
	now += 900;
	is_answered(&b);
	check_left_ms("since the second", 1000);
	now += 1000;
	calls_expire(&all, now); /* nothing came meanwhile */
	assert_int_equal(a.ends + b.ends, 2);
	assert_int_equal(d.failure, HTTP_TIMEOUT);
	connection_close(&c);
}

/* However many are sent and time out, one after the other: those behind do not wait for
 * each of them. */
static void test_queue_of_a_silent_host(void **state)
{
	struct connection c = connection_make();
	struct asked a = ask(HOST_A), b = ask(HOST_A), d = ask(HOST_A);

	(void)state;
	keep(&a);
	keep(&b);
	keep(&d);
	opens(&a, &c);
	is_sent(&a, &c);
	now += 500;
	is_sent(&b, &c);
	now += 500;
	calls_expire(&all, now);
	assert_int_equal(a.failure, HTTP_TIMEOUT);
	assert_int_equal(d.failure, HTTP_TIMEOUT);
	assert_int_equal(b.ends, 0);
	connection_close(&c);
}

/* Sent, but kept back by nghttp2 or refused by the server, which nobody tells us. */
static void test_sent_and_kept_back(void **state)
{
	struct connection c = connection_make();
	struct asked a = ask(HOST_A), b = ask(HOST_A), late;

	(void)state;
	keep(&a);
	keep(&b);
	opens(&a, &c);
	is_sent(&a, &c);
	is_sent(&b, &c);
	now += 900;
	is_answered(&a);
	check_left_ms("since an answer that it had to wait for", 1000);
	now += 900;
	late = ask(HOST_A);
	keep(&late);
	is_sent(&late, &c);
	is_answered(&late);
	check_left_ms("not since one that came after it", 100);
	now += 100;
	calls_expire(&all, now);
	assert_int_equal(b.failure, HTTP_TIMEOUT);
	connection_close(&c);
}

/* libcurl's time for a connection counts from the start of a request, and is never over:
 * what is late is ended by us. */
static void test_time_of_libcurl(void **state)
{
	const struct http_options options = { .timeout_ms = TIMEOUT_MS,
					      .local_only = true };
	struct asked a = { 0 }, b = { 0 };
	struct http *h = NULL;
	struct err err;

	(void)state;
	check_ok("http", http_new(&h, &options, &err), &err);
	a.call = http_start(h, &(struct http_request){ .url = HOST_A }, on_done, &a);
	now += 500;
	forget();
	b.call = http_start(h, &(struct http_request){ .url = HOST_A }, on_done, &b);
	for (int i = 1; i <= 2; i++) {
		now += 250;
		told.connect_timeouts = 0;
		http_run(h);
		assert_int_equal(told.performs, i);
		/* The first one's: it is the last in the list. */
		assert_int_equal(told.connect_timeout_ms, 500 + 250 * i + TIMEOUT_MS);
	}
	assert_int_equal(a.ends, 1);
	assert_int_equal(a.failure, HTTP_TIMEOUT);
	assert_int_equal(b.ends, 0);
	http_free(h);
}

static void test_other_hosts(void **state)
{
	struct connection c = connection_make();
	struct asked a = ask(HOST_A), b = ask(HOST_B);

	(void)state;
	keep(&a);
	keep(&b);
	opens(&a, &c);
	is_sent(&a, &c);
	now += 900;
	is_answered(&a);
	check_left_ms("another host's answer", 100);
	now += 100;
	calls_expire(&all, now);
	assert_string_equal(b.msg, "no DNS answer for 'b.example:8443' within 1000 ms");
	connection_close(&c);
}

/* Those that wait for a connection know how far it has come. */
static void test_named(void **state)
{
	struct connection c = connection_make();
	struct asked a = ask(HOST_A), b = ask(HOST_A);

	(void)state;
	keep(&a);
	keep(&b);
	opens(&a, &c);
	now += 1000;
	calls_expire(&all, now);
	assert_string_equal(b.msg, "no answer from 'a.example' within 1000 ms");
	connection_close(&c);
}

/* One that is made while others wait for a connection, or have all there are. */
static void test_named_later(void **state)
{
	struct connection c = connection_make();
	struct asked a = ask(HOST_A), b, d;

	(void)state;
	keep(&a);
	opens(&a, &c);
	b = ask(HOST_A);
	keep(&b);
	now += 500;
	is_sent(&a, &c);
	now += 1;
	d = ask(HOST_A);
	keep(&d);
	now += 1000;
	calls_expire(&all, now);
	assert_string_equal(b.msg, "no answer from 'a.example' within 1000 ms");
	assert_string_equal(d.msg, "no answer from 'a.example' within 1000 ms");
	connection_close(&c);
}

/* libcurl sends a request anew, over a new connection, when the one it took was closed
 * meanwhile: the blame is the proxy's again until that one is there. */
static void test_sent_anew(void **state)
{
	struct connection old = connection_make(), fresh = connection_make();
	struct asked a;
	struct err err;

	(void)state;
	check_ok("proxy", proxy_parse(&all.proxy, "http://p.example:1", &err), &err);
	a = ask(HOST_A);
	keep(&a);
	opens(&a, &old);
	is_sent(&a, &old);
	opens(&a, &fresh);
	call_end(a.call, CURLE_COULDNT_CONNECT);
	assert_int_equal(a.failure, HTTP_PROXY);
	check_holds("the proxy is down", a.msg,
		    "cannot connect to the proxy 'p.example:1'");
	connection_close(&old);
	connection_close(&fresh);
}

/* While it waits for the new connection it has none: the old one may still be of use to
 * others, and their answers are what it waits for. */
static void test_sent_anew_without_connection(void **state)
{
	struct connection old = connection_make(), fresh = connection_make();
	struct asked a = ask(HOST_A), b;

	(void)state;
	keep(&a);
	opens(&a, &old);
	is_sent(&a, &old);
	b = ask(HOST_A);
	keep(&b);
	opens(&a, &fresh);
	is_sent(&b, &old);
	now += 500;
	is_answered(&b);
	check_left_ms("since the answer", 1000);
	b = ask(HOST_A);
	keep(&b);
	now += 1;
	is_sent(&b, &old);
	now += 999;
	calls_expire(&all, now);
	assert_int_equal(a.failure, HTTP_TIMEOUT);
	assert_int_equal(b.ends, 0);
	assert_true(connection_is_open(&old));
	connection_close(&old);
	connection_close(&fresh);
}

/* The number of a closed connection is soon another's, which a time-out must not hit. */
static void test_number_of_a_closed_connection(void **state)
{
	struct connection first = connection_make(), second;
	struct asked a = ask(HOST_A), b = ask(HOST_B);

	(void)state;
	keep(&a);
	keep(&b);
	opens(&a, &first);
	is_sent(&a, &first);
	assert_int_equal(told.on_close(&all, first.fd), 0);
	second = connection_make();
	if (second.fd != first.fd) {
		assert_int_equal(dup2(second.fd, first.fd), first.fd);
		close(second.fd);
		second.fd = first.fd;
	}
	now += 500;
	opens(&b, &second);
	is_sent(&b, &second);
	now += 500;
	calls_expire(&all, now);
	assert_int_equal(a.ends, 1);
	assert_true(connection_is_open(&second));
	connection_close(&second);
	close(first.peer);
}

/* After a time-out its own connection is shut down and none that is in use. */
static void test_connections(void **state)
{
	struct connection own = connection_make(), busy = connection_make(),
			  idle = connection_make();
	struct asked first = ask(HOST_A), a, b;

	(void)state;
	keep(&first);
	opens(&first, &own);
	opens(&first, &busy);
	opens(&first, &idle);
	is_sent(&first, &idle);
	is_answered(&first);
	a = ask(HOST_A);
	keep(&a);
	is_sent(&a, &own);
	now += 500;
	b = ask(HOST_A);
	keep(&b);
	is_sent(&b, &busy);
	now += 500;
	calls_expire(&all, now);
	assert_int_equal(a.failure, HTTP_TIMEOUT);
	assert_int_equal(b.ends, 0);
	assert_false(connection_is_open(&own));
	assert_true(connection_is_open(&busy));
	assert_false(connection_is_open(&idle));
	connection_close(&own);
	connection_close(&busy);
	connection_close(&idle);
}

static void test_broken(void **state)
{
	struct connection own = connection_make(), idle = connection_make();
	struct asked a = ask(HOST_A);

	(void)state;
	keep(&a);
	opens(&a, &own);
	opens(&a, &idle);
	is_sent(&a, &own);
	call_end(a.call, CURLE_RECV_ERROR);
	assert_int_equal(a.failure, HTTP_BROKEN);
	assert_true(connection_is_open(&idle)); /* that one may be well */
	connection_close(&own);
	connection_close(&idle);
}

/* ---- the way ---- */

static void test_proxies(void **state)
{
	static const struct {
		const char *no_proxy, *url;
		bool direct, proxied;
	} rows[] = {
		{ NULL, HOST_A, false, true },
		{ "", HOST_A, false, true },
		{ ".b.example", HOST_A, false, true },
		{ "a.example", HOST_A, false, false },
		{ "a.example:443", HOST_A, false, false },
		{ "a.example:8443", HOST_A, false, true },
		{ "b.example:8443", HOST_B, false, false },
		{ "*", HOST_B, false, false },
		{ NULL, HOST_A, true, false },
	};
	struct err err;

	(void)state;
	check_ok("proxy", proxy_parse(&all.proxy, "http://me:p%40w@p.example:1", &err),
		 &err);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *row = rows[i].no_proxy ? rows[i].no_proxy : rows[i].url;

		forget();
		all.options.no_proxy = rows[i].no_proxy;
		call_free(call_new(&all,
				   &(struct http_request){ .url = rows[i].url,
							   .direct = rows[i].direct },
				   on_done, NULL));
		check_text(row, told.proxy, rows[i].proxied ? "http://p.example:1" : "");
		check_text(row, told.user, rows[i].proxied ? "me" : NULL);
		check_text(row, told.password, rows[i].proxied ? "p@w" : NULL);
		/* Else libcurl would read the environment. */
		check_text(row, told.no_proxy, "");
	}
	forget();
	call_free(call_new(
		&all,
		&(struct http_request){ .url = "http://169.254.169.254/", .local = true },
		on_done, NULL));
	check_text("local", told.proxy, "");
}

/* Until it has let us through the blame is the proxy's. */
static void test_blame(void **state)
{
	struct connection c = connection_make();
	struct asked a, b;
	struct err err;

	(void)state;
	check_ok("proxy", proxy_parse(&all.proxy, "http://me:pw@p.example:1", &err),
		 &err);
	a = ask(HOST_A);
	b = ask(HOST_A);
	keep(&a);
	keep(&b);
	now += 1000;
	calls_expire(&all, now);
	check_holds("naming", a.msg, "no DNS answer for the proxy 'p.example:1' within");
	a = ask(HOST_A);
	b = ask(HOST_A);
	keep(&a);
	keep(&b);
	opens(&a, &c);
	now += 1000;
	calls_expire(&all, now);
	assert_int_equal(b.failure, HTTP_PROXY);
	check_holds("in the queue", b.msg,
		    "the proxy 'p.example:1' did not answer for 'a.example' within");
	a = ask(HOST_A);
	keep(&a);
	is_sent(&a, &c);
	now += 1000;
	calls_expire(&all, now);
	check_holds("through it", a.msg, "no answer from 'a.example' within");
	connection_close(&c);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_none),
		TEST(test_sockets),
		TEST(test_alone),
		TEST(test_queue),
		TEST(test_queue_of_a_silent_host),
		TEST(test_sent_and_kept_back),
		TEST(test_time_of_libcurl),
		TEST(test_other_hosts),
		TEST(test_named),
		TEST(test_named_later),
		TEST(test_sent_anew),
		TEST(test_sent_anew_without_connection),
		TEST(test_number_of_a_closed_connection),
		TEST(test_connections),
		TEST(test_broken),
		TEST(test_proxies),
		TEST(test_blame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
