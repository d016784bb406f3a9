/* The reply to a key's request, and its PEM. */
#include "render/render.h"
#include "reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_reply reply = reply_of(data, size);
	struct vault_object o = { 0 };
	struct render_files files = { 0 };
	struct err err = { 0 };

	fuzz_object(OBJECT_KEY, &reply,
		    reply_id(data, size, "https://kv.vault.azure.net/keys/web"), &o);
	if (o.body != NULL)
		must_explain(render_object(&(struct render_how){ .path = "a",
								 .kind = OBJECT_KEY },
					   &(struct render_source){ .jwk = o.jwk },
					   &files, &err),
			     &err);
	render_files_done(&files);
	vault_object_done(&o);
	buf_done(&reply.body);
	return 0;
}
