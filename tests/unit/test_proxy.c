/* What HTTPS_PROXY may say: the parts, and messages without any of a password. */
#include "unit.h"

#include "net/proxy.h"

static void test_read(void **state)
{
	static const struct {
		const char *text, *url, *user, *password;
		bool port_given;
	} rows[] = {
		{ NULL, NULL, NULL, NULL, false },
		{ "", NULL, NULL, NULL, false },
		{ " \n", NULL, NULL, NULL, false },
		{ "http://p.example:3128", "http://p.example:3128", NULL, NULL, true },
		{ "https://p.example:3128", "https://p.example:3128", NULL, NULL, true },
		{ "HTTP://p.example:3128", "http://p.example:3128", NULL, NULL, true },
		{ "p.example:3128", "http://p.example:3128", NULL, NULL, true },
		{ "http://p.example:3128/", "http://p.example:3128", NULL, NULL, true },
		{ "  http://p.example:3128\r\n", "http://p.example:3128", NULL, NULL,
		  true },
		/* The port is that of the scheme, as Azure's SDKs take it. */
		{ "http://p.example", "http://p.example:80", NULL, NULL, false },
		{ "http://p.example:", "http://p.example:80", NULL, NULL, false },
		{ "http://p.example/", "http://p.example:80", NULL, NULL, false },
		{ "https://p.example", "https://p.example:443", NULL, NULL, false },
		{ "p.example", "http://p.example:80", NULL, NULL, false },
		/* Addresses. */
		{ "http://10.0.0.1:1", "http://10.0.0.1:1", NULL, NULL, true },
		{ "http://[fd00::1]:3128", "http://[fd00::1]:3128", NULL, NULL, true },
		{ "http://[fd00::1]", "http://[fd00::1]:80", NULL, NULL, false },
		{ "http://me:pw@[fd00::1]:9", "http://[fd00::1]:9", "me", "pw", true },
		/* User and password. */
		{ "http://me:pw@p.example:1", "http://p.example:1", "me", "pw", true },
		{ "me:pw@p.example:1", "http://p.example:1", "me", "pw", true },
		{ "http://me@p.example:1", "http://p.example:1", "me", "", true },
		{ "http://me:@p.example:1", "http://p.example:1", "me", "", true },
		{ "http://@p.example:1", "http://p.example:1", NULL, NULL, true },
		{ "http://me:p@ss@p.example:1", "http://p.example:1", "me", "p@ss",
		  true },
		{ "http://a@b:p@p.example:1", "http://p.example:1", "a@b", "p", true },
		{ "http://me:p:w@p.example:1", "http://p.example:1", "me", "p:w", true },
		{ "http://m%65:p%2Fw%40%3f@p.example:1", "http://p.example:1", "me",
		  "p/w@?", true },
		{ "http://me:100%@p.example:1", "http://p.example:1", "me", "100%",
		  true },
		{ "http://me:%zz%4@p.example:1", "http://p.example:1", "me", "%zz%4",
		  true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *row = rows[i].text ? rows[i].text : "(none)";
		struct proxy proxy;
		struct err err;

		check_ok(row, proxy_parse(&proxy, rows[i].text, &err), &err);
		check_text(row, proxy.url, rows[i].url);
		check_text(row, proxy.user, rows[i].user);
		check_text(row, proxy.password, rows[i].password);
		check_int(row, proxy.port_given, rows[i].port_given);
		if (proxy.url != NULL) {
			check_text(row, proxy.name, strstr(proxy.url, "://") + 3);
			check_int(row, proxy.tls, strncmp(proxy.url, "https", 5) == 0);
		}
		proxy_done(&proxy);
	}
}

#define SECRET "S3CRET"

static void test_refused(void **state)
{
	static const struct {
		const char *text, *cause;
	} rows[] = {
		{ "socks5://p.example:1080",
		  "HTTPS_PROXY: its scheme is not a proxy's; write" },
		{ "ftp://p.example", "its scheme is not a proxy's" },
		{ "://p.example", "its scheme is not a proxy's" },
		{ "http://", "names no host" },
		{ "http://me:" SECRET "@", "names no host" },
		{ "http://me:" SECRET "@:3128", "names no host" },
		{ "http://me:" SECRET, "not a port" },
		{ "me:" SECRET, "not a port" },
		{ "http://p.example:0", "not a port" },
		{ "http://p.example:65536", "not a port" },
		{ "http://p.example:3128x", "not a port" },
		{ "http://[fd00::1]3128", "not a port" },
		{ "http://me:" SECRET "/x@p.example:1", "written as %2F, %3F and %23" },
		{ "http://me:" SECRET "?x@p.example:1", "written as %2F, %3F and %23" },
		{ "me:" SECRET "#x@p.example:1", "written as %2F, %3F and %23" },
		{ "http://me:" SECRET "%00@p.example:1", "%00" },
		{ "http://p.example, http://q.example", "names no host" },
		{ "http://p example:1", "names no host" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct proxy proxy;
		struct err err;

		check_err(rows[i].text, proxy_parse(&proxy, rows[i].text, &err), &err,
			  ERR_CONFIG, rows[i].cause);
		check_holds(rows[i].text, err.msg, "HTTPS_PROXY: ");
		check(rows[i].text, strstr(err.msg, SECRET) == NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
