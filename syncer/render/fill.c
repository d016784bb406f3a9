#include "render/fill.h"

#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define WHITE " \t\r\n\v\f"

static const char hex_digits[] = "0123456789ABCDEF";

/* How many bytes one may become: \u0001 of JSON. */
#define GROWTH 6

static int fill_add(struct buf *out, const void *bytes, size_t len, struct err *err)
{
	if (buf_add(out, bytes, len, err) == 0)
		return 0;
	return err_set(err, ERR_CONFIG,
		       "makes the file larger than %zu bytes, which is not possible",
		       out->max);
}

/* ---- what bytes may be ---- */

static bool fill_has(const struct buf *in, char c)
{
	return in->len > 0 && memchr(in->data, c, in->len) != NULL;
}

static bool fill_is_utf8(const struct buf *in)
{
	const char *text = buf_str(in);
	size_t n;

	/* A NUL follows the last byte, so that nothing behind it is looked at. */
	for (size_t i = 0; i < in->len; i += n) {
		n = text_utf8_length(text + i);
		if (n == 0)
			return false;
	}
	return true;
}

/* What no variable of an environment can hold. */
static int fill_check_variable(const struct buf *in, struct err *err)
{
	if (fill_has(in, '\0'))
		return err_set(err, ERR_CONFIG,
			       "has a NUL byte, which no variable can hold; |base64 or "
			       "objectEncoding make text of it");
	if (!fill_is_utf8(in))
		return err_set(err, ERR_CONFIG,
			       "is not UTF-8 text, as an env file must be");
	return 0;
}

/* ---- filters ---- */

static int fill_base64(const struct buf *in, struct buf *out, struct err *err)
{
	(void)err;
	text_to_base64(buf_str(in), in->len, out);
	return 0;
}

static int fill_json(const struct buf *in, struct buf *out, struct err *err)
{
	if (!fill_is_utf8(in))
		return err_set(err, ERR_CONFIG,
			       "is not UTF-8 text, so |json has no form for it");
	buf_text(out, "\"");
	for (size_t i = 0; i < in->len; i++) {
		unsigned char c = (unsigned char)in->data[i];
		char plain[2] = { (char)c, '\0' };

		if (c == '"' || c == '\\')
			buf_printf(out, "\\%c", c);
		else if (c == '\n')
			buf_text(out, "\\n");
		else if (c < 0x20)
			buf_printf(out, "\\u%04x", c);
		else
			buf_text(out, plain);
	}
	buf_text(out, "\"");
	return 0;
}

static int fill_shell(const struct buf *in, struct buf *out, struct err *err)
{
	if (fill_has(in, '\0'))
		return err_set(err, ERR_CONFIG,
			       "has a NUL byte, so |shell has no form for it");
	buf_text(out, "'");
	for (size_t i = 0; i < in->len; i++) {
		char plain[2] = { in->data[i], '\0' };

		buf_text(out, plain[0] == '\'' ? "'\\''" : plain);
	}
	buf_text(out, "'");
	return 0;
}

static int fill_trim(const struct buf *in, struct buf *out, struct err *err)
{
	size_t from = 0, to = in->len;

	while (from < to && in->data[from] != '\0' && strchr(WHITE, in->data[from]))
		from++;
	while (to > from && in->data[to - 1] != '\0' && strchr(WHITE, in->data[to - 1]))
		to--;
	return buf_add(out, buf_str(in) + from, to - from, err);
}

/* RFC 3986, section 2.3: what means itself in every part of a URL. */
static int fill_url(const struct buf *in, struct buf *out, struct err *err)
{
	static const char unreserved[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

	(void)err;
	for (size_t i = 0; i < in->len; i++) {
		unsigned char c = (unsigned char)in->data[i];
		char escaped[] = { '%', hex_digits[c >> 4], hex_digits[c & 15], '\0' };
		char plain[2] = { (char)c, '\0' };

		buf_text(out, c != '\0' && strchr(unreserved, c) ? plain : escaped);
	}
	return 0;
}

static int fill_quoted(const struct buf *in, char quote, struct buf *out, struct err *err)
{
	if (buf_add(out, &quote, 1, err) < 0 ||
	    buf_add(out, buf_str(in), in->len, err) < 0)
		return -1;
	return buf_add(out, &quote, 1, err);
}

/*
 * The kubelet's parser (pkg/kubelet/util/env): a value stands in single quotes and ends
 * at the next one, whatever stands before that; lines end at LF or CR LF, and the parser
 * joins them by LF.
 */
static int fill_file_key_ref(const struct buf *in, struct buf *out, struct err *err)
{
	if (fill_check_variable(in, err) < 0)
		return -1;
	if (fill_has(in, '\''))
		return err_set(
			err, ERR_CONFIG,
			"has a ' in it, and format fileKeyRef has no form for that; "
			"use format dotenv, the file itself, or another value");
	if (in->len > 0 && memmem(in->data, in->len, "\r\n", 2) != NULL)
		return err_set(err, ERR_CONFIG,
			       "has a line that ends with CR LF, of which the kubelet "
			       "drops the CR; store it with LF only");
	if (in->len > FILL_FILE_KEY_REF_VALUE_MAX)
		return err_set(err, ERR_CONFIG,
			       "is larger than %d bytes, more than fileKeyRef takes",
			       FILL_FILE_KEY_REF_VALUE_MAX);
	return fill_quoted(in, '\'', out, err);
}

/* In single quotes some readers take \' for a quote and \\ for one backslash. */
static bool fill_single_quotes_fit(const struct buf *in)
{
	for (size_t i = 0; i < in->len; i++) {
		bool last = i + 1 == in->len;

		if (in->data[i] == '\'' ||
		    (in->data[i] == '\\' && (last || in->data[i + 1] == '\\')))
			return false;
	}
	return true;
}

/*
 * A file of this kind has no standard.  What is written is read alike by POSIX shells,
 * Docker Compose, and the dotenv libraries of Node, Python and Go: the value in single
 * quotes, else in double quotes when nothing in it means something there.  Python's
 * expands ${NAME} in single quotes, too.
 */
static int fill_dotenv(const struct buf *in, struct buf *out, struct err *err)
{
	const char *text = buf_str(in);

	if (fill_check_variable(in, err) < 0)
		return -1;
	if (fill_has(in, '\r'))
		return err_set(err, ERR_CONFIG,
			       "has a carriage return, which readers of dotenv files "
			       "take for different things");
	if (fill_single_quotes_fit(in) && strstr(text, "${") == NULL)
		return fill_quoted(in, '\'', out, err);
	if (strpbrk(text, "\"\\$`\n") == NULL)
		return fill_quoted(in, '"', out, err);
	return err_set(
		err, ERR_CONFIG,
		"has ${, a ' beside one of \" \\ $ ` or a new line, or a \\ that ends it "
		"or stands before another: readers of dotenv files take that for "
		"different things");
}

typedef int fill_filter(const struct buf *in, struct buf *out, struct err *err);

static fill_filter *const filters[] = {
	[TEMPLATE_BASE64] = fill_base64, [TEMPLATE_JSON] = fill_json,
	[TEMPLATE_SHELL] = fill_shell,   [TEMPLATE_TRIM] = fill_trim,
	[TEMPLATE_URL] = fill_url,       [TEMPLATE_FILE_KEY_REF] = fill_file_key_ref,
	[TEMPLATE_DOTENV] = fill_dotenv,
};

int fill_place(const struct template_part *part, const void *content, size_t len,
	       struct buf *out, struct err *err)
{
	auto_buf struct buf now = BUF_INIT(len);

	if (part->filter_count == 0)
		return fill_add(out, content, len, err);
	if (buf_add(&now, content, len, err) < 0)
		return -1;
	for (size_t i = 0; i < part->filter_count; i++) {
		struct buf next = BUF_INIT(GROWTH * now.len + 2);

		if (now.len > out->max)
			return fill_add(out, now.data, now.len, err);
		if (filters[part->filters[i]](&now, &next, err) < 0) {
			buf_done(&next);
			return -1;
		}
		buf_done(&now);
		now = next;
	}
	return fill_add(out, buf_str(&now), now.len, err);
}
