/* An answer of the cluster's API server: the Secret as it is, or a refusal. */
#include "base/text.h"
#include "cluster/secret.h"
#include "cluster/status.h"
#include "reply.h"

#define POD "11111111-2222-3333-4444-555555555555"

static struct secret_object object_of(enum secret_owner owner)
{
	static char name[] = "db", type[] = "Opaque", label[] = "team", value[] = "shop";
	static struct secret_pair pair = { label, value };

	return (struct secret_object){
		.name = name, .type = type, .labels = { &pair, 1 }, .owner = owner
	};
}

static void fuzz_read(const struct http_reply *reply, enum secret_owner owner)
{
	const struct secret_object object = object_of(owner);
	char key[] = "password";
	struct cluster_value values = { .key = key, .bytes = BUF_INIT(16) };
	struct cluster_secret s = { .object = &object,
				    .values = &values,
				    .count = 1,
				    .list = "00000000000000aa",
				    .source = "00000000000000bb",
				    .keys = "00000000000000cc",
				    .since_ms = 1000,
				    .pod_name = "web-1",
				    .pod_uid = POD };
	struct cluster_found found = { 0 };
	struct buf body = BUF_INIT(4096);
	struct err err = { 0 };
	int result;

	buf_text(&values.bytes, "value");
	result = cluster_secret_read(&s, buf_str(&reply->body), reply->body.len, &found,
				     &err);
	must_explain(result, &err);
	must(result == 0 || found.uid == NULL);
	must(strlen(s.source) == CLUSTER_NUMBER_LEN - 1 && s.since_ms == 1000);
	/* It goes into a URL. */
	must(strspn(found.manager, "akvsync-pod0123456789bef") == strlen(found.manager));
	must(found.manager[0] == '\0' || strstr(found.manager, POD) != NULL);
	must(!found.joins || owner == SECRET_OWNER_POD);
	if (result == 0) {
		cluster_secret_write(&s, &body);
		cluster_secret_write_owner(&s, &found, &body);
	}
	cluster_found_done(&found);
	buf_done(&values.bytes);
	buf_done(&body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_reply reply = reply_of(data, size);
	struct err err = { 0 };

	if (reply.status == 200) {
		fuzz_read(&reply, SECRET_OWNER_POD);
		fuzz_read(&reply, SECRET_OWNER_NONE);
	} else {
		must_explain(cluster_status_error(&reply, "shop", &err), &err);
		(void)cluster_status_is_absent(&reply);
	}
	buf_done(&reply.body);
	return 0;
}
