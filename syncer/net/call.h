/*
 * call.h: one request, from its handle at libcurl to its end, and what all requests share
 * at libcurl.  For net/http alone.
 */
#ifndef NET_CALL_H
#define NET_CALL_H

#include <curl/curl.h>

#include "net/pool.h"
#include "net/request.h"

/* All that are under way, and what they share. */
struct calls {
	CURLM *multi;
	CURLSH *share; /* TLS sessions and addresses outlive connections */
	struct trust *trust;
	struct http_options options;
	char proxy_host[256]; /* for messages: without user and password */
	bool keep_alive;
	bool multiplexed; /* a reply came over HTTP/2 */
	struct http_call *first;
	struct pool pool;
};

struct http_call {
	struct calls *all;
	CURL *easy;
	struct curl_slist *headers, *connect_to;
	const struct trust *trust;
	http_done *done;
	void *arg;
	struct http_reply reply;
	char host[256];
	bool proxied, named;
	unsigned born;
	char cause[CURL_ERROR_SIZE];
	struct http_call *next, **link;
};

/* The host of a URL, with its port: what stands between "://" or the "@" behind it, and
 * the next "/". */
void call_host(char *out, size_t size, const char *url);

/* As http_start() says.  The new call is among all, and not under way yet. */
struct http_call *call_new(struct calls *all, const struct http_request *request,
			   http_done *done, void *arg);

/* Calls done and frees it. */
void call_end(struct http_call *call, CURLcode code);

/* Does not call done.  The call is no longer among all. */
void call_free(struct http_call *call);

#endif
