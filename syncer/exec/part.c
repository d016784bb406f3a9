#include "exec/part.h"

#include <string.h>

#include "base/jsontext.h"
#include "base/mem.h"
#include "base/text.h"

/* ---- JSON ---- */

/* The next token of a pointer, as RFC 6901 escapes it: to the next '/' or the end. */
static size_t token_length(const char *token)
{
	return strcspn(token, "/");
}

/* Whether a key is what a token means: ~1 is '/', ~0 is '~'. */
static bool token_means(const char *token, size_t len, const struct buf *key)
{
	size_t at = 0;

	for (size_t i = 0; i < len; i++, at++) {
		char c = token[i];

		if (c == '~' && i + 1 < len)
			c = token[++i] == '1' ? '/' : '~';
		if (at == key->len || key->data[at] != c)
			return false;
	}
	return at == key->len;
}

/* The member of an object, or the item of an array, that a token names. */
static bool find_part(const struct jsontext *in, const char *token, size_t len,
		      struct jsontext *out)
{
	struct jsontext_member m = { 0 };
	auto_buf struct buf text = BUF_INIT(len + 1);
	struct err ignored;
	int64_t index = 0, wanted = -1;

	if (in->at[0] == '[') {
		if (buf_add(&text, token, len, &ignored) < 0 ||
		    (len > 1 && token[0] == '0') ||
		    text_number(buf_str(&text), 1000000, &wanted) < 0)
			return false;
	} else if (in->at[0] != '{') {
		return false;
	}
	while (jsontext_next(in, &m)) {
		auto_buf struct buf key = BUF_INIT(m.key.len + 1);
		bool same = wanted >= 0 ? index++ == wanted
					: jsontext_write(&m.key, &key, &ignored) == 0 &&
						  token_means(token, len, &key);

		if (same) {
			*out = m.value;
			return true;
		}
	}
	return false;
}

static int take_pointer(const char *pointer, const struct buf *file, struct buf *out,
			struct err *err)
{
	struct jsontext value;
	struct err cause;

	if (jsontext_parse(buf_str(file), file->len, &value, &cause) < 0)
		return err_set(err, ERR_CONFIG, "%s", cause.msg);
	for (const char *token = pointer; *token == '/';) {
		size_t len = token_length(++token);

		if (!find_part(&value, token, len, &value))
			return err_set(err, ERR_NOTFOUND,
				       "its JSON has no '%.80s', at '%.*s'", pointer,
				       (int)(len > 80 ? 80 : len), token);
		token += len;
	}
	return jsontext_write(&value, out, err);
}

/* ---- what akv2k8s means ---- */

#define BEGIN "-----BEGIN "
#define END "-----END "

/* The block of a PEM text that starts at p, to its end with the line end; 0: none. */
static size_t block_length(const char *p)
{
	const char *end = strstr(p, "\n" END);

	if (end == NULL)
		return 0;
	end += strcspn(end + 1, "\n") + 1;
	return (size_t)(end - p) + (*end == '\n');
}

/* The certificates, or the private key, as they stand in the file. */
static int take_blocks(const char *word, const struct buf *file, struct buf *out,
		       struct err *err)
{
	size_t before = out->len, len;

	for (const char *p = buf_str(file); (p = strstr(p, BEGIN)) != NULL; p += len) {
		const char *line_end = p + strcspn(p, "\n");
		const char *name = strstr(p, word);

		len = block_length(p);
		if (len == 0)
			break;
		if (name != NULL && name < line_end && buf_add(out, p, len, err) < 0)
			return -1;
	}
	return out->len > before
		       ? 0
		       : err_set(err, ERR_NOTFOUND, "it holds no PEM block of a %s",
				 word[0] == 'C' ? "certificate" : "private key");
}

static int take_credential(bool user, const struct buf *file, struct buf *out,
			   struct err *err)
{
	const char *text = buf_str(file);
	const char *colon = file->len > 0 ? memchr(text, ':', file->len) : NULL;

	if (colon == NULL)
		return err_set(err, ERR_CONFIG, "it is not 'user:password'");
	return user ? buf_add(out, text, (size_t)(colon - text), err)
		    : buf_add(out, colon + 1, file->len - (size_t)(colon - text) - 1,
			      err);
}

static bool is_json(const struct buf *file)
{
	const char *text = buf_str(file);

	return text[strspn(text, " \t\r\n")] == '{';
}

static int take_query(const struct reference *r, const struct buf *file, struct buf *out,
		      struct err *err)
{
	auto_free char *pointer = reference_pointer(r->key);

	if (strcmp(r->key, "raw") == 0)
		return buf_add(out, buf_str(file), file->len, err);
	if (!is_json(file)) {
		if (strcmp(r->key, "tls.crt") == 0)
			return take_blocks("CERTIFICATE", file, out, err);
		if (strcmp(r->key, "tls.key") == 0)
			return take_blocks("PRIVATE KEY", file, out, err);
		if (strcmp(r->key, "username") == 0 || strcmp(r->key, "password") == 0)
			return take_credential(r->key[0] == 'u', file, out, err);
	}
	return take_pointer(pointer, file, out, err);
}

int part_take(const struct reference *r, const struct buf *file, struct buf *out,
	      struct err *err)
{
	int result = -1;

	switch (r->part) {
	case REFERENCE_WHOLE:
		return buf_add(out, buf_str(file), file->len, err);
	case REFERENCE_POINTER:
		result = take_pointer(r->key, file, out, err);
		break;
	case REFERENCE_QUERY:
		result = take_query(r, file, out, err);
		break;
	}
	return result < 0 ? err_wrap(err, "file '%.100s'", r->path) : 0;
}
