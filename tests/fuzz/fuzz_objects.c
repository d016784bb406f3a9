/* The list of objects, in all its spellings. */
#include "config/objects.h"
#include "config/path.h"
#include "fuzz.h"

/* The text that is remembered stands for the same list. */
static void read_back(const struct objects *all)
{
	auto_buf struct buf text = BUF_INIT(OBJECTS_TEXT_MAX);
	auto_buf struct buf again = BUF_INIT(OBJECTS_TEXT_MAX);
	struct objects back = { 0 };
	struct err err = { 0 };

	objects_write(all, &text);
	must(objects_parse(&back, buf_str(&text), 0400, &err) == 0);
	must(objects_number(&back) == objects_number(all));
	objects_write(&back, &again);
	must(strcmp(buf_str(&text), buf_str(&again)) == 0);
	objects_done(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *text = xstrndup((const char *)data, size);
	struct objects all = { 0 };
	struct err err = { 0 };
	int result = objects_parse(&all, text, 0440, &err);

	must_explain(result, &err);
	must(result == 0 || all.count == 0);
	for (size_t i = 0; i < all.count; i++) {
		auto_free char *words = object_words(&all.items[i]);

		must(words[0] != '\0');
		must(object_selects(&all.items[i]) || all.items[i].name != NULL);
		must(all.items[i].path == NULL ||
		     path_check(all.items[i].path, &err) == 0);
		(void)object_fingerprint(&all.items[i]);
		(void)object_matches(&all.items[i], "app-1", all.items[i].tags,
				     all.items[i].tag_count);
	}
	if (result == 0)
		read_back(&all);
	objects_done(&all);
	return 0;
}
