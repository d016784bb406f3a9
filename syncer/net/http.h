/*
 * http.h: many HTTPS requests at once, on one thread, and the program's one wait.
 *
 * Owns libcurl.  Knows no Azure.  TLS 1.2 or newer, always verified; plain HTTP only to
 * a unix socket, and where a request says so; no redirects, no
 * cookies; replies are bounded.  HTTP/2 where the server offers it, else up to HTTP_POOL
 * connections a host.  After a request has timed out no connection that may be dead is
 * used again.  A request's done function is called only from http_run(), never from
 * inside a libcurl callback and never after http_cancel().
 */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include <stdbool.h>

#include "net/request.h"

struct http;
struct http_call;

/* Once, before any other call in the process: makes libcurl and OpenSSL allocate with
 * the wiping allocator.  ERR_UNAVAILABLE. */
int http_global_init(struct err *err) MUST_CHECK;

#define HTTP_POOL 10

/* ERR_CONFIG: the certificates cannot be read.  http_free() the result; calls still in
 * flight are dropped without their done. */
int http_new(struct http **out, const struct http_options *options,
	     struct err *err) MUST_CHECK;
void http_free(struct http *h);

/* From now on tells the observer of each request that ends and has a purpose, before its
 * done is called.  One that is cancelled is not told. */
void http_observe(struct http *h, http_observer *observer, void *arg);

/* Starts a request; all but form and trust is copied.  The handle is valid until done is
 * called or http_cancel() returns. */
struct http_call *http_start(struct http *h, const struct http_request *request,
			     http_done *done, void *arg);
void http_cancel(struct http *h, struct http_call *call);

struct http_wait {
	int fd;     /* wait until readable; -1: ignored */
	bool ready; /* set by http_wait() */
};

/* Sleeps until a descriptor is readable, a transfer wants attention, or timeout_ms has
 * passed (-1: never).  The only place the program sleeps. */
int http_wait(struct http *h, struct http_wait *fds, unsigned count, int timeout_ms,
	      struct err *err) MUST_CHECK;

/* Moves all transfers on and calls done for those that ended. */
void http_run(struct http *h);

/* Closes all connections once no request is under way; what resumes their TLS sessions is
 * kept. */
void http_close_idle(struct http *h);

/*
 * From now on connections stay open between rounds: they are HTTP/1.1, since libcurl
 * keeps the last bytes that came over an HTTP/2 connection, with the values in them, as
 * long as it is open.  Such as are open are closed.
 */
void http_keep_alive(struct http *h);

/* False: requests go over HTTP/1.1 whatever the server offers. */
bool http_multiplexes(const struct http *h);

/* Reads the trusted certificates anew; once no request is under way, forgets the TLS
 * sessions and connections that the old ones vouched for.  ERR_CONFIG: the old ones
 * stay. */
int http_reload_trust(struct http *h, struct err *err) MUST_CHECK;

#endif
