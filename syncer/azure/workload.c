/*
 * workload.c: workload identity: the projected service account token is the assertion.
 * With an identity binding the same form goes to a token proxy in the cluster instead of
 * Entra.  https://learn.microsoft.com/azure/aks/identity-bindings-concepts
 */
#include <stdio.h>
#include <string.h>

#include "azure/credential.h"
#include "base/mem.h"

#define ASSERTION_MAX (64 * 1024)
#define CA_MAX (256 * 1024)

static int read_assertion(const char *path, struct buf *out, struct err *err)
{
	if (credential_text(path, "AZURE_FEDERATED_TOKEN_FILE", out, err) < 0)
		return err_hint(err, "it is the projected service account token");
	/* A JWT is three base64url parts. */
	if (out->len != strspn(out->data,
			       "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijk"
			       "lmnopqrstuvwxyz-_.") ||
	    strchr(out->data, '.') == NULL)
		return err_set(err, ERR_IDENTITY,
			       "the file that AZURE_FEDERATED_TOKEN_FILE names does not "
			       "hold a service account token (JWT)");
	return 0;
}

static int read_ca(const struct identity *identity, struct credential_request *out,
		   struct err *err)
{
	auto_buf struct buf pem = BUF_INIT(CA_MAX);

	if (identity->proxy_ca_file != NULL) {
		if (credential_text(identity->proxy_ca_file, "AZURE_KUBERNETES_CA_FILE",
				    &pem, err) < 0)
			return -1;
	} else if (identity->proxy_ca != NULL) {
		if (buf_add(&pem, identity->proxy_ca, strlen(identity->proxy_ca), err) <
		    0)
			return -1;
	} else {
		return 0;
	}
	if (trust_parse(&out->trust, &pem, err) < 0)
		return err_wrap(err, "AZURE_KUBERNETES_CA_%s",
				identity->proxy_ca_file ? "FILE" : "DATA");
	return 0;
}

/* The proxy is connected to under its own host, and proves to be proxy_name. */
static int use_proxy(const struct identity *identity, struct credential_request *out,
		     struct err *err)
{
	const char *address = identity->proxy + strlen("https://");
	size_t host_len = strcspn(address, "/");
	auto_free char *host = xstrndup(address, host_len);
	auto_free char *base = xstrdup(identity->proxy);
	const char *port = strrchr(host, ':');

	if (port != NULL && strchr(port, ']') != NULL)
		port = NULL; /* a colon of an IPv6 address */
	if (identity->proxy_name != NULL) {
		out->connect_to = xasprintf("%s%s", host, port ? "" : ":443");
		free(base);
		base = xasprintf("https://%s%s%s", identity->proxy_name,
				 port ? port : ":443", address + host_len);
	}
	while (base[strlen(base) - 1] == '/')
		base[strlen(base) - 1] = '\0';
	out->url = credential_url(base, identity->tenant);
	out->http.direct = true;
	return read_ca(identity, out, err);
}

int workload_request(const struct identity *identity, const char *resource,
		     struct credential_request *out, struct err *err)
{
	auto_buf struct buf assertion = BUF_INIT(ASSERTION_MAX);

	if (read_assertion(identity->assertion_file, &assertion, err) < 0)
		return -1;
	credential_form(identity, resource, &out->form);
	credential_assertion(out, buf_str(&assertion));
	if (identity->proxy != NULL)
		return use_proxy(identity, out, err);
	out->url = credential_url(identity->authority, identity->tenant);
	return 0;
}
