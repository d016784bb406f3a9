/*
 * certificate.c: an application that proves itself by a certificate: an assertion that we
 * sign.  https://learn.microsoft.com/entra/identity-platform/certificate-credentials
 */
#include "azure/credential.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "crypto/sign.h"

#define FILE_MAX (256 * 1024)
#define ASSERTION_MAX (128 * 1024)
#define LIFETIME_S 600
#define VARIABLE "AZURE_CLIENT_CERTIFICATE_PATH"

static int certificate_read_key(const struct identity *identity, struct pki **out,
				struct err *err)
{
	auto_buf struct buf bytes = BUF_INIT(FILE_MAX), secret = BUF_INIT(4096);
	const char *password = identity->password;

	if (credential_file(identity->certificate_file, VARIABLE, &bytes, err) < 0)
		return -1;
	if (identity->password_file != NULL) {
		if (credential_text(identity->password_file,
				    "AKVSYNC_CLIENT_CERTIFICATE_PASSWORD_FILE", &secret,
				    err) < 0)
			return -1;
		password = buf_str(&secret);
	}
	if (sign_read(out, &bytes, password, err) < 0)
		return err_wrap(err, "client certificate '" VARIABLE "'");
	return 0;
}

static int certificate_add_header(struct buf *assertion, const struct pki *pki,
				  bool with_chain, struct err *err)
{
	auto_buf struct buf text = BUF_INIT(ASSERTION_MAX);

	buf_text(&text, "{\"alg\":\"PS256\",\"typ\":\"JWT\",\"x5t#S256\":\"");
	sign_thumbprint(pki, &text);
	buf_text(&text, "\"");
	if (with_chain) {
		buf_text(&text, ",\"x5c\":[");
		if (sign_chain(pki, &text, err) < 0)
			return -1;
		buf_text(&text, "]");
	}
	buf_text(&text, "}");
	text_to_base64url(text.data, text.len, assertion);
	return 0;
}

static void add_claims(struct buf *assertion, const struct identity *identity,
		       const char *audience)
{
	auto_buf struct buf text = BUF_INIT(8192);
	long long now = clock_wall_ms() / 1000;

	buf_text(&text, "{\"aud\":");
	json_quote(&text, audience);
	buf_text(&text, ",\"iss\":");
	json_quote(&text, identity->client);
	buf_text(&text, ",\"sub\":");
	json_quote(&text, identity->client);
	buf_text(&text, ",\"jti\":\"");
	sign_uuid(&text);
	buf_printf(&text, "\",\"nbf\":%lld,\"iat\":%lld,\"exp\":%lld}", now, now,
		   now + LIFETIME_S);
	buf_text(assertion, ".");
	text_to_base64url(text.data, text.len, assertion);
}

static int certificate_assert(const struct identity *identity, const struct pki *pki,
			      const char *audience, struct buf *assertion,
			      struct err *err)
{
	if (certificate_add_header(assertion, pki, identity->send_chain, err) < 0)
		return -1;
	add_claims(assertion, identity, audience);
	return sign_append(pki, assertion, err);
}

int certificate_request(const struct identity *identity, const char *resource,
			struct credential_request *out, struct err *err)
{
	auto_buf struct buf assertion = BUF_INIT(ASSERTION_MAX);
	auto_pki struct pki *pki = NULL;

	if (certificate_read_key(identity, &pki, err) < 0)
		return -1;
	out->url = credential_url(identity->authority, identity->tenant);
	if (certificate_assert(identity, pki, out->url, &assertion, err) < 0)
		return err_wrap(err, "client certificate '" VARIABLE "'");
	credential_form(identity, resource, &out->form);
	credential_assertion(out, buf_str(&assertion));
	return 0;
}
