#include "crypto/pem.h"

#include <limits.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#include "base/mem.h"

#define BEGIN "-----BEGIN "
#define DASHES "-----"
#define STORE "; store it from its file, such as with az keyvault secret set --file"

static int pem_fail(struct err *err, const char *what)
{
	ERR_clear_error();
	return err_set(err, ERR_CONFIG, "%s", what);
}

/* ---- what went wrong ---- */

static const char *pem_find(const char *text, const char *end, const char *what)
{
	return memmem(text, (size_t)(end - text), what, strlen(what));
}

static const char *pem_line_end(const char *text, const char *end)
{
	const char *line_end = memchr(text, '\n', (size_t)(end - text));

	return line_end ? line_end : end;
}

/* Cause and fix, of the line that begins at BEGIN; NULL: it looks right. */
static const char *pem_complaint(const char *start, const char *begin, const char *end)
{
	const char *line_end = pem_line_end(begin, end);
	const char *rest = pem_find(begin + strlen(BEGIN), line_end, DASHES);

	if (pem_find(begin, line_end, "\\n") || pem_find(begin, line_end, "\\r"))
		return "its PEM has the two characters \\n in place of each line "
		       "end" STORE;
	if (rest == NULL)
		return NULL;
	for (rest += strlen(DASHES); rest < line_end; rest++)
		if (strchr(" \t\r", *rest) == NULL || *rest == '\0')
			return "its PEM has lost its line ends" STORE;
	if (begin > start && begin[-1] != '\n')
		return "its PEM has something in front of -----BEGIN in the same line, "
		       "such as spaces or a quote" STORE;
	return NULL;
}

static int pem_explain(const char *pem, size_t len, struct err *err)
{
	const char *end = pem + len, *complaint = NULL, *begin;

	begin = pem_find(pem, end, BEGIN);
	if (begin == NULL)
		complaint = pem_find(pem, end, "LS0tLS1CRUdJTi")
				    ? "its PEM is encoded in base64 once more; store "
				      "the PEM text itself"
				    : "it holds no certificate: it is not PEM, in which "
				      "-----BEGIN stands at the start of a line";
	while (complaint == NULL && begin != NULL) {
		complaint = pem_complaint(pem, begin, end);
		begin = pem_find(begin + 1, end, BEGIN);
	}
	return pem_fail(err, complaint ? complaint : "its PEM is damaged" STORE);
}

/* ---- reading ---- */

/* The number of blocks that were handed over; -1: take() stopped; *damaged: what came
 * behind them is no end. */
static int pem_scan(const char *pem, size_t len, pem_take *take, void *arg, bool *damaged,
		    struct err *err)
{
	BIO *bio = BIO_new_mem_buf(pem, (int)len);
	struct pem_block b = { 0 };
	int count = 0, result = 0;

	ERR_clear_error();
	while (result == 0 &&
	       PEM_read_bio(bio, &b.name, &b.header, &b.der, &b.len) == 1) {
		count++;
		if (take != NULL)
			result = take(arg, &b, err);
		OPENSSL_free(b.name);
		OPENSSL_free(b.header);
		OPENSSL_clear_free(b.der, (size_t)b.len);
	}
	*damaged = ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE;
	ERR_clear_error();
	BIO_free(bio);
	return result < 0 ? -1 : count;
}

static int pem_count_starts(const char *pem, size_t len)
{
	const char *end = pem + len;
	int count = 0;

	while ((pem = pem_find(pem, end, BEGIN)) != NULL) {
		count++;
		pem++;
	}
	return count;
}

bool pem_starts(const char *pem, size_t len)
{
	return pem_count_starts(pem, len) > 0;
}

bool pem_is_readable(const char *pem, size_t len)
{
	bool damaged = true;
	struct err err;

	return len <= INT_MAX && pem_scan(pem, len, NULL, NULL, &damaged, &err) > 0 &&
	       !damaged;
}

int pem_read(const char *pem, size_t len, pem_take *take, void *arg, struct err *err)
{
	bool damaged;
	int count;

	if (len > INT_MAX)
		return pem_fail(err, "its PEM is too large");
	count = pem_scan(pem, len, take, arg, &damaged, err);
	if (count < 0)
		return -1;
	/* A block whose first line is spoilt is passed over like text. */
	if (damaged || count == 0 || count != pem_count_starts(pem, len))
		return pem_explain(pem, len, err);
	return 0;
}

/* ---- blocks ---- */

int pem_write(const struct pem_block *block, struct buf *out, struct err *err)
{
	BIO *bio = BIO_new(BIO_s_mem());
	int written =
		PEM_write_bio(bio, block->name, block->header, block->der, block->len);
	char *bytes = NULL;
	long len = BIO_get_mem_data(bio, &bytes);
	int result = written > 0 ? buf_add(out, bytes, (size_t)len, err)
				 : pem_fail(err, "it cannot be written");

	BIO_free(bio);
	return result;
}

/* Never asks a terminal. */
static int pem_give_password(char *out, int size, int writing, void *password)
{
	const char *end = memccpy(out, password, '\0', (size_t)size);

	(void)writing;
	return end ? (int)(end - out) - 1 : -1;
}

int pem_read_key(const char *pem, size_t len, const char *password,
		 struct evp_pkey_st **out, struct err *err)
{
	/* In the name of the block, or in its header. */
	bool locked = pem_find(pem, pem + len, "ENCRYPTED") != NULL;
	const char *given = password ? password : "";
	BIO *bio;

	if (locked && password == NULL)
		return pem_fail(err, "its private key has a password");
	bio = BIO_new_mem_buf(pem, (int)len);
	*out = PEM_read_bio_PrivateKey(bio, NULL, pem_give_password,
				       (void *)(uintptr_t)given);
	BIO_free(bio);
	ERR_clear_error();
	if (*out != NULL)
		return 0;
	if (!locked)
		return pem_fail(err, "its private key is damaged, or of an unknown kind");
	return pem_fail(err,
			*given ? "its private key is encrypted and the password does "
				 "not fit"
			       : "its private key is encrypted and the password is not "
				 "given");
}
