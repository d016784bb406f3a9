#include "config/listen.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

static bool listen_read_host(struct listen *out, const char *host)
{
	size_t len = strlen(host);
	auto_free char *inner = NULL;

	if (len == 0) {
		out->all = true;
		return true;
	}
	if (host[0] == '[' && host[len - 1] == ']') {
		inner = xstrndup(host + 1, len - 2);
		return inet_pton(AF_INET6, inner, out->address) == 1;
	}
	out->v4 = true;
	if (strcmp(host, "localhost") == 0)
		host = "127.0.0.1";
	return inet_pton(AF_INET, host, out->address) == 1;
}

int listen_parse(struct listen *out, const char *text, struct err *err)
{
	const char *colon = strrchr(text, ':');
	auto_free char *host = colon ? xstrndup(text, (size_t)(colon - text)) : NULL;
	struct listen parsed = { 0 };
	int64_t port;

	if (colon == NULL || text_number(colon + 1, UINT16_MAX, &port) < 0 || port == 0 ||
	    !listen_read_host(&parsed, host))
		return err_set(err, ERR_CONFIG,
			       "AKVSYNC_LISTEN: '%.60s' is not an address with a port; "
			       "write :8087 for all addresses of the pod, or "
			       "127.0.0.1:8087, or [::1]:8087",
			       text);
	parsed.port = (uint16_t)port;
	*out = parsed;
	return 0;
}
