/* Which hosts NO_PROXY names, and what is said of entries that name none. */
#include "unit.h"

#include "net/noproxy.h"

struct row {
	const char *list;
	bool named;
};

static void check_rows(const char *host, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		auto_free char *row = xasprintf("%s, NO_PROXY=%s", host,
						rows[i].list ? rows[i].list : "(unset)");

		check_int(row, noproxy_names(rows[i].list, host), rows[i].named);
	}
}

static void test_names(void **state)
{
	static const struct row rows[] = {
		{ NULL, false },
		{ "", false },
		{ " , ,", false },
		{ ".", false },
		{ "*.", false },
		{ "*", true },
		{ "a, *", true },
		{ "vault.azure.net", true },
		{ ".vault.azure.net", true },
		{ "*.vault.azure.net", true },
		{ "vault.azure.net.", true },
		{ ".VAULT.azure.Net", true },
		{ "a.example,.azure.net", true },
		{ "a.example azure.net", true },
		{ "a.example;azure.net", true },
		{ "a.example\tazure.net", true },
		{ "a.example\nazure.net\n", true },
		{ "azure.net\r\n", true },
		{ "a.example ; , .azure.net ;", true },
		{ "shop-kv.vault.azure.net", true },
		{ ".shop-kv.vault.azure.net", true },
		{ "net", true },
		{ "kv.vault.azure.net", false },
		{ "ault.azure.net", false },
		{ "vault.azure.net.example", false },
		{ "shop-kv", false },
		{ "my-shop-kv.vault.azure.net", false },
		/* Ports. */
		{ "shop-kv.vault.azure.net:443", true },
		{ ".azure.net:443", true },
		{ "*.azure.net:443", true },
		{ "*:443", true },
		{ "azure.net:8443", false },
		{ "*:8443", false },
		{ "azure.net:8443,azure.net", true },
		{ "azure.net:", false },
		{ "azure.net:0", false },
		{ "azure.net:https", false },
		{ "azure.net:70000", false },
		/* What is no entry names nothing. */
		{ "https://shop-kv.vault.azure.net", false },
		{ "shop-*.vault.azure.net", false },
		{ "*azure.net", false },
		{ "vault.azure.net/", false },
		{ "a.example|azure.net", false },
		/* No name is looked up. */
		{ "10.0.0.0/8", false },
		{ "0.0.0.0/0", false },
		{ "::/0", false },
	};

	(void)state;
	check_rows("shop-kv.vault.azure.net:443", rows, ARRAY_LEN(rows));
	check_rows("shop-kv.vault.azure.net", rows, ARRAY_LEN(rows));
	check_rows("shop-kv.vault.azure.net.", rows, ARRAY_LEN(rows));
	assert_true(noproxy_names("azure.net:8443", "kv.azure.net:8443"));
	assert_false(noproxy_names("azure.net:443", "kv.azure.net:8443"));
	assert_true(noproxy_names("localhost", "localhost:1"));
}

static void test_addresses(void **state)
{
	static const struct row rows[] = {
		{ "10.1.2.3", true },
		{ "10.1.2.3:8443", true },
		{ "10.1.2.3:443", false },
		{ "[10.1.2.3]", true },
		{ "10.0.0.0/8", true },
		{ "10.99.0.0/8", true },
		{ "10.1.2.0/24:8443", true },
		{ "10.1.2.0/24:443", false },
		{ "10.1.2.3/32", true },
		{ "10.1.2.2/31", true },
		{ "10.1.2.2/32", false },
		{ "10.1.0.0/17", true },
		{ "10.1.128.0/17", false },
		{ "11.0.0.0/8", false },
		{ "0.0.0.0/0", true },
		{ "192.168.0.0/16; 10.0.0.0/8", true },
		{ "::ffff:10.1.2.3", true },
		{ "::ffff:10.0.0.0/104", true },
		{ "fd00::/8", false },
		{ "*", true },
		/* Not by its letters. */
		{ "1.2.3", false },
		{ ".2.3", false },
		{ "10.1.2.30", false },
		{ "0.1.2.3", false },
		{ "10.1.2.*", false },
		{ "10.0.0.0/33", false },
		{ "10.0.0.0/", false },
		{ "10.0.0.0/-1", false },
		{ "10.0.0.0/8/8", false },
		{ "10.0.0", false },
	};
	static const struct row six[] = {
		{ "fe80::1", true },
		{ "[fe80::1]", true },
		{ "FE80:0:0:0:0:0:0:1", true },
		{ "[fe80::1]:443", true },
		{ "[fe80::1]:8443", false },
		{ "fe80::/10", true },
		{ "[fe80::/10]:443", true },
		{ "fe80::/129", false },
		{ "fd00::/8", false },
		{ "::/0", true },
		{ "fe80::2", false },
		{ "0.0.0.0/0", false },
		{ ".azure.net", false },
		{ "[", false },
		{ "[]", false },
		{ "]", false },
		{ ":", false },
		{ "::", false },
	};

	(void)state;
	check_rows("10.1.2.3:8443", rows, ARRAY_LEN(rows));
	check_rows("[fe80::1]:443", six, ARRAY_LEN(six));
	check_rows("[fe80::1]", six, ARRAY_LEN(six));
}

static void test_mistakes(void **state)
{
	static const struct {
		const char *list, *entry, *fix;
	} rows[] = {
		{ NULL, NULL, NULL },
		{ "*, .a.example ;10.0.0.0/8\n[::1]:80 fd00::/8 a_b.example:443.",
		  "a_b.example:443.", "not a port" },
		{ "*,.a.example;10.0.0.0/8\nlocalhost [::1]:80 fd00::/8 x:1", NULL,
		  NULL },
		{ "https://kv.vault.azure.net/", "https://kv.vault.azure.net/",
		  "the host alone" },
		{ "kv.vault.azure.net/secrets", "kv.vault.azure.net/secrets",
		  "such as .vault.azure.net" },
		{ "shop-*.vault.azure.net", "shop-*.vault.azure.net",
		  "such as .vault.azure.net" },
		{ "a.example|b.example", "a.example|b.example", "commas between" },
		{ "<local>", "<local>", "such as .vault.azure.net" },
		{ "10.0.0.*", "10.0.0.*", "10.0.0.0/8" },
		{ "10.0.0.0/33", "10.0.0.0/33", "10.0.0.0/8" },
		{ "10.", "10.", "10.0.0.0/8" },
		{ "fd00::/200", "fd00::/200", "fd00::/8" },
		{ "a.example:http", "a.example:http", "not a port" },
		{ "http://me:S3CRET@p.example", "(user)@…", "the host alone" },
	};
	char entry[NOPROXY_ENTRY_LEN];
	const char *fix;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *row = rows[i].list ? rows[i].list : "(unset)";

		fix = noproxy_mistake(rows[i].list, 0, entry);
		check_int(row, fix != NULL, rows[i].entry != NULL);
		if (fix == NULL)
			continue;
		check_text(row, entry, rows[i].entry);
		check_holds(row, fix, rows[i].fix);
		check(row, noproxy_mistake(rows[i].list, 1, entry) == NULL);
	}
	fix = noproxy_mistake("a*,b.example,c|d,e:x", 2, entry);
	assert_non_null(fix);
	assert_string_equal(entry, "e:x");
	assert_null(noproxy_mistake("a*,b.example,c|d,e:x", 3, entry));
}

static void test_networks(void **state)
{
	(void)state;
	assert_false(noproxy_has_networks(NULL));
	assert_false(noproxy_has_networks("*,a.example,10.0.0.*"));
	assert_true(noproxy_has_networks("a.example;10.0.0.0/8"));
	assert_true(noproxy_has_networks("[::1]:443"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_networks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
