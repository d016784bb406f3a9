/* The answer to a token request.  The first bytes choose the credential, the status and
 * how far the clocks differ; the rest is the body. */
#include "azure/grant.h"
#include "fuzz.h"

/* What a user may have put into the wrong variable: no message repeats it. */
#define SECRET "S3cret~Value"

static const struct identity identities[] = {
	{ .kind = IDENTITY_WORKLOAD, .tenant = "contoso.com", .client = SECRET },
	{ .kind = IDENTITY_SECRET,
	  .tenant = SECRET,
	  .client = "33333333-3333-3333-3333-333333333333",
	  .proof = SECRET },
	{ .kind = IDENTITY_CERTIFICATE,
	  .tenant = "t",
	  .client = "c",
	  .send_chain = true },
	{ .kind = IDENTITY_APP_SERVICE,
	  .endpoint = "http://127.0.0.1/",
	  .header = SECRET },
	{ .kind = IDENTITY_IMDS, .resource = SECRET },
	{ .kind = IDENTITY_WORKLOAD,
	  .tenant = "t",
	  .client = "c",
	  .proxy = "https://127.0.0.1/" },
};
static const int statuses[] = { 200, 400, 401, 403, 404, 410, 429, 500, 503, 302 };

static bool holds_secret(const struct identity *identity)
{
	const char *const values[] = { identity->client, identity->tenant,
				       identity->proof, identity->header,
				       identity->resource };

	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		if (values[i] != NULL && strcmp(values[i], SECRET) == 0)
			return true;
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_reply reply = { .body = BUF_INIT(16 * 1024 * 1024) };
	struct grant grant = { 0 };
	struct err err = { 0 };
	const struct identity *identity;
	int result;

	if (size < 3)
		return 0;
	json_global_init();
	identity = &identities[data[0] % ARRAY_LEN(identities)];
	reply.status = statuses[data[1] % ARRAY_LEN(statuses)];
	reply.clock_skew_s = (int8_t)data[2] * 60;
	must(buf_add(&reply.body, data + 3, size - 3, &err) == 0);
	result = grant_read(identity, &reply, &grant, &err);
	must_explain(result, &err);
	must((result == 0) == (grant.access_token != NULL));
	if (result == 0) {
		must(strpbrk(grant.access_token, " \t\r\n") == NULL);
		must(grant.lifetime_ms > 0 && grant.renew_in_ms >= 0);
		must(grant.renew_in_ms <= grant.lifetime_ms);
	} else {
		must(!holds_secret(identity) || strstr(err.msg, SECRET) == NULL);
	}
	grant_done(&grant);
	buf_done(&reply.body);
	return 0;
}
