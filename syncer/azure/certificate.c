/*
 * certificate.c: an application that proves itself by a certificate: an assertion that we
 * sign.  https://learn.microsoft.com/entra/identity-platform/certificate-credentials
 */
#include "azure/credential.h"
#include "azure/form.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "crypto/sign.h"

#define FILE_MAX (256 * 1024)
#define ASSERTION_MAX (128 * 1024)
#define LIFETIME_S 600
#define VARIABLE "AZURE_CLIENT_CERTIFICATE_PATH"

static int certificate_read_key(const struct identity *identity, struct sign_key **out,
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
	if (sign_key_read(out, &bytes, password, err) < 0)
		return err_wrap(err, "client certificate '" VARIABLE "'");
	return 0;
}

static void certificate_add_header(struct buf *assertion, const struct sign_key *key,
				   bool chain)
{
	auto_buf struct buf text = BUF_INIT(ASSERTION_MAX);

	buf_text(&text, "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"x5t#S256\":\"");
	sign_thumbprint(key, &text);
	buf_text(&text, "\"");
	for (int i = 0; chain; i++) {
		auto_buf struct buf certificate = BUF_INIT(ASSERTION_MAX);

		if (!sign_chain(key, i, &certificate)) {
			buf_text(&text, "]");
			break;
		}
		buf_printf(&text, "%s\"%s\"", i ? "," : ",\"x5c\":[",
			   buf_str(&certificate));
	}
	buf_text(&text, "}");
	text_to_base64url(text.data, text.len, assertion);
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

int certificate_request(const struct identity *identity, const char *resource,
			struct credential_request *out, struct err *err)
{
	auto_buf struct buf assertion = BUF_INIT(ASSERTION_MAX);
	struct sign_key *key = NULL;
	int result;

	if (certificate_read_key(identity, &key, err) < 0)
		return -1;
	out->url = credential_url(identity->authority, identity->tenant);
	certificate_add_header(&assertion, key, identity->send_chain);
	add_claims(&assertion, identity, out->url);
	result = sign_append(key, &assertion, err);
	sign_key_free(key);
	if (result < 0)
		return err_wrap(err, "client certificate '" VARIABLE "'");
	credential_form(identity, resource, &out->form);
	credential_assertion(&out->form, buf_str(&assertion));
	return 0;
}
