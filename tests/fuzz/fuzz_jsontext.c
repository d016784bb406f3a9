/* A path of jmesPath in the first line, and a JSON text behind it. */
#include "base/jmespath.h"
#include "base/json.h"
#include "fuzz.h"

#define OUT_MAX (16 * 1024 * 1024)

/* What is written is JSON itself, but for a string, which is decoded. */
static void write_value(const struct jsontext *value)
{
	auto_buf struct buf out = BUF_INIT(OUT_MAX), again = BUF_INIT(OUT_MAX);
	struct jsontext back;
	struct err err = { 0 };

	must(jsontext_write(value, &out, &err) == 0);
	if (*value->at == '"')
		return;
	must(jsontext_parse(buf_str(&out), out.len, &back, &err) == 0);
	must(back.len == out.len && jsontext_write(&back, &again, &err) == 0);
	must(again.len == out.len &&
	     memcmp(buf_str(&again), buf_str(&out), out.len) == 0);
}

static void walk(const struct jsontext *container)
{
	struct jsontext_member m = { 0 };
	const char *end = container->at + container->len;

	while (jsontext_next(container, &m)) {
		must(m.value.len > 0 && m.value.at + m.value.len < end);
		must(m.key.at == NULL || *m.key.at == '"');
		write_value(&m.value);
		walk(&m.value);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *line = size ? memchr(data, '\n', size) : NULL;
	size_t path_len = line ? (size_t)(line - data) : 0;
	auto_free char *path = xstrndup((const char *)data, path_len);
	size_t at = line ? path_len + 1 : 0;
	struct jsontext root = { 0 }, found = { 0 };
	struct err err = { 0 };
	bool is_path, is_json;

	is_path = jmespath_check(path, &err) == 0;
	must_explain(is_path ? 0 : -1, &err);
	is_json = jsontext_parse((const char *)data + at, size - at, &root, &err) == 0;
	must_explain(is_json ? 0 : -1, &err);
	if (is_json) {
		write_value(&root);
		walk(&root);
	}
	if (is_json && is_path) {
		int result = jmespath_find(path, &root, &found, &err);

		must_explain(result, &err);
		if (result == 0)
			write_value(&found);
	}
	return 0;
}
