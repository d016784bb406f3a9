/* What a vault's 401 may ask for: every known shape, and every way to lure a token away.
 */
#include "unit.h"

#include "azure/challenge.h"

#define TENANT "72f988bf-86f1-41af-91ab-2d7cd011db47"
#define LOGIN "https://login.microsoftonline.com/"

static void test_parsed(void **state)
{
	static const struct {
		const char *header, *resource, *tenant;
	} rows[] = {
		{ "Bearer authorization=\"" LOGIN TENANT
		  "\", resource=\"https://vault.azure.net\"",
		  "https://vault.azure.net", TENANT },
		{ "Bearer authorization_uri=\"" LOGIN TENANT
		  "/\" scope=\"https://vault.azure.net/.default\"",
		  "https://vault.azure.net", TENANT },
		{ "bearer RESOURCE=https://vault.azure.net, Authorization=" LOGIN TENANT,
		  "https://vault.azure.net", TENANT },
		{ "Bearer authorization=\"https://host/dstsv2/" TENANT "\","
		  "resource=\"https://vault.azure.net/\"",
		  "https://vault.azure.net", TENANT },
		{ "Bearer authorization=\"" LOGIN TENANT
		  "?x=y\",resource=\"https://vault.azure.net///\"",
		  "https://vault.azure.net", TENANT },
		{ "Bearer realm=\"\", resource=\"https://vault.azure.net\", error=\"x\"",
		  "https://vault.azure.net", "" },
		{ "Bearer authorization=\"\", resource=\"https://vault.azure.net\"",
		  "https://vault.azure.net", "" },
		{ "Bearer authorization=\"https://login\",resource=\"https://a\"",
		  "https://a", "" },
		{ "Bearer resource=\"https://vault.azure.net", /* never closed */
		  "https://vault.azure.net", "" },
		{ "Bearer resource=\"https://vault.azure.net/.DEFAULT\"",
		  "https://vault.azure.net", "" },
		{ "Bearer\tresource=https://vault.azure.net:8443\t",
		  "https://vault.azure.net:8443", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct challenge c;
		struct err err = { 0 };

		check_ok(rows[i].header, challenge_parse(rows[i].header, &c, &err), &err);
		check_text(rows[i].header, c.resource, rows[i].resource);
		check_text(rows[i].header, c.tenant, rows[i].tenant);
	}
}

static void test_no_challenge(void **state)
{
	static const char *const rows[] = {
		"",
		"Basic realm=x",
		"Bear",
		"Bearer",
		"Bearer ,,,",
		"Bearer resource",
		"Bearer resource=",
		"Bearer resource=\"\"",
		"Bearer resource=\"///\"",
		"Bearer =\"https://vault.azure.net\"",
		"Bearer authorization=\"" LOGIN TENANT "\"",
		"Bearer xresource=\"https://vault.azure.net\"",
		"Bearer resourcex=\"https://vault.azure.net\"",
		"PoP resource=\"https://vault.azure.net\"",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct challenge c;
		struct err err = { 0 };

		check_err(rows[i], challenge_parse(rows[i], &c, &err), &err,
			  ERR_UNAVAILABLE, "hallenge");
	}
}

/* Longer than any real one: cut, never past the end. */
static void test_long(void **state)
{
	auto_free char *big = xcalloc(1, 1001);
	auto_free char *header = NULL;
	struct challenge c;
	struct err err = { 0 };

	(void)state;
	memset(big, 'a', 1000);
	header =
		xasprintf("Bearer authorization=\"https://l/%s\",resource=\"https://%s\"",
			  big, big);
	check_ok("long", challenge_parse(header, &c, &err), &err);
	assert_int_equal(strlen(c.tenant), sizeof(c.tenant) - 1);
	assert_int_equal(strlen(c.resource), sizeof(c.resource) - 1);
	check_err("long", challenge_check(&c, "a.vault.azure.net", TENANT, &err), &err,
		  ERR_CONFIG, "not its own domain");
}

static void test_domain(void **state)
{
	static const struct {
		const char *host, *resource;
		bool accepted;
	} rows[] = {
		{ "shop.vault.azure.net", "https://vault.azure.net", true },
		{ "shop.vault.azure.net", "HTTPS://Vault.Azure.NET", true },
		{ "shop.VAULT.azure.net", "https://vault.azure.net", true },
		{ "hsm.managedhsm.azure.net", "https://managedhsm.azure.net", true },
		{ "a.b.vault.azure.net", "https://vault.azure.net", true },
		{ "kv.vault.example:8443", "https://vault.example:8443", true },
		/* An audience has no port, whatever port the vault is reached by. */
		{ "kv.vault.example:8443", "https://vault.example", true },
		{ "shop.vault.azure.net:443", "https://vault.azure.net", true },
		/* Hosts that only look like the domain. */
		{ "evilvault.azure.net", "https://vault.azure.net", false },
		{ "shop.evilvault.azure.net", "https://vault.azure.net", false },
		{ "vault.azure.net", "https://vault.azure.net", false },
		{ ".vault.azure.net", "https://vault.azure.net", false },
		{ "shop.vault.azure.net.evil.example", "https://vault.azure.net", false },
		{ "shop.vault.azure.net.", "https://vault.azure.net", false },
		/* Resources of somebody else. */
		{ "shop.vault.azure.net", "https://graph.microsoft.com", false },
		{ "shop.vault.azure.net", "https://management.azure.com", false },
		{ "shop.vault.azure.net", "https://evil.example/vault.azure.net", false },
		{ "shop.vault.azure.net", "https://vault.azure.net@evil.example", false },
		{ "shop.vault.azure.net", "https://x@vault.azure.net", false },
		{ "shop.vault.azure.net", "https://vault.azure.net.evil.example", false },
		{ "shop.vault.azure.net", "https://vault.azure.net.", false },
		{ "shop.vault.azure.net", "https://.vault.azure.net", false },
		{ "shop.vault.azure.net", "https://vault.azure.net:443", false },
		{ "shop.vault.azure.net", "https://vault.azure.net/x", false },
		{ "shop.vault.azure.net", "https://vault.azure.net?x", false },
		{ "shop.vault.azure.net", "https://shop.vault.azure.net", false },
		{ "shop.vault.azure.net", "https://", false },
		{ "shop.vault.azure.net", "http://vault.azure.net", false },
		{ "shop.vault.azure.net", "vault.azure.net", false },
		{ "shop.vault.azure.net", "https:vault.azure.net", false },
		{ "shop.vault.azure.net", "http://.vault.azure.net", false },
		{ "shop.vault.azure.net", "ftp://x/vault.azure.net", false },
		{ "shop.vault.azure.net", "", false },
		{ "", "https://vault.azure.net", false },
		{ "kv.vault.example:8443", "https://vault.example:8444", false },
		{ "kv.vault.example:8443", "https://vault.example:84", false },
		{ "kv.vault.example:8443", "https://vault.example:", false },
		{ "localhost:8443", "https://localhost:8443", false },
		{ "[::1]:8443", "https://[::1]:8443", false },
		{ "kv.vault.example:8443", "https://vault.example:443", false },
		/* The port alone is no domain. */
		{ "kv.vault.example:8443", "https://8443", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *row =
			xasprintf("%s asks for %s", rows[i].host, rows[i].resource);
		struct challenge c = { 0 };
		struct err err = { 0 };
		int result;

		snprintf(c.resource, sizeof(c.resource), "%s", rows[i].resource);
		result = challenge_check(&c, rows[i].host, TENANT, &err);
		if (rows[i].accepted)
			check_ok(row, result, &err);
		else
			check_err(row, result, &err, ERR_CONFIG, rows[i].host);
		if (!rows[i].accepted)
			check_holds(row, err.msg, "AKVSYNC_VERIFY_CHALLENGE=false");
	}
}

static void test_tenant(void **state)
{
	static const struct {
		const char *of_vault, *ours;
		bool accepted;
	} rows[] = {
		{ TENANT, TENANT, true },
		{ "72F988BF-86F1-41AF-91AB-2D7CD011DB47", TENANT, true },
		{ "", TENANT, true },
		{ "00000000-86f1-41af-91ab-2d7cd011db47", TENANT, false },
		/* A domain cannot be compared with the GUID that vaults name. */
		{ TENANT, "contoso.onmicrosoft.com", true },
		{ TENANT, "contoso-prod.onmicrosoft.com", true },
		{ "contoso.onmicrosoft.com", TENANT, true },
		/* Any tenant: the configured one is tried. */
		{ "common", TENANT, true },
		{ "organizations", TENANT, true },
		{ "consumers", TENANT, true },
		{ "secrets", TENANT, true },
		{ TENANT, NULL, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct challenge c = { .resource = "https://vault.azure.net" };
		struct err err = { 0 };
		int result;

		snprintf(c.tenant, sizeof(c.tenant), "%s", rows[i].of_vault);
		result = challenge_check(&c, "shop.vault.azure.net", rows[i].ours, &err);
		if (rows[i].accepted)
			check_ok(rows[i].of_vault, result, &err);
		else
			check_err(rows[i].of_vault, result, &err, ERR_CONFIG,
				  "AZURE_TENANT_ID");
	}
}

/* A server's bytes do not reach a log as they are. */
static void test_unprintable(void **state)
{
	struct challenge c = { .resource = "https://vault.azure.net\x1b[2J" };
	struct err err = { 0 };

	(void)state;
	check_err("escape", challenge_check(&c, "shop.vault.azure.net", TENANT, &err),
		  &err, ERR_CONFIG, "(unprintable)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parsed), cmocka_unit_test(test_no_challenge),
		cmocka_unit_test(test_long),   cmocka_unit_test(test_domain),
		cmocka_unit_test(test_tenant), cmocka_unit_test(test_unprintable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
