/* The certificate and key of an application, behind a line with their password. */
#include "crypto/sign.h"
#include "fuzz.h"

#define OUT_MAX ((size_t)1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *line = size ? memchr(data, '\n', size) : NULL;
	auto_free char *password = NULL;
	auto_buf struct buf bytes = BUF_INIT(size + 1), out = BUF_INIT(OUT_MAX);
	struct pki *p = NULL;
	struct err err = { 0 };
	int result;

	if (line == NULL)
		return 0;
	password = xstrndup((const char *)data, (size_t)(line - data));
	must(buf_add(&bytes, line + 1, size - (size_t)(line + 1 - data), &err) == 0);
	result = sign_read(&p, &bytes, password, &err);
	must_explain(result, &err);
	if (result < 0)
		return 0;
	sign_thumbprint(p, &out);
	must(out.len == 43); /* SHA-256 in base64url */
	must_explain(sign_chain(p, &out, &err), &err);
	must_explain(sign_append(p, &out, &err), &err);
	pki_free(p);
	return 0;
}
