/* What the headers of an answer say: the challenge of a 401, and when to ask again.  One
 * text a line: the challenge, the vault's host, the tenant, and those of retry_headers.
 */
#include <strings.h>

#include "azure/challenge.h"
#include "fuzz.h"
#include "net/retry.h"

/* 28 May 2026 */
#define NOW_S INT64_C(1780000000)

static void fuzz_challenge(const char *header, const char *host, const char *tenant)
{
	struct challenge c = { 0 };
	struct err err = { 0 };
	int result = challenge_parse(header, &c, &err);

	must_explain(result, &err);
	if (result < 0)
		return;
	must(c.resource[0] != '\0');
	result = challenge_check(&c, host, tenant, &err);
	must_explain(result, &err);
	/* A token for it goes to the host: it is the host's own domain. */
	if (result == 0) {
		const char *domain = c.resource + strlen("https://");
		size_t len = strcspn(domain, ":"), host_len = strcspn(host, ":");

		must(strncasecmp(c.resource, "https://", strlen("https://")) == 0);
		must(len > 0 && len < host_len && host[host_len - len - 1] == '.');
		must(strncasecmp(host + host_len - len, domain, len) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_texts in = fuzz_split(data, size, '\n', 7);
	const struct retry_headers retry = {
		.ms = fuzz_text(&in, 3),
		.x_ms = fuzz_text(&in, 4),
		.after = fuzz_text(&in, 5),
		.date = fuzz_text(&in, 6),
	};
	const char *host = fuzz_text(&in, 1), *tenant = fuzz_text(&in, 2);
	int ms = retry_after(&retry, NOW_S);

	must(ms >= 0 && ms <= RETRY_AFTER_MAX_MS);
	if (in.count > 0)
		fuzz_challenge(in.items[0], host ? host : "kv.vault.azure.net", tenant);
	fuzz_texts_done(&in);
	return 0;
}
