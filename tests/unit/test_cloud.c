/* The clouds, and what follows from a vault's name or URL. */
#include "unit.h"

#include "config/cloud.h"

static void test_clouds(void **state)
{
	static const struct {
		const char *name, *authority, *resource;
	} rows[] = {
		{ "public", "https://login.microsoftonline.com",
		  "https://vault.azure.net" },
		{ "usgov", "https://login.microsoftonline.us",
		  "https://vault.usgovcloudapi.net" },
		{ "china", "https://login.partner.microsoftonline.cn",
		  "https://vault.azure.cn" },
	};

	(void)state;
	for (int i = 0; i < (int)ARRAY_LEN(rows); i++) {
		const struct cloud *cloud = cloud_at(i);
		struct cloud_vault vault;
		struct err err = { 0 };

		check_text(rows[i].name, cloud->name, rows[i].name);
		check_text(rows[i].name, cloud->authority, rows[i].authority);
		check_int(rows[i].name, cloud_by_name(rows[i].name), i);
		check_int(rows[i].name, cloud_by_authority(rows[i].authority), i);
		check_ok(rows[i].name,
			 cloud_vault_resolve(&vault, "shop-kv", cloud, false, &err),
			 &err);
		check_text(rows[i].name, vault.resource, rows[i].resource);
		cloud_vault_done(&vault);
	}
	assert_null(cloud_at(-1));
	assert_null(cloud_at((int)ARRAY_LEN(rows)));
	assert_int_equal(cloud_by_name("Public"), 0);
	assert_int_equal(cloud_by_name("germany"), -1);
	assert_int_equal(cloud_by_name(""), -1);
	assert_int_equal(cloud_by_authority("https://login.chinacloudapi.cn"), 2);
	assert_int_equal(cloud_by_authority("https://LOGIN.microsoftonline.com"), 0);
	assert_int_equal(cloud_by_authority("https://login.microsoftonline.com.evil"),
			 -1);
	assert_int_equal(cloud_by_authority("http://login.microsoftonline.com"), -1);
}

static void test_resolved(void **state)
{
	static const struct {
		const char *vault, *url, *resource, *name;
	} rows[] = {
		{ "shop-kv", "https://shop-kv.vault.azure.net", "https://vault.azure.net",
		  "shop-kv" },
		{ "Shop-KV", "https://shop-kv.vault.azure.net", "https://vault.azure.net",
		  "shop-kv" },
		{ "abc", "https://abc.vault.azure.net", "https://vault.azure.net",
		  "abc" },
		{ "a23456789012345678901234",
		  "https://a23456789012345678901234.vault.azure.net",
		  "https://vault.azure.net", "a23456789012345678901234" },
		{ "https://shop-kv.vault.azure.cn/", "https://shop-kv.vault.azure.cn",
		  "https://vault.azure.cn", "shop-kv" },
		{ "https://SHOP.Vault.Azure.Net", "https://shop.vault.azure.net",
		  "https://vault.azure.net", "shop" },
		{ "https://shop.vault.azure.net:443/", "https://shop.vault.azure.net",
		  "https://vault.azure.net", "shop" },
		/* The port is no part of the audience. */
		{ "https://kv.vault.example:8443", "https://kv.vault.example:8443",
		  "https://vault.example", "kv" },
		{ "https://shop.vault.azure.net:10443/",
		  "https://shop.vault.azure.net:10443", "https://vault.azure.net",
		  "shop" },
		{ "https://hsm1.managedhsm.azure.net/",
		  "https://hsm1.managedhsm.azure.net", "https://managedhsm.azure.net",
		  "hsm1" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct cloud_vault v;
		struct err err = { 0 };

		check_ok(rows[i].vault,
			 cloud_vault_resolve(&v, rows[i].vault, cloud_at(0), false, &err),
			 &err);
		check_text(rows[i].vault, v.url, rows[i].url);
		check_text(rows[i].vault, v.resource, rows[i].resource);
		check_text(rows[i].vault, v.name, rows[i].name);
		check_text(rows[i].vault, v.host, rows[i].url + strlen("https://"));
		cloud_vault_done(&v);
	}
}

static void test_refused(void **state)
{
	static const char *const rows[] = {
		"",
		"ab",
		"a234567890123456789012345",
		"1shop",
		"-shop",
		"shop-",
		"shop--kv",
		"shop_kv",
		"shop.kv",
		"shop kv",
		"shop-kv.vault.azure.net",
		"http://shop-kv.vault.azure.net",
		"HTTPS://shop-kv.vault.azure.net",
		"https://",
		"https:///",
		"https://shop",
		"https://.vault.azure.net",
		"https://-shop.vault.azure.net",
		"https://shop.-vault.azure.net",
		"https://shop..azure.net",
		"https://shop.vault.azure.net.",
		"https://shop.vault.azure.net//",
		"https://shop.vault.azure.net/secrets/x",
		"https://shop.vault.azure.net?x=y",
		"https://shop.vault.azure.net#x",
		"https://user@shop.vault.azure.net",
		"https://shop.vault.azure.net@evil.example",
		"https://shop.vault.azure.net:",
		"https://shop.vault.azure.net:0",
		"https://shop.vault.azure.net:65536",
		"https://shop.vault.azure.net:44 3",
		"https://shop.vault.azure.net:443:443",
		"https://shop.vault.azure.net\r\nHost: evil",
		"https://10.0.0.4",
		"https://[fe80::1]",
		"https://sh%6fp.vault.azure.net",
		"https://shop.privatelink.vaultcore.azure.net",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct cloud_vault v = { 0 };
		struct err err = { 0 };

		check_int(rows[i],
			  cloud_vault_resolve(&v, rows[i], cloud_at(0), false, &err), -1);
		check_int(rows[i], err.kind, ERR_CONFIG);
		check(rows[i], v.url == NULL && v.host == NULL);
	}
}

/* Where emulators are: with the check of challenges off, and with the cloud's audience.
 */
static void test_test_hosts(void **state)
{
	static const struct {
		const char *vault, *host, *resource, *name;
	} rows[] = {
		{ "https://localhost:8443", "localhost:8443", "https://vault.azure.cn",
		  "localhost" },
		{ "https://Emulator/", "emulator", "https://vault.azure.cn", "emulator" },
		{ "https://127.0.0.1:4997", "127.0.0.1:4997", "https://vault.azure.cn",
		  "127.0.0.1" },
		{ "https://[::1]:8443", "[::1]:8443", "https://vault.azure.cn", "[::1]" },
		{ "https://[::1]:443", "[::1]", "https://vault.azure.cn", "[::1]" },
		{ "https://demo.localhost:8443", "demo.localhost:8443",
		  "https://localhost", "demo" },
		{ "shop-kv", "shop-kv.vault.azure.cn", "https://vault.azure.cn",
		  "shop-kv" },
	};
	static const char *const refused[] = {
		"https://",
		"https://:8443",
		"https://[::1",
		"https://[::1]8443",
		"https://[]",
		"https://local_host",
		"https://user@localhost",
		"https://localhost/secrets",
		"https://localhost:0",
		"http://localhost:8443",
		"localhost:8443",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct cloud_vault v;
		struct err err = { 0 };

		check_ok(rows[i].vault,
			 cloud_vault_resolve(&v, rows[i].vault, cloud_at(2), true, &err),
			 &err);
		check_text(rows[i].vault, v.host, rows[i].host);
		check_text(rows[i].vault, v.resource, rows[i].resource);
		check_text(rows[i].vault, v.name, rows[i].name);
		check_text(rows[i].vault, v.url + strlen("https://"), rows[i].host);
		cloud_vault_done(&v);
	}
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct cloud_vault v = { 0 };
		struct err err = { 0 };

		check_err(refused[i],
			  cloud_vault_resolve(&v, refused[i], cloud_at(2), true, &err),
			  &err, ERR_CONFIG, refused[i]);
	}
}

/* Who gives such a host without it is told how; who mistypes a URL is not. */
static void test_switch_is_named(void **state)
{
	static const struct {
		const char *vault;
		bool named;
	} rows[] = {
		{ "https://localhost:8443", true },   { "https://127.0.0.1:8443", true },
		{ "https://[::1]:8443", true },       { "https://shop", true },
		{ "https://shop..azure.net", false }, { "https://shop:99999", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct cloud_vault v = { 0 };
		struct err err = { 0 };

		check_err(
			rows[i].vault,
			cloud_vault_resolve(&v, rows[i].vault, cloud_at(0), false, &err),
			&err, ERR_CONFIG, "is not a vault URL");
		check_int(rows[i].vault,
			  strstr(err.msg, "AKVSYNC_VERIFY_CHALLENGE=false") != NULL,
			  rows[i].named);
	}
}

static void test_long_host(void **state)
{
	auto_free char *url = xcalloc(1, 400);
	struct cloud_vault v;
	struct err err = { 0 };

	(void)state;
	memset(url, 'a', 300);
	memcpy(url, "https://", 8);
	memcpy(url + 300, ".azure.net", 11);
	assert_int_equal(cloud_vault_resolve(&v, url, cloud_at(0), false, &err), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clouds),          cmocka_unit_test(test_resolved),
		cmocka_unit_test(test_refused),         cmocka_unit_test(test_test_hosts),
		cmocka_unit_test(test_switch_is_named), cmocka_unit_test(test_long_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
