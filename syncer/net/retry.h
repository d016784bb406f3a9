/*
 * retry.h: which answers are worth another try, and after what delay.  For all services:
 * vaults, Entra, IMDS, App Service.  Pure.
 */
#ifndef NET_RETRY_H
#define NET_RETRY_H

#include <stdbool.h>
#include <stdint.h>

/*
 * True when an answer with this status says nothing of what was asked, so that the same
 * request may succeed later: the service or something before it is busy, being updated
 * or out of order (408, 409, 410, 421, 423, 424, 425, 429, 449, 499, 5xx), or something
 * else has answered in its place (a redirect, or a success that is not 200).
 */
bool status_passes(int status);

/* What a reply says of it.  Each is the text of a header, NULL: absent. */
struct retry_headers {
	const char *ms;    /* retry-after-ms */
	const char *x_ms;  /* x-ms-retry-after-ms */
	const char *after; /* Retry-After: seconds, or a date */
	const char *date;  /* Date: the server's clock, from which such a date counts */
};

#define RETRY_AFTER_MAX_MS (300 * 1000)

/*
 * How many milliseconds the service asks to wait, 0 to RETRY_AFTER_MAX_MS; 0 also when it
 * does not say.  The first header that makes sense counts, in the order above, which is
 * that of Azure's own SDKs.  A date counts from Date, or from now_s (seconds since 1970)
 * when there is none.
 */
int retry_after(const struct retry_headers *headers, int64_t now_s);

#endif
