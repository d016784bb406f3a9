/*
 * call.h: one request, from its handle at libcurl to its end, and what all requests share
 * at libcurl.  For net/http alone.
 *
 * A call has timeout_ms to be sent, and then as much again for its answer:
 *
 *   NAMING → CONNECTING → SECURING → QUEUED → SENT → its end       (enum answer_stage)
 *
 * libcurl keeps a call in a queue while all connections to the host are in use, or while
 * as many requests are under way as the server allows.  That is no delay of the service:
 * the call's time counts from when there was a connection, and again from each answer to
 * a call that was ahead of it.
 */
#ifndef NET_CALL_H
#define NET_CALL_H

#include <curl/curl.h>

#include "net/answer.h"
#include "net/inflow.h"
#include "net/pool.h"
#include "net/request.h"

/* All that are under way, and what they share. */
struct calls {
	CURLM *multi;
	CURLSH *share; /* TLS sessions and addresses outlive connections */
	struct trust *trust;
	struct http_options options;
	struct proxy proxy;
	bool keep_alive;
	bool multiplexed;        /* a reply came over HTTP/2 */
	http_observer *observer; /* NULL: none */
	void *observer_arg;
	struct http_call *first;
	struct pool pool;
	struct inflow inflow;
};

struct http_call {
	struct calls *all;
	CURL *easy;
	struct curl_slist *headers, *connect_to;
	const struct trust *trust;
	http_done *done;
	void *arg;
	struct http_reply reply;
	const char *purpose;
	char host[256];
	int64_t timeout_ms;
	size_t head_bytes; /* of its headers so far */
	bool status_only;
	bool proxied; /* goes through the proxy */
	bool spared;  /* would, if NO_PROXY did not name the host */
	enum answer_stage stage;
	int64_t made, since; /* when it was made, and from when its time counts */
	int fd;              /* of the connection it was sent over; -1: not sent */
	uint64_t born, sent; /* the pool's numbers when it was made and sent */
	char cause[CURL_ERROR_SIZE];
	struct http_call *next, **link;
};

/* The host of a URL, with its port: what stands between "://" or the "@" behind it, and
 * the next "/". */
void call_host(char *out, size_t size, const char *url);

/* As http_start() says.  The new call is among all, and not under way yet. */
struct http_call *call_new(struct calls *all, const struct http_request *request,
			   http_done *done, void *arg);

/* When the first of them has waited for too long; CLOCK_NEVER: none is under way. */
int64_t calls_deadline(const struct calls *all);

/*
 * Puts off libcurl's own time-out of each of them; to be called before each
 * curl_multi_perform().  calls_expire() alone ends a call for its time: when libcurl 8.14
 * ends one that waits in its queue, it puts the timer of this call into the tree of all
 * timers twice (curl's pull request 18005), and then crashes or never returns.
 */
void calls_postpone(struct calls *all, int64_t now);

/* Ends those whose time is over. */
void calls_expire(struct calls *all, int64_t now);

/* Calls done and frees it. */
void call_end(struct http_call *call, CURLcode code);

/* Does not call done.  The call is no longer among all. */
void call_free(struct http_call *call);

#endif
