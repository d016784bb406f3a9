#include "net/retry.h"

#include <curl/curl.h>
#include <string.h>

#include "base/mem.h"

bool status_passes(int status)
{
	/* 409: the object is being deleted or recovered; 410: IMDS is being updated; 421:
	 * this connection leads to another server; 423, 424: locked, or what it depends
	 * on failed; 425: too early; 449: Microsoft's "retry with"; 499: a gateway's
	 * client went. */
	static const int passing[] = { 408, 409, 410, 421, 423, 424, 425, 429, 449, 499 };

	for (size_t i = 0; i < ARRAY_LEN(passing); i++)
		if (status == passing[i])
			return true;
	return status >= 500 || (status < 400 && status != 200);
}

static int within_bound(int64_t ms)
{
	if (ms < 0)
		return 0;
	return ms > RETRY_AFTER_MAX_MS ? RETRY_AFTER_MAX_MS : (int)ms;
}

/* A number of units, such as "5" or "1.5", as milliseconds.  However many digits it has,
 * it is a number.  -1: it is none. */
static int retry_read_number(const char *text, int unit_ms)
{
	int64_t ms = 0, part = unit_ms;
	const char *c = text + strspn(text, " \t");

	if (*c < '0' || *c > '9')
		return -1;
	for (; *c >= '0' && *c <= '9'; c++)
		ms = within_bound(ms * 10 + (*c - '0') * unit_ms);
	if (*c == '.')
		for (c++; *c >= '0' && *c <= '9'; c++) {
			part /= 10;
			ms += (*c - '0') * part;
		}
	return c[strspn(c, " \t\r\n")] == '\0' ? within_bound(ms) : -1;
}

static int retry_read_date(const char *text, const char *date, int64_t now_s)
{
	int64_t until = curl_getdate(text, NULL);
	int64_t from = date ? curl_getdate(date, NULL) : -1;

	if (until < 0)
		return 0;
	return within_bound((until - (from < 0 ? now_s : from)) * 1000);
}

int retry_after(const struct retry_headers *h, int64_t now_s)
{
	int ms = -1;

	if (h->ms != NULL)
		ms = retry_read_number(h->ms, 1);
	if (ms < 0 && h->x_ms != NULL)
		ms = retry_read_number(h->x_ms, 1);
	if (ms < 0 && h->after != NULL)
		ms = retry_read_number(h->after, 1000);
	if (ms < 0 && h->after != NULL)
		ms = retry_read_date(h->after, h->date, now_s);
	return ms < 0 ? 0 : ms;
}
