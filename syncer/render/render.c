#include "render/render.h"

const char *render_options(enum text_encoding encoding)
{
	switch (encoding) {
	case TEXT_BASE64:
		return "encoding=base64";
	case TEXT_HEX:
		return "encoding=hex";
	case TEXT_UTF8:
		break;
	}
	return "encoding=utf-8";
}

int render_secret(const struct buf *value, enum text_encoding encoding, struct buf *out,
		  struct err *err)
{
	switch (encoding) {
	case TEXT_BASE64:
		return text_from_base64(buf_str(value), value->len, out, err);
	case TEXT_HEX:
		return text_from_hex(buf_str(value), value->len, out, err);
	case TEXT_UTF8:
		break;
	}
	return buf_add(out, buf_str(value), value->len, err);
}
