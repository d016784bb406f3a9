/* Which credential is taken of what is set, and how authority and cloud follow. */
#include "unit.h"

#include "config/auth.h"

static void test_choice(void **state)
{
	static char set[] = "x";
	static const struct {
		const char *row;
		struct settings s;
		bool in_kubernetes;
		enum settings_auth chosen;
	} rows[] = {
		{ "nothing, on a machine", { 0 }, false, AUTH_MANAGED_IDENTITY },
		{ "nothing, in a pod", { 0 }, true, AUTH_WORKLOAD_IDENTITY },
		{ "App Service",
		  { .identity_endpoint = set, .identity_header = set },
		  true,
		  AUTH_MANAGED_IDENTITY },
		{ "half of App Service",
		  { .identity_endpoint = set },
		  true,
		  AUTH_WORKLOAD_IDENTITY },
		{ "a projected token",
		  { .assertion_file = set,
		    .identity_endpoint = set,
		    .identity_header = set },
		  false,
		  AUTH_WORKLOAD_IDENTITY },
		{ "a certificate",
		  { .certificate_file = set, .assertion_file = set },
		  true,
		  AUTH_CLIENT_CERTIFICATE },
		{ "a secret",
		  { .client_secret = set, .certificate_file = set },
		  true,
		  AUTH_CLIENT_SECRET },
		{ "a secret's file",
		  { .client_secret_file = set, .assertion_file = set },
		  true,
		  AUTH_CLIENT_SECRET },
		{ "named",
		  { .auth = AUTH_MANAGED_IDENTITY, .client_secret = set },
		  true,
		  AUTH_MANAGED_IDENTITY },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct settings s = rows[i].s;

		auth_choose(&s, rows[i].in_kubernetes);
		check_int(rows[i].row, s.credential, rows[i].chosen);
	}
}

static void test_cloud(void **state)
{
	static const struct {
		const char *vault, *authority;
		int cloud;
		bool given;
		const char *becomes;
		int cloud_becomes;
	} rows[] = {
		{ "shop-kv", NULL, 0, false, "https://login.microsoftonline.com", 0 },
		{ "shop-kv", NULL, 1, true, "https://login.microsoftonline.us", 1 },
		{ "https://x.vault.azure.cn/", NULL, 0, false,
		  "https://login.partner.microsoftonline.cn", 2 },
		{ "https://x.managedhsm.usgovcloudapi.net", NULL, 0, false,
		  "https://login.microsoftonline.us", 1 },
		{ "https://x.vault.azure.cn", NULL, 0, true,
		  "https://login.microsoftonline.com", 0 },
		{ "https://x.vault.azure.cn.evil.example", NULL, 0, false,
		  "https://login.microsoftonline.com", 0 },
		{ "https://x.vault.azure.cn", "https://login.example//", 0, false,
		  "https://login.example", 0 },
		{ "shop-kv", "https://login.microsoftonline.us/", 0, false,
		  "https://login.microsoftonline.us", 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct settings s = { .vault = (char *)(uintptr_t)rows[i].vault,
				      .cloud = rows[i].cloud };
		struct err err = { 0 };

		if (rows[i].authority != NULL)
			s.authority = xstrdup(rows[i].authority);
		check_ok(rows[i].vault, auth_authority(&s, rows[i].given, &err), &err);
		check_text(rows[i].vault, s.authority, rows[i].becomes);
		check_int(rows[i].vault, s.cloud, rows[i].cloud_becomes);
		free(s.authority);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_choice),
		cmocka_unit_test(test_cloud),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
