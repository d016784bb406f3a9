#include "azure/identity.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "azure/aadsts.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#define ASSERTION_MAX (64 * 1024)
#define TOKEN_MAX (32 * 1024)

char *identity_url(const struct identity *identity)
{
	return xasprintf("%s/%s/oauth2/v2.0/token", identity->authority,
			 identity->tenant);
}

/* Percent-encodes all but RFC 3986's unreserved characters. */
static void add_escaped(struct buf *form, const char *s)
{
	for (; *s; s++) {
		const char plain[2] = { *s, '\0' };

		if (isalnum((unsigned char)*s) || strchr("-._~", *s))
			buf_text(form, plain);
		else
			buf_printf(form, "%%%02X", (unsigned)(unsigned char)*s);
	}
}

static void add_field(struct buf *form, const char *name, const char *value)
{
	buf_printf(form, "%s%s=", form->len ? "&" : "", name);
	add_escaped(form, value);
}

static int read_assertion(const char *path, struct buf *out, struct err *err)
{
	char *text;

	if (file_read(AT_FDCWD, path, out, err) < 0) {
		err->kind = ERR_IDENTITY;
		return err_hint(err, "AZURE_FEDERATED_TOKEN_FILE names the projected "
				     "service account token");
	}
	text = out->data ? text_trim(out->data) : NULL;
	if (text == NULL || *text == '\0')
		return err_set(err, ERR_IDENTITY,
			       "the service account token '%s' is empty", path);
	/* A JWT is three base64url parts. */
	if (strlen(text) != strspn(text, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijk"
					 "lmnopqrstuvwxyz-_.") ||
	    strchr(text, '.') == NULL)
		return err_set(err, ERR_IDENTITY,
			       "'%s' does not hold a service account token (JWT)", path);
	memmove(out->data, text, strlen(text) + 1);
	return 0;
}

int identity_form(const struct identity *identity, const char *resource, struct buf *form,
		  struct err *err)
{
	auto_buf struct buf assertion = BUF_INIT(ASSERTION_MAX);
	auto_free char *scope = xasprintf("%s/.default", resource);

	if (read_assertion(identity->assertion_file, &assertion, err) < 0)
		return -1;
	add_field(form, "client_id", identity->client);
	add_field(form, "scope", scope);
	add_field(form, "grant_type", "client_credentials");
	add_field(form, "client_assertion_type",
		  "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
	add_field(form, "client_assertion", buf_str(&assertion));
	return 0;
}

static int read_grant(const struct json *body, struct identity_grant *out,
		      struct err *err)
{
	const char *token = json_string(body, "access_token");
	int64_t seconds = json_loose_int(body, "expires_in", 0);
	size_t len = token ? strlen(token) : 0;

	/* What follows goes into a header: one line of visible characters. */
	for (size_t i = 0; i < len; i++)
		if (!isgraph((unsigned char)token[i]))
			len = 0;
	if (len == 0 || len > TOKEN_MAX || seconds <= 0)
		return err_set(err, ERR_UNAVAILABLE,
			       "the token endpoint's reply holds no usable access token");
	out->access_token = wipe_strdup(token);
	out->lifetime_ms = (seconds > 7 * 86400 ? 7 * 86400 : seconds) * 1000;
	return 0;
}

int identity_reply(const struct http_reply *reply, struct identity_grant *out,
		   struct err *err)
{
	auto_json struct json *body = NULL;
	struct err ignored;

	if (json_parse(buf_str(&reply->body), reply->body.len, &body, &ignored) < 0)
		body = NULL;
	if (reply->status == 200 && body != NULL)
		return read_grant(body, out, err);
	if (reply->status == 200)
		return err_set(err, ERR_UNAVAILABLE,
			       "the token endpoint's reply is not JSON");
	aadsts_error(reply->status, body, err);
	err->retry_after_ms = reply->retry_after_ms;
	return -1;
}

void identity_grant_done(struct identity_grant *grant)
{
	wipe_free(grant->access_token);
	*grant = (struct identity_grant){ 0 };
}
