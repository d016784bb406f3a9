#include "render/render.h"

#include <string.h>

#include "base/text.h"

const char *render_options(enum render_encoding encoding)
{
	switch (encoding) {
	case RENDER_BASE64:
		return "encoding=base64";
	case RENDER_HEX:
		return "encoding=hex";
	case RENDER_UTF8:
		break;
	}
	return "encoding=utf-8";
}

int render_secret(const char *value, enum render_encoding encoding, struct buf *out,
		  struct err *err)
{
	size_t len = strlen(value);

	switch (encoding) {
	case RENDER_BASE64:
		return text_from_base64(value, len, out, err);
	case RENDER_HEX:
		return text_from_hex(value, len, out, err);
	case RENDER_UTF8:
		break;
	}
	return buf_add(out, value, len, err);
}
