#include "net/proxy.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"

#define LETTERS_AND_DIGITS                                                               \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

static const char form[] = "write http://[USER:PASSWORD@]HOST:PORT, or https://";

/* Cuts the scheme off. */
static int take_scheme(const char **text, bool *tls, struct err *err)
{
	size_t len = strspn(*text, LETTERS_AND_DIGITS "+.-");

	*tls = false;
	if (!text_starts(*text + len, "://"))
		return 0;
	*tls = len == strlen("https") && strncasecmp(*text, "https", len) == 0;
	if (!*tls && !(len == strlen("http") && strncasecmp(*text, "http", len) == 0))
		return err_set(err, ERR_CONFIG,
			       "HTTPS_PROXY: its scheme is not a proxy's; %s", form);
	*text += len + strlen("://");
	return 0;
}

/* "%2F" is "/"; what is not so written stands for itself. */
static int decode(const char *text, size_t len, char **out, struct err *err)
{
	auto_free char *copy = xstrndup(text, len);
	auto_buf struct buf decoded = BUF_INIT(SIZE_MAX);

	for (const char *c = copy; *c != '\0'; c++) {
		if (*c == '%' && c[1] != '\0' &&
		    text_from_hex(c + 1, 2, &decoded, err) == 0)
			c += 2;
		else if (buf_add(&decoded, c, 1, err) < 0)
			return -1;
	}
	wipe(copy, len);
	if (memchr(buf_str(&decoded), '\0', decoded.len) != NULL)
		return err_set(err, ERR_CONFIG,
			       "HTTPS_PROXY: its user or password holds %%00, which no "
			       "proxy takes");
	*out = wipe_strdup(buf_str(&decoded));
	return 0;
}

static int read_user(struct proxy *out, const char *text, size_t len, struct err *err)
{
	const char *colon = memchr(text, ':', len);
	size_t user_len = colon ? (size_t)(colon - text) : len;

	if (len == 0)
		return 0;
	if (decode(text, user_len, &out->user, err) < 0)
		return -1;
	if (colon == NULL) {
		out->password = wipe_strdup("");
		return 0;
	}
	return decode(colon + 1, len - user_len - 1, &out->password, err);
}

/* HOST[:PORT], with brackets around an IPv6 address. */
static int read_host(struct proxy *out, const char *text, size_t len, struct err *err)
{
	const char *scheme = out->tls ? "https" : "http";
	bool bracketed = len > 0 && text[0] == '[';
	size_t host_len = bracketed ? strcspn(text, "]") + 1 : strcspn(text, ":/?#");
	int64_t port = out->tls ? 443 : 80;
	auto_free char *host = NULL, *rest = NULL;

	if (host_len > len)
		host_len = len;
	host = xstrndup(text, host_len);
	rest = xstrndup(text + host_len, len - host_len);
	out->port_given = rest[0] == ':' && rest[1] != '\0';
	if (host_len == 0 || host[strspn(host, LETTERS_AND_DIGITS "-_.:[]%")] != '\0')
		return err_set(err, ERR_CONFIG, "HTTPS_PROXY: it names no host; %s",
			       form);
	if (strcmp(rest, "") != 0 && strcmp(rest, ":") != 0 &&
	    (rest[0] != ':' || text_number(rest + 1, 65535, &port) < 0 || port == 0))
		return err_set(err, ERR_CONFIG,
			       "HTTPS_PROXY: what stands behind its host is not a port; "
			       "%s",
			       form);
	out->url = xasprintf("%s://%s:%d", scheme, host, (int)port);
	out->name = out->url + strlen(scheme) + strlen("://");
	return 0;
}

static int proxy_read(struct proxy *out, const char *text, struct err *err)
{
	size_t len, user_len;
	const char *at;

	if (take_scheme(&text, &out->tls, err) < 0)
		return -1;
	len = strcspn(text, "/?#");
	/* Otherwise its begin would pass for the proxy's name, and stand in messages. */
	if (strchr(text + len, '@') != NULL)
		return err_set(err, ERR_CONFIG,
			       "HTTPS_PROXY: '/', '?' and '#' of a user or password are "
			       "written as %%2F, %%3F and %%23");
	at = memrchr(text, '@', len);
	user_len = at ? (size_t)(at - text) : 0;
	if (read_user(out, text, user_len, err) < 0)
		return -1;
	if (at != NULL) {
		len -= user_len + 1;
		text = at + 1;
	}
	return read_host(out, text, len, err);
}

int proxy_parse(struct proxy *out, const char *text, struct err *err)
{
	auto_free char *copy = xstrdup(text ? text : "");
	struct proxy proxy = { 0 };
	int result = 0;

	text = text_trim(copy);
	if (*text != '\0')
		result = proxy_read(&proxy, text, err);
	wipe(copy, strlen(copy));
	if (result < 0)
		proxy_done(&proxy);
	else
		*out = proxy;
	return result;
}

void proxy_done(struct proxy *proxy)
{
	free(proxy->url);
	wipe_free(proxy->user);
	wipe_free(proxy->password);
	*proxy = (struct proxy){ 0 };
}
