/* secret.c: an application that proves itself by its client secret. */
#include "azure/credential.h"

#define SECRET_MAX 4096

int secret_request(const struct identity *identity, const char *resource,
		   struct credential_request *out, struct err *err)
{
	auto_buf struct buf secret = BUF_INIT(SECRET_MAX);
	const char *proof = identity->secret;

	if (identity->secret_file != NULL) {
		if (credential_text(identity->secret_file, "AKVSYNC_CLIENT_SECRET_FILE",
				    &secret, err) < 0)
			return -1;
		proof = buf_str(&secret);
	}
	credential_form(identity, resource, &out->form);
	credential_proof(out, "client_secret", proof);
	out->url = credential_url(identity->authority, identity->tenant);
	return 0;
}
