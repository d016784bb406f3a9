/* A page of a list: its items, and the page that it says comes next. */
#include "base/text.h"
#include "reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_reply reply = reply_of(data, size);
	const struct refusal_context context = { .list = true,
						 .client_id = "client",
						 .vault = "shop-kv" };
	struct vault_list list = { 0 };
	struct err err = { 0 };
	int result =
		vault_list_parse(&reply, &context, "kv.vault.azure.net", &list, &err);

	must_explain(result, &err);
	/* A token goes there, so it must be the vault. */
	must(list.next == NULL || text_starts(list.next, "https://kv.vault.azure.net/") ||
	     text_starts(list.next, "https://kv.vault.azure.net:443") ||
	     text_starts(list.next, "https://kv.vault.azure.net?") ||
	     strncasecmp(list.next, "https://kv.vault.azure.net", 26) == 0);
	must(result == 0 || list.count == 0);
	vault_list_done(&list);
	buf_done(&reply.body);
	return 0;
}
