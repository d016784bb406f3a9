#include "report/html.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

void html_text(struct buf *out, const char *text)
{
	static const char special[] = "<>&\"'";
	static const char *const names[] = { "&lt;", "&gt;", "&amp;", "&quot;", "&#39;" };

	for (;;) {
		size_t len = strcspn(text, special);

		buf_printf(out, "%.*s", (int)len, text);
		if (text[len] == '\0')
			return;
		buf_text(out, names[strchr(special, text[len]) - special]);
		text += len + 1;
	}
}

void html_element(struct buf *out, const char *tag, const char *text)
{
	buf_printf(out, "<%s>", tag);
	html_text(out, text);
	buf_printf(out, "</%.*s>", (int)strcspn(tag, " "), tag);
}

void html_count(struct buf *out, int64_t count, const char *noun)
{
	buf_printf(out, "%" PRId64 " %s%s", count, noun, count == 1 ? "" : "s");
}

void html_duration(struct buf *out, int64_t ms)
{
	static const struct {
		int64_t ms;
		const char *word;
	} units[] = {
		{ 86400000, "day" },
		{ 3600000, "hour" },
		{ 60000, "minute" },
		{ 1000, "second" },
	};
	size_t i = 0;

	while (i + 1 < ARRAY_LEN(units) && ms < 2 * units[i].ms)
		i++;
	html_count(out, ms > 0 ? ms / units[i].ms : 0, units[i].word);
}

void html_clock(struct buf *out, int64_t unix_ms)
{
	char text[CLOCK_TEXT_LEN];

	clock_text(text, unix_ms);
	buf_printf(out, "%.10s %.8s UTC", text, text + 11);
}
