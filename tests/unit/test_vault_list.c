/* Pages of a vault's lists: what an item is, and where the next page may be.  A token
 * goes to the next page as well. */
#include "unit.h"

#include "azure/vault.h"

#define HOST "shop-kv.vault.azure.net"
#define VAULT "https://" HOST
#define VERSION "0123456789abcdef0123456789abcdef"
#define PAGE(items) "{\"value\":[" items "],\"nextLink\":null}"
#define ITEM(id) "{\"id\":\"" id "\"}"
#define NEXT(url) "{\"value\":[],\"nextLink\":\"" url "\"}"

static int parse(const char *body, struct vault_list *list, struct err *err)
{
	struct http_reply reply = { .status = 200, .body = BUF_INIT(64 * 1024) };
	int result;

	*err = (struct err){ 0 };
	buf_text(&reply.body, body);
	result = vault_list_parse(&reply,
				  &(struct refusal_context){ .kind = OBJECT_SECRET,
							     .list = true,
							     .vault = "shop-kv" },
				  HOST, list, err);
	buf_done(&reply.body);
	return result;
}

static void test_items(void **state)
{
	static const struct {
		const char *body;
		const char *name, *version; /* of the only item; NULL: there is none */
		bool enabled;
	} rows[] = {
		{ PAGE(""), NULL, NULL, false },
		{ PAGE(ITEM(VAULT "/secrets/a")), "a", "", true },
		{ PAGE(ITEM(VAULT "/secrets/A-1/" VERSION)), "A-1", VERSION, true },
		{ PAGE("{\"id\":\"" VAULT "/secrets/a\",\"attributes\":{\"enabled\":"
		       "false}}"),
		  "a", "", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct vault_list list = { 0 };
		struct err err;

		check_ok(rows[i].body, parse(rows[i].body, &list, &err), &err);
		check_int(rows[i].body, list.count, rows[i].name != NULL);
		if (rows[i].name != NULL) {
			check_text(rows[i].body, list.items[0].name, rows[i].name);
			check_text(rows[i].body, list.items[0].version, rows[i].version);
			check_int(rows[i].body, list.items[0].enabled, rows[i].enabled);
		}
		assert_null(list.next);
		vault_list_done(&list);
	}
}

/* What is not understood is never an empty list, whose objects would go. */
static void test_garbled(void **state)
{
	static const char *const rows[] = {
		"",
		"[]",
		"{}",
		"{\"value\":null}",
		"{\"value\":{}}",
		"{\"value\":\"none\"}",
		PAGE("{}"),
		PAGE("5"),
		PAGE(ITEM(VAULT "/secrets/")),
		PAGE(ITEM(VAULT "/secrets//" VERSION)),
		PAGE(ITEM(VAULT "/secrets/../x")),
		PAGE(ITEM(VAULT "/secrets/a.b")),
		PAGE(ITEM(VAULT "/secrets/a/0")),
		PAGE(ITEM(VAULT "/secrets/a/" VERSION "0")),
		PAGE(ITEM(VAULT "/keys/a")),
		"{\"value\":[],\"nextLink\":5}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct vault_list list = { 0 };
		struct err err;

		check_err(rows[i], parse(rows[i], &list, &err), &err, ERR_GARBLED,
			  "garbled reply");
		check_int(rows[i], list.count, 0);
		assert_null(list.next);
	}
}

static void test_next_page(void **state)
{
	static const struct {
		const char *body;
		bool is_ours;
	} rows[] = {
		{ NEXT(VAULT "/secrets?api-version=7.4&$skiptoken=x"), true },
		{ NEXT("https://SHOP-kv.vault.azure.net/secrets?x"), true },
		{ NEXT(VAULT ":443/secrets?x"), true },
		{ NEXT("http://" HOST "/secrets?x"), false },
		/* As long as https:// with the first letter of a name. */
		{ NEXT("http://x" HOST "/secrets?x"), false },
		{ NEXT(VAULT ":8443/secrets?x"), false },
		{ NEXT(VAULT ".evil.example/secrets?x"), false },
		{ NEXT("https://evil.example/" HOST), false },
		{ NEXT("https://other-kv.vault.azure.net/secrets?x"), false },
		{ NEXT("https://" HOST "@evil.example/secrets"), false },
		{ NEXT("https://evil.example#" HOST), false },
		{ NEXT("/secrets?x"), false },
		{ NEXT(VAULT "/secrets?a b"), false },
		{ NEXT(VAULT "/secrets?a\\r\\nX: y"), false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct vault_list list = { 0 };
		struct err err;

		check_int(rows[i].body, parse(rows[i].body, &list, &err),
			  rows[i].is_ours ? 0 : -1);
		check_int(rows[i].body, list.next != NULL, rows[i].is_ours);
		vault_list_done(&list);
	}
}

/* A disabled object is not published, also when its value came. */
static void test_disabled(void **state)
{
	struct http_reply reply = { .status = 200, .body = BUF_INIT(1024) };
	struct vault_object got = { 0 };
	struct err err = { 0 };

	(void)state;
	buf_text(&reply.body,
		 "{\"value\":\"MARKER\",\"id\":\"" VAULT "/secrets/a/" VERSION
		 "\",\"attributes\":{\"enabled\":false}}");
	check_err("disabled",
		  vault_object_parse(&reply,
				     &(struct refusal_context){ .kind = OBJECT_SECRET,
								.vault = "shop-kv" },
				     &got, &err),
		  &err, ERR_DENIED, "is disabled");
	assert_null(got.value.data);
	buf_done(&reply.body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_items),
		cmocka_unit_test(test_garbled),
		cmocka_unit_test(test_next_page),
		cmocka_unit_test(test_disabled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
