/* PKCS#12 and PEM: read, put in order, written in every form, and read again. */
#include "crypto/pki.h"
#include "crypto/tls_pair.h"
#include "fuzz.h"

static void write_all(const struct pki *p)
{
	struct buf out = BUF_INIT(16 * 1024 * 1024);
	struct pki *again = NULL;
	struct err err = { 0 };

	must(pki_write_bundle(p, &out, &err) == 0);
	/* What we write, we read, and it is in order. */
	must(pki_from_pem(buf_str(&out), out.len, NULL, &again, &err) == 0);
	must(pki_is_in_order(again));
	pki_free(again);
	must(pki_write_all(p, &out, &err) == 0);
	must(pki_write_chain(p, &out, &err) == 0 && pki_write_root(p, &out, &err) == 0);
	must((pki_write_key(p, &out, &err) == 0) == (pki_key(p) != NULL));
	buf_done(&out);
}

/* As the two halves of a TLS Secret, also when it is base64 of a PKCS#12. */
static void write_pair(const char *data, size_t size)
{
	auto_buf struct buf out = BUF_INIT(16 * 1024 * 1024);
	struct err err = { 0 };

	must_explain(tls_pair_certificates(data, size, &out, &err), &err);
	must_explain(tls_pair_key(data, size, &out, &err), &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pki *p = NULL;
	struct err err = { 0 };
	int result = size > 0 && data[0] == '0'
			     ? pki_from_pkcs12(data, size, NULL, &p, &err)
			     : pki_from_pem((const char *)data, size, NULL, &p, &err);

	must_explain(result, &err);
	if (result == 0)
		write_all(p);
	write_pair((const char *)data, size);
	pki_free(p);
	return 0;
}
