/* The entries of AKVSYNC_NOTIFY, and what is shown of them. */
#include "base/redact.h"
#include "deliver/targets.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf shown = BUF_INIT(4 * 65536);
	auto_free char *text = xstrndup((const char *)data, size);
	struct targets all = { 0 };
	struct err err = { 0 };
	int result = targets_parse(&all, text, &err);

	must_explain(result, &err);
	redact_entries(text, &shown);
	for (size_t i = 0; i < all.count; i++)
		all.items[i].kind->describe(&all.items[i], &shown);
	for (size_t i = 0; i < all.precheck_count; i++)
		all.prechecks[i].kind->describe(&all.prechecks[i], &shown);
	targets_done(&all);
	buf_done(&shown);
	return 0;
}
