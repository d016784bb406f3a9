#include "azure/credential.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "azure/form.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

char *credential_url(const char *base, const char *tenant)
{
	return xasprintf("%s/%s/oauth2/v2.0/token", base, tenant);
}

void credential_form(const struct identity *identity, const char *resource,
		     struct buf *form)
{
	auto_free char *scope = xasprintf("%s/.default", resource);

	form_add(form, "client_id", identity->client);
	form_add(form, "scope", scope);
	form_add(form, "grant_type", "client_credentials");
}

void credential_proof(struct credential_request *out, const char *name, const char *proof)
{
	form_add(&out->form, name, proof);
	out->proof = BUF_INIT(strlen(proof));
	buf_text(&out->proof, proof);
}

void credential_assertion(struct credential_request *out, const char *assertion)
{
	form_add(&out->form, "client_assertion_type",
		 "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
	credential_proof(out, "client_assertion", assertion);
}

int credential_file(const char *path, const char *variable, struct buf *out,
		    struct err *err)
{
	int cause;

	errno = 0;
	if (file_read(AT_FDCWD, path, out, err) == 0)
		return 0;
	cause = errno;
	if (cause == EFBIG)
		return err_set(err, ERR_IDENTITY,
			       "the file that %s names is larger than %zu bytes",
			       variable, out->max);
	return err_set(err, ERR_IDENTITY, "cannot read the file that %s names: %s",
		       variable, strerror(cause));
}

int credential_text(const char *path, const char *variable, struct buf *out,
		    struct err *err)
{
	char *text;

	if (credential_file(path, variable, out, err) < 0)
		return -1;
	text = out->data ? text_trim(out->data) : NULL;
	if (text == NULL || *text == '\0')
		return err_set(err, ERR_IDENTITY, "the file that %s names is empty",
			       variable);
	memmove(out->data, text, strlen(text) + 1);
	buf_truncate(out, strlen(out->data));
	return 0;
}

void credential_request_done(struct credential_request *request)
{
	free(request->url);
	free(request->connect_to);
	buf_done(&request->form);
	buf_done(&request->proof);
	buf_done(&request->header);
	trust_free(request->trust);
	*request = (struct credential_request){ 0 };
}
