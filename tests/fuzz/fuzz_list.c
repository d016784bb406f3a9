/* The pages of a list, with U+001E between: their items, and the page that each says
 * comes next. */
#include "base/text.h"
#include "reply.h"

static void fuzz_page(const uint8_t *data, size_t size, struct vault_list *list)
{
	struct http_reply reply = reply_of(data, size);
	const struct refusal_context context = {
		.list = true,
		.id = reply_id(data, size, "https://kv.vault.azure.net/secrets"),
		.client_id = "client",
		.vault = "shop-kv"
	};
	size_t before = list->count;
	struct err err = { 0 };
	int result = vault_list_parse(&reply, &context, "kv.vault.azure.net", list, &err);

	must_explain(result, &err);
	must(result == 0 || list->count == before);
	must(list->count >= before);
	/* A token goes there, so it must be the vault. */
	must(list->next == NULL ||
	     text_starts(list->next, "https://kv.vault.azure.net/") ||
	     text_starts(list->next, "https://kv.vault.azure.net:443") ||
	     text_starts(list->next, "https://kv.vault.azure.net?") ||
	     strncasecmp(list->next, "https://kv.vault.azure.net", 26) == 0);
	buf_done(&reply.body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vault_list list = { 0 };
	const uint8_t *end = data + size, *next;

	for (;; data = next + 1) {
		next = data < end ? memchr(data, '\x1e', (size_t)(end - data)) : NULL;
		fuzz_page(data, (size_t)((next ? next : end) - data), &list);
		if (next == NULL)
			break;
	}
	for (size_t i = 0; i < list.count; i++)
		must(list.items[i].name[0] != '\0');
	vault_list_done(&list);
	return 0;
}
