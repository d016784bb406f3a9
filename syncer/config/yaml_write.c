#include "config/yaml_write.h"

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

/* libyaml wants the colon of a key without '?' within 1024 characters. */
#define SHORT_KEY_MAX 1000

static uint32_t code_point(const char *text, size_t len)
{
	static const unsigned char masks[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	uint32_t code = (unsigned char)text[0] & masks[len];

	for (size_t i = 1; i < len; i++)
		code = code << 6 | ((unsigned char)text[i] & 0x3f);
	return code;
}

/* YAML 1.1, section 5.1, without line breaks, and without what is special in quotes. */
static bool is_plain(uint32_t code)
{
	if (code == '"' || code == '\\')
		return false;
	return (code >= 0x20 && code <= 0x7e) || (code >= 0xa0 && code <= 0x2027) ||
	       (code >= 0x202a && code <= 0xd7ff) ||
	       (code >= 0xe000 && code <= 0xfffd && code != 0xfeff) || code >= 0x10000;
}

/* How many bytes stand for themselves. */
static size_t plain_length(const char *text)
{
	size_t plain = 0, len;

	while (text[plain] != '\0') {
		len = text_utf8_length(text + plain);
		if (len == 0 || !is_plain(code_point(text + plain, len)))
			break;
		plain += len;
	}
	return plain;
}

void yaml_write_text(struct buf *out, const char *text)
{
	buf_text(out, "\"");
	while (*text != '\0') {
		size_t plain = plain_length(text);
		size_t len = text_utf8_length(text + plain);

		buf_printf(out, "%.*s", (int)plain, text);
		text += plain;
		if (*text == '\0')
			break;
		/* What is not UTF-8 becomes U+FFFD. */
		buf_printf(out, "\\u%04x", len > 0 ? code_point(text, len) : 0xfffd);
		text += len > 0 ? len : 1;
	}
	buf_text(out, "\"");
}

void yaml_write_key(struct buf *out, const char *key)
{
	auto_buf struct buf quoted = BUF_INIT(out->max);

	yaml_write_text(&quoted, key);
	buf_printf(out, "%s%s:", quoted.len > SHORT_KEY_MAX ? "? " : "",
		   buf_str(&quoted));
}

void yaml_write_node(struct buf *out, const struct yaml *node)
{
	const char *comma = "";

	if (node->null) {
		buf_text(out, "null");
		return;
	}
	if (node->type == YAML_SCALAR) {
		yaml_write_text(out, node->text);
		return;
	}
	buf_text(out, node->type == YAML_MAP ? "{" : "[");
	for (const struct yaml *n = node->first; n; n = n->next, comma = ",") {
		buf_text(out, comma);
		if (node->type == YAML_MAP)
			yaml_write_key(out, n->key);
		yaml_write_node(out, n);
	}
	buf_text(out, node->type == YAML_MAP ? "}" : "]");
}
