/*
 * call.h: one request, from its handle at libcurl to its end.  A part of net/http, which
 * it shares the state of the connections with.
 */
#ifndef NET_CALL_H
#define NET_CALL_H

#include <curl/curl.h>

#include "net/http.h"
#include "net/pool.h"

struct http {
	CURLM *multi;
	CURLSH *share; /* TLS sessions and addresses outlive connections */
	struct trust *trust;
	struct http_options options;
	char proxy_host[256]; /* for messages: without user and password */
	bool keep_alive, close_when_idle;
	bool forget_when_idle; /* what the certificates from before vouched for */
	bool multiplexed;      /* a reply came over HTTP/2 */
	struct http_call *calls;
	struct pool pool;
};

struct http_call {
	struct http *http;
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

/* As http_start() says; it is among the calls of h, and not under way yet. */
struct http_call *call_new(struct http *h, const struct http_request *request,
			   http_done *done, void *arg);

/* Calls done and frees it. */
void call_end(struct http_call *call, CURLcode code);

/* Without done; also takes it off h. */
void call_free(struct http_call *call);

#endif
