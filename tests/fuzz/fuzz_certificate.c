/* The reply to a certificate's request, and its PEM. */
#include "render/render.h"
#include "reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_reply reply = reply_of(data, size);
	struct vault_object o = { 0 };
	struct render_files files = { 0 };
	struct err err = { 0 };

	fuzz_object(OBJECT_CERTIFICATE, &reply,
		    reply_id(data, size, "https://kv.vault.azure.net/certificates/web"),
		    &o);
	if (o.body != NULL)
		must_explain(
			render_object(&(struct render_how){ .path = "a",
							    .kind = OBJECT_CERTIFICATE },
				      &(struct render_source){ .cer = o.cer }, &files,
				      &err),
			&err);
	render_files_done(&files);
	vault_object_done(&o);
	buf_done(&reply.body);
	return 0;
}
