/* Which hosts NO_PROXY names. */
#include "unit.h"

#include "net/noproxy.h"

static void test_noproxy(void **state)
{
	static const char host[] = "shop-kv.vault.azure.net:443";
	static const struct {
		const char *list;
		bool named;
	} rows[] = {
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
		{ ".VAULT.azure.Net", true },
		{ "a.example,.azure.net", true },
		{ "a.example azure.net", true },
		{ "shop-kv.vault.azure.net", true },
		{ ".shop-kv.vault.azure.net", true },
		{ "kv.vault.azure.net", false },
		{ "ault.azure.net", false },
		{ "vault.azure.net.example", false },
		{ "shop-kv", false },
		{ "10.0.0.0/8", false },
		{ "my-shop-kv.vault.azure.net", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_int(rows[i].list ? rows[i].list : "(none)",
			  noproxy_names(rows[i].list, host), rows[i].named);
	assert_false(noproxy_names(".azure.net", "[fe80::1]:443"));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_noproxy) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
