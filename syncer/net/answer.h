/*
 * answer.h: what became of a request: the head of a reply in our own terms, or a failure
 * in our own words.  For net/call alone.
 */
#ifndef NET_ANSWER_H
#define NET_ANSWER_H

#include <curl/curl.h>

#include "net/proxy.h"
#include "net/request.h"

/* Status, delays, ids and challenge of a reply that came. */
void answer_read(CURL *easy, struct http_reply *reply);

/* How far a request got, or the connection that it waits for. */
enum answer_stage {
	ANSWER_NAMING,     /* the name of the host, or of the proxy, is looked up */
	ANSWER_CONNECTING, /* a connection to it is made, then the proxy's to the host */
	ANSWER_SECURING,   /* the host itself has been reached: TLS with it */
	ANSWER_QUEUED,     /* there is a connection, and others are ahead on it */
	ANSWER_SENT,       /* the request has been sent */
};

/* What a failure's message names. */
struct answer_context {
	CURLcode code;
	enum answer_stage stage;
	const char *host;          /* host[:port] that was asked */
	const struct proxy *proxy; /* through which; NULL: none */
	const char *spared;   /* the proxy that NO_PROXY spares the host; NULL: none */
	const char *no_proxy; /* the list; may be NULL */
	const char *cause;    /* libcurl's own words, may be "" */
	int64_t timeout_ms;
	size_t body_max; /* or of the headers, when these are too many */
};

/* Why no reply came. */
enum http_failure answer_failure(const struct answer_context *context);

/* Puts a failure into *err, ERR_UNAVAILABLE: what failed, whether it was the proxy, and
 * what to change.  Our own words where libcurl's hold counts that change each time: equal
 * failures must have equal messages. */
void answer_describe(CURL *easy, enum http_failure failure,
		     const struct answer_context *context, struct err *err);

#endif
