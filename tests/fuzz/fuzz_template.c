/* The text of a template, and behind U+001E a value that goes into it; else it is the
 * text. */
#include "base/template.h"
#include "fuzz.h"
#include "render/fill.h"

#define OUT_MAX 4096

/* Every content and every limit has an end. */
static void fill(const struct template *t, const uint8_t *data, size_t size)
{
	auto_buf struct buf out = BUF_INIT(OUT_MAX);

	for (size_t i = 0; i < t->count; i++) {
		struct template_part part = t->parts[i];
		struct err err = { 0 };
		int result;

		must((part.text == NULL) != (part.path == NULL));
		if (part.text != NULL)
			continue;
		must(part.path[0] != '\0' && part.where[0] != '\0');
		must(part.filter_count <= TEMPLATE_FILTERS_MAX);
		result = fill_place(&part, data, size, &out, &err);
		must_explain(result, &err);
		must(result == 0 || err.kind == ERR_CONFIG);
		for (int f = TEMPLATE_FILE_KEY_REF; f <= TEMPLATE_DOTENV; f++) {
			auto_buf struct buf value = BUF_INIT(OUT_MAX);

			part.filters[0] = (enum template_filter)f;
			part.filter_count = 1;
			result = fill_place(&part, data, size, &value, &err);
			must_explain(result, &err);
			/* One quote at each end, and none of its kind between them. */
			must(result < 0 ||
			     (value.len >= 2 &&
			      memchr(value.data + 1, value.data[0], value.len - 1) ==
				      value.data + value.len - 1));
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size ? memchr(data, '\x1e', size) : NULL;
	size_t text_len = end ? (size_t)(end - data) : size;
	auto_free char *text = xstrndup((const char *)data, text_len);
	const uint8_t *value = end ? end + 1 : data;
	size_t value_len = end ? size - text_len - 1 : size < 64 ? size : 64;
	struct template t = { 0 };
	struct err err = { 0 };
	int result = template_parse(text, &t, &err);

	must_explain(result, &err);
	must(result == 0 || (err.kind == ERR_CONFIG && t.count == 0));
	fill(&t, value, value_len);
	template_done(&t);
	return 0;
}
