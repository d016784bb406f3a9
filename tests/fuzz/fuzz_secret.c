/* The reply to a secret's request, and what it is rendered to. */
#include "render/render.h"
#include "reply.h"

static void render(const struct vault_object *o, struct render_how how)
{
	struct render_files files = { 0 };
	struct err err = { 0 };
	struct buf password = BUF_INIT(10);
	const struct render_source source = { .value = &o->value,
					      .of_certificate = o->of_certificate,
					      .content_type = o->content_type,
					      .password = &password };
	int result;

	buf_text(&password, "pass");
	result = render_object(&how, &source, &files, &err);
	must_explain(result, &err);
	render_files_done(&files);
	buf_done(&password);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_reply reply = reply_of(data, size);
	struct vault_object o = { 0 };
	struct buf metadata = BUF_INIT(1024 * 1024);

	fuzz_object(OBJECT_SECRET, &reply, &o);
	if (o.body != NULL) {
		render(&o, (struct render_how){ .path = "a" });
		render(&o, (struct render_how){ .path = "a", .encoding = TEXT_BASE64 });
		render(&o, (struct render_how){ .path = "a", .encoding = TEXT_HEX });
		render(&o, (struct render_how){ .path = "a", .layout = OBJECT_TLS });
		render(&o,
		       (struct render_how){ .path = "a", .extract = OBJECT_EXTRACT_ALL });
		render_metadata(&(struct render_facts){ .name = "n",
							.kind = "secret",
							.version = o.version,
							.content_type = o.content_type,
							.created = o.created,
							.expires = o.expires,
							.tags = o.tags },
				&metadata);
	}
	buf_done(&metadata);
	vault_object_done(&o);
	buf_done(&reply.body);
	return 0;
}
