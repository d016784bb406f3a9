/* The reply to a secret's request, and what it is rendered to.  A tab at its end asks for
 * the forms that take long to make; with more of them the password is one that does not
 * do. */
#include "render/render.h"
#include "reply.h"

static char first[] = "a.b[0]", second[] = "\"c d\"", first_path[] = "x/one",
	    second_path[] = "two";
static const struct object_part parts[] = {
	{ .expression = first, .path = first_path, .mode = 0400 },
	{ .expression = second, .path = second_path, .mode = 0440 },
};

static const struct render_how quick[] = {
	{ .path = "a" },
	{ .path = "a", .encoding = TEXT_BASE64 },
	{ .path = "a", .encoding = TEXT_HEX },
	{ .path = "a", .layout = OBJECT_TLS },
	{ .path = "a", .layout = OBJECT_SPLIT },
	{ .path = "a", .format = OBJECT_PFX },
	{ .path = "a", .extract = OBJECT_EXTRACT_ALL },
	{ .path = "a",
	  .extract = OBJECT_EXTRACT_ALL,
	  .folder = "f",
	  .without_whole = true,
	  .parts = parts,
	  .part_count = ARRAY_LEN(parts) },
	{ .path = "a", .parts = parts, .part_count = ARRAY_LEN(parts) },
};
static const struct render_how slow[] = {
	{ .path = "a", .name = "n", .format = OBJECT_PKCS12, .password_object = "p" },
	{ .path = "a", .name = "n", .format = OBJECT_TRUSTSTORE, .password_object = "p" },
	{ .path = "a", .name = "n", .format = OBJECT_TRUSTSTORE },
	{ .path = "a", .name = "n", .format = OBJECT_PFX, .password_object = "p" },
	{ .path = "a",
	  .name = "n",
	  .format = OBJECT_PKCS12,
	  .layout = OBJECT_SPLIT,
	  .password_object = "p" },
};

static const char *const passwords[] = { "pass", "", "p\nass", "p\xc3\xa4" };

static void render(const struct vault_object *o, const struct render_how *how,
		   const char *secret)
{
	struct render_files files = { 0 };
	struct err err = { 0 };
	struct buf password = BUF_INIT(10);
	const struct render_source source = { .value = &o->value,
					      .of_certificate = o->of_certificate,
					      .content_type = o->content_type,
					      .password = &password };
	int result;

	buf_text(&password, secret);
	result = render_object(how, &source, &files, &err);
	must_explain(result, &err);
	for (size_t i = 0; result == 0 && i < files.count; i++)
		must(files.items[i].path != NULL && files.items[i].options != NULL);
	render_files_done(&files);
	buf_done(&password);
}

static void render_facts(const struct vault_object *o)
{
	struct buf metadata = BUF_INIT(1024 * 1024);

	render_metadata(&(struct render_facts){ .name = "n",
						.kind = "secret",
						.version = o->version,
						.content_type = o->content_type,
						.created = o->created,
						.expires = o->expires,
						.tags = o->tags },
			&metadata);
	buf_done(&metadata);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_reply reply = reply_of(data, size);
	struct vault_object o = { 0 };
	size_t tabs = 0;

	while (tabs < size && tabs < ARRAY_LEN(passwords) &&
	       data[size - 1 - tabs] == '\t')
		tabs++;
	fuzz_object(OBJECT_SECRET, &reply,
		    reply_id(data, size, "https://kv.vault.azure.net/secrets/web"), &o);
	if (o.body != NULL) {
		for (size_t i = 0; i < ARRAY_LEN(quick); i++)
			render(&o, &quick[i], passwords[0]);
		for (size_t i = 0; tabs > 0 && i < ARRAY_LEN(slow); i++)
			render(&o, &slow[i], passwords[tabs - 1]);
		render_facts(&o);
	}
	vault_object_done(&o);
	buf_done(&reply.body);
	return 0;
}
