/* What a sidecar says of itself, and its report: no control character of it is shown. */
#include "command/plain.h"
#include "command/status_text.h"
#include "fuzz.h"

#define REPORT_MAX (16 * 1024 * 1024)

static void fuzz_report(const struct status_view *view, size_t width)
{
	const struct table_look look = { .width = width };
	struct buf out = BUF_INIT(REPORT_MAX), again = BUF_INIT(REPORT_MAX);

	status_text_write(view, &look, &out);
	must(out.len > 0 && out.data[out.len - 1] == '\n');
	/* All of it may be shown: nothing is left to be made plain. */
	plain_add(&again, buf_str(&out), out.len, true);
	must(out.len == again.len && memcmp(out.data, again.data, out.len) == 0);
	must(strchr(out.data, '\t') == NULL);
	buf_done(&out);
	buf_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf text = BUF_INIT(size + 1);
	struct status_view view;
	struct err err = { 0 };
	int result;

	json_global_init();
	must(size == 0 || buf_add(&text, data, size, &err) == 0);
	result = status_view_read(buf_str(&text), text.len, &view, &err);
	must_explain(result, &err);
	if (result == 0) {
		must(view.object_count <= STATUS_ENTRIES_MAX);
		must(view.failing_count <= STATUS_ENTRIES_MAX);
		fuzz_report(&view, 0);
		fuzz_report(&view, 1 + size % 200);
		status_view_done(&view);
	}
	buf_done(&text);
	return 0;
}
