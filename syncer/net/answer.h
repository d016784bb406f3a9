/*
 * answer.h: what became of a request: the head of a reply in our own terms, or a failure
 * in our own words.  For net/call alone.
 */
#ifndef NET_ANSWER_H
#define NET_ANSWER_H

#include <curl/curl.h>

#include "net/request.h"

/* Status, delays, ids and challenge of a reply that came. */
void answer_read(CURL *easy, struct http_reply *reply);

/* Why none came. */
enum http_failure answer_failure(CURL *easy, CURLcode code);

/* What a failure's message names. */
struct answer_context {
	const char *host;  /* host[:port] that was asked */
	const char *proxy; /* host[:port] of the proxy; NULL: none */
	const char *cause; /* libcurl's own words, may be "" */
	bool named;        /* the host's name has been resolved */
	int64_t timeout_ms;
	size_t body_max;
};

/* Puts a failure into *err, ERR_UNAVAILABLE.  Our own words where libcurl's hold counts
 * that change each time: equal failures must have equal messages. */
void answer_describe(CURL *easy, CURLcode code, enum http_failure failure,
		     const struct answer_context *context, struct err *err);

#endif
