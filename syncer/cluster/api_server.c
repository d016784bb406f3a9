#include "cluster/api_server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

#define FILE_MAX (256 * 1024)

static int api_server_read(const struct settings *s, const char *name, struct buf *out,
			   struct err *err)
{
	auto_free char *path = xasprintf("%s/%s", s->kubernetes_credentials, name);
	char *trimmed;

	if (file_read(AT_FDCWD, path, out, err) < 0) {
		if (errno != ENOENT && errno != ENOTDIR)
			return -1;
		err->kind = ERR_CONFIG;
		return err_hint(err, "mount a service account token into akvsync's "
				     "container, as the component kubernetes-secrets "
				     "of the manifests does");
	}
	if (out->len == 0 || memchr(out->data, '\0', out->len) != NULL)
		return err_set(err, ERR_CONFIG, "file '%s' is empty or no text", path);
	trimmed = text_trim(out->data);
	memmove(out->data, trimmed, strlen(trimmed) + 1);
	buf_truncate(out, strlen(out->data));
	return 0;
}

static int api_server_read_address(struct api_server *c, const struct settings *s,
				   struct err *err)
{
	const char *host = s->kubernetes_host;
	bool is_ipv6 = host != NULL && strchr(host, ':') != NULL;
	auto_buf struct buf space = BUF_INIT(1024);

	if (host == NULL || s->kubernetes_port == NULL)
		return err_set(err, ERR_CONFIG,
			       "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are "
			       "not set, so this is no pod; Secrets can be written in a "
			       "pod only");
	if (api_server_read(s, "namespace", &space, err) < 0)
		return -1;
	c->space = xstrdup(buf_str(&space));
	if (*c->space == '\0' ||
	    strspn(c->space, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(c->space))
		return err_set(err, ERR_CONFIG,
			       "file '%s/namespace' does not hold the name of a "
			       "namespace",
			       s->kubernetes_credentials);
	c->url = xasprintf("https://%s%s%s:%s/api/v1/namespaces/%s/secrets",
			   is_ipv6 ? "[" : "", host, is_ipv6 ? "]" : "",
			   s->kubernetes_port, c->space);
	return 0;
}

int api_server_open(struct api_server *out, const struct settings *s, struct err *err)
{
	struct api_server c = { .token = BUF_INIT(FILE_MAX) };
	auto_buf struct buf pem = BUF_INIT(FILE_MAX);

	if (api_server_read_address(&c, s, err) == 0 &&
	    api_server_read(s, "token", &c.token, err) == 0 &&
	    api_server_read(s, "ca.crt", &pem, err) == 0) {
		if (trust_parse(&c.trust, &pem, err) == 0) {
			*out = c;
			return 0;
		}
		err->kind = ERR_CONFIG;
		err_wrap(err, "file '%s/ca.crt'", s->kubernetes_credentials);
	}
	api_server_close(&c);
	return -1;
}

void api_server_close(struct api_server *c)
{
	free(c->url);
	free(c->space);
	buf_done(&c->token);
	trust_free(c->trust);
	*c = (struct api_server){ 0 };
}
