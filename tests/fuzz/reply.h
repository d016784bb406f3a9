/* reply.h: a vault's reply whose first byte chooses a status, and whether the answer must
 * be of one vault and object. */
#ifndef TESTS_FUZZ_REPLY_H
#define TESTS_FUZZ_REPLY_H

#include "azure/vault.h"
#include "fuzz.h"

/* The id that is asked for: that of web in the vault kv, or NULL. */
static inline const char *reply_id(const uint8_t *data, size_t size, const char *id)
{
	return size > 0 && data[0] == 1 ? id : NULL;
}

static inline struct http_reply reply_of(const uint8_t *data, size_t size)
{
	static const int statuses[] = {
		200, 200, 200, 400, 401, 403, 404, 429, 503, 302
	};
	struct http_reply reply = { .status = 200, .body = BUF_INIT(16 * 1024 * 1024) };
	struct err err;

	if (size > 0 && data[0] < ARRAY_LEN(statuses)) {
		reply.status = statuses[data[0]];
		data++;
		size--;
	}
	must(buf_add(&reply.body, data, size, &err) == 0);
	return reply;
}

static inline void fuzz_object(enum object_kind kind, struct http_reply *reply,
			       const char *id, struct vault_object *object)
{
	const struct refusal_context context = {
		.kind = kind, .id = id, .client_id = "client", .vault = "shop-kv"
	};
	struct err err = { 0 };
	int result = vault_object_parse(reply, &context, object, &err);

	must_explain(result, &err);
	must(result < 0 || strlen(object->version) == VAULT_VERSION_LEN);
}

#endif
