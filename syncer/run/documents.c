#include "run/documents.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

#define FRESH_MS 1000
#define MAX_BYTES (4 * 1024 * 1024) /* of one */
#define ALL_MAX_BYTES (8 * 1024 * 1024)

/* The text of a document, as long as a connection sends it. */
struct document_text {
	struct documents *all;
	struct buf bytes;
};

static void on_text_done(void *arg)
{
	struct document_text *text = arg;

	text->all->bytes -= text->bytes.cap;
	buf_done(&text->bytes);
	free(text);
}

static void rendering_drop(struct rendering *r)
{
	if (r->response != NULL)
		MHD_destroy_response(r->response);
	r->response = NULL;
}

static void rendering_add_headers(struct MHD_Response *response, enum document which)
{
	static const char *const types[DOCUMENTS] = {
		[DOCUMENT_STATUS] = "application/json",
		[DOCUMENT_METRICS] = "text/plain; version=0.0.4; charset=utf-8",
		[DOCUMENT_OPENMETRICS] = "application/openmetrics-text; version=1.0.0; "
					 "charset=utf-8",
		[DOCUMENT_PAGE] = "text/html; charset=utf-8",
	};
	static const char *const headers[][2] = {
		{ "Connection", "close" },
		{ "Cache-Control", "no-store" },
		{ "X-Content-Type-Options", "nosniff" },
		{ "Content-Security-Policy",
		  "default-src 'none'; style-src 'unsafe-inline'" },
	};

	(void)MHD_add_response_header(response, "Content-Type", types[which]);
	for (size_t i = 0; i < ARRAY_LEN(headers); i++)
		(void)MHD_add_response_header(response, headers[i][0], headers[i][1]);
}

static void documents_make(struct documents *d, document_write *write, void *arg,
			   enum document which, int64_t now)
{
	struct rendering *r = &d->items[which];
	struct document_text *text;

	rendering_drop(r);
	/* Readers that take nothing would otherwise fill the memory. */
	if (d->bytes > ALL_MAX_BYTES)
		return;
	text = xcalloc(1, sizeof(*text));
	text->all = d;
	text->bytes = BUF_INIT(MAX_BYTES);
	write(arg, which, &text->bytes);
	d->bytes += text->bytes.cap;
	r->response = MHD_create_response_from_buffer_with_free_callback_cls(
		text->bytes.len, text->bytes.data, on_text_done, text);
	r->made_at = now;
	if (r->response != NULL)
		rendering_add_headers(r->response, which);
	else
		on_text_done(text);
}

struct MHD_Response *documents_get(struct documents *d, document_write *write, void *arg,
				   enum document which, int64_t now)
{
	const struct rendering *r = &d->items[which];

	if (r->response == NULL || now - r->made_at >= FRESH_MS)
		documents_make(d, write, arg, which, now);
	return r->response;
}

void documents_run(struct documents *d, int64_t now)
{
	for (int i = 0; i < DOCUMENTS; i++)
		if (now - d->items[i].made_at >= FRESH_MS)
			rendering_drop(&d->items[i]);
}

int64_t documents_deadline(const struct documents *d)
{
	int64_t soonest = CLOCK_NEVER;

	for (int i = 0; i < DOCUMENTS; i++)
		if (d->items[i].response != NULL)
			soonest = clock_sooner(soonest, d->items[i].made_at + FRESH_MS);
	return soonest;
}

void documents_drop(struct documents *d)
{
	for (int i = 0; i < DOCUMENTS; i++)
		rendering_drop(&d->items[i]);
}
