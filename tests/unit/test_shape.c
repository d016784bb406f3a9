/* What identifiers look like: what may be shown, and what may be a secret. */
#include "unit.h"

#include "base/shape.h"

#define GUID "33333333-3333-3333-3333-33333333abCD"

enum {
	IS_GUID = 1,
	IS_DOMAIN = 2,
	IS_HOST = 4,
	IS_URL = 8,
	IS_PROXY = 16,
	IS_PATH = 32,
	IS_ID = 64
};

static void test_shapes(void **state)
{
	static const struct {
		const char *text;
		int is;
	} rows[] = {
		{ GUID, IS_GUID | IS_HOST | IS_PROXY },
		{ GUID "0", IS_HOST | IS_PROXY },
		{ "3333333-33333-3333-3333-333333333333", IS_HOST | IS_PROXY },
		{ "33333333-3333-3333-3333-33333333333g", IS_HOST | IS_PROXY },
		{ "contoso.onmicrosoft.com", IS_DOMAIN | IS_HOST | IS_PROXY },
		{ "A-1.b2.xy", IS_DOMAIN | IS_HOST | IS_PROXY },
		{ "a.b", IS_HOST | IS_PROXY },
		{ "a.b2", IS_HOST | IS_PROXY },
		{ "10.0.0.1", IS_HOST | IS_PROXY },
		{ "localhost", IS_HOST | IS_PROXY },
		{ "[fe80::1]", IS_HOST | IS_PROXY },
		{ "[::ffff:10.0.0.1]:80", IS_PROXY },
		{ "[::1", 0 },
		{ "[]", 0 },
		{ "[xyz]", 0 },
		{ "[::1]x", 0 },
		{ "a..com", 0 },
		{ ".com", 0 },
		{ "-a.com", 0 },
		{ "a.-b.com", 0 },
		{ "a.com.", 0 },
		{ "", 0 },
		{ "https://login.example", IS_URL | IS_PROXY },
		{ "http://login.example:8443/a_b/~c.d-e", IS_URL | IS_PROXY },
		{ "https://[::1]:1", IS_URL | IS_PROXY },
		{ "https://", 0 },
		{ "https:///path", 0 },
		{ "https://a:", 0 },
		{ "https://a:123456", 0 },
		{ "https://a:1x", 0 },
		{ "https://a/?x", 0 },
		{ "https://a#x", 0 },
		{ "https://a b", 0 },
		{ "https://a/\xc3\xa9", 0 },
		{ "ftp://a", 0 },
		{ "https://user@a", IS_PROXY },
		{ "http://user:p@ss@a:3128/", IS_PROXY },
		{ "user:pa ss@a", IS_PROXY },
		{ "http://user:pass@", 0 },
		{ "http://user:pass", 0 },
		{ "/var/run/..data/a-b_c.d", IS_PATH },
		{ "/", IS_PATH },
		{ "/a b", 0 },
		{ "/a~b", 0 },
		{ "/a+b/c=", 0 },
		{ "a/b", IS_PROXY },
		{ "/subscriptions/1/resourceGroups/r_(g)/x.y-z", IS_ID },
		{ "/subscriptions/1", IS_PATH | IS_ID },
		{ "/subscriptions/1?x", 0 },
		{ "subscriptions/1", IS_PROXY },
		{ "Ab8Q~secret.of_an-app", 0 },
		{ "Ab8Q.secret", IS_DOMAIN | IS_HOST | IS_PROXY },
		{ "abc\n", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *s = rows[i].text;

		check_int(s, shape_is_guid(s), (rows[i].is & IS_GUID) != 0);
		check_int(s, shape_is_domain(s), (rows[i].is & IS_DOMAIN) != 0);
		check_int(s, shape_is_tenant(s),
			  (rows[i].is & (IS_GUID | IS_DOMAIN)) != 0);
		check_int(s, shape_is_host(s), (rows[i].is & IS_HOST) != 0);
		check_int(s, shape_is_url(s), (rows[i].is & IS_URL) != 0);
		check_int(s, shape_is_proxy(s), (rows[i].is & IS_PROXY) != 0);
		check_int(s, shape_is_path(s), (rows[i].is & IS_PATH) != 0);
		check_int(s, shape_is_resource_id(s), (rows[i].is & IS_ID) != 0);
	}
}

/* The longest name, and one more. */
static void test_long(void **state)
{
	char name[256];

	(void)state;
	memset(name, 'a', sizeof(name));
	name[253] = '\0';
	assert_true(shape_is_host(name));
	name[253] = 'a';
	name[254] = '\0';
	assert_false(shape_is_host(name));
}

static void test_hosts(void **state)
{
	(void)state;
	check("a list", shape_is_hosts(".svc, 10.0.0.0/8;[fe80::1%eth0]:443,*"));
	check("a user", !shape_is_hosts("user:password@proxy"));
	check("a secret", !shape_is_hosts("Ab8Q~secret.of_an-app"));
	check("base64", !shape_is_hosts("a+b/c="));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
