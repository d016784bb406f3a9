/* The vaults of a configuration: one for each, however it is spelled. */
#include "fake_log.h"

#include "sync/source.h"

static struct sources all;

static int set_up(void **state)
{
	(void)state;
	all = (struct sources){ .cloud = cloud_at(0) };
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	sources_done(&all);
	buf_done(&said);
	return 0;
}

static struct source *get(const char *vault)
{
	struct source *source = NULL;
	struct err err = { 0 };

	check_ok(vault ? vault : "(default)", sources_get(&all, vault, &source, &err),
		 &err);
	return source;
}

static void test_spellings(void **state)
{
	static const char *const same[] = { "shop-kv", "SHOP-KV",
					    "https://shop-kv.vault.azure.net",
					    "https://Shop-KV.vault.azure.net/",
					    "https://shop-kv.vault.azure.net:443" };
	static const char *const others[] = { "other-kv",
					      "https://shop-kv.vault.azure.cn",
					      "https://shop-kv.managedhsm.azure.net" };
	struct source *shop;

	(void)state;
	shop = get("shop-kv");
	for (size_t i = 0; i < ARRAY_LEN(same); i++)
		check(same[i], get(same[i]) == shop);
	assert_ptr_equal(get(NULL), shop); /* the first is the default */
	assert_int_equal(all.count, 1);
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		struct source *other = get(others[i]);

		check(others[i], other != shop);
		check_int(others[i], other->index, i + 1);
	}
}

static void test_managed_hsm(void **state)
{
	static const struct {
		const char *text;
		bool fits;
	} rows[] = {
		{ "key/a", true },
		{ "a", false },
		{ "cert/a", false },
	};

	(void)state;
	get("https://safe.managedhsm.azure.net");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct objects objects = { 0 };
		struct err err = { 0 };
		int result;

		check_ok(rows[i].text, objects_parse(&objects, rows[i].text, 0440, &err),
			 &err);
		result = sources_add(&all, &objects, &err);
		if (rows[i].fits)
			check_ok(rows[i].text, result, &err);
		else
			check_err(rows[i].text, result, &err, ERR_CONFIG,
				  "holds keys only");
		objects_done(&objects);
	}
}

/* What slows all requests to a vault down, and not only the one that was answered so. */
static void test_throttled(void **state)
{
	static const struct {
		int status, retry_after_ms;
		bool want;
	} rows[] = {
		{ 429, 0, true },  { 429, 1, true },  { 503, 1, true },
		{ 500, 1, true },  { 408, 1, true },  { 503, 0, false },
		{ 408, 0, false }, { 403, 1, false }, { 200, 1, false },
		{ 200, 0, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *row = xasprintf("%d", rows[i].status);
		struct http_reply reply = { .status = rows[i].status,
					    .retry_after_ms = rows[i].retry_after_ms };

		check_int(row, source_is_throttled(&reply), rows[i].want);
	}
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_spellings),
		TEST(test_managed_hsm),
		TEST(test_throttled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
