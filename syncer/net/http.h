/*
 * http.h: many HTTPS requests at once, on one thread, and the program's one wait.
 *
 * Owns libcurl.  Knows no Azure.  TLS 1.2 or newer, always verified; plain HTTP only to
 * a unix socket, and where a request says that it stays on the machine; no redirects, no
 * cookies; replies are bounded.  HTTP/2 where the server offers it, else up to HTTP_POOL
 * connections a host.  After a request has timed out no connection that may be dead is
 * used again.  A request's done function is called only from http_run(), never from
 * inside a libcurl callback and never after http_cancel().
 */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct http;
struct http_call;
struct trust;

/* Once, before any other call in the process: makes libcurl and OpenSSL allocate with
 * the wiping allocator.  ERR_UNAVAILABLE. */
int http_global_init(struct err *err) MUST_CHECK;

#define HTTP_POOL 10

/* Strings are the caller's and outlive it. */
struct http_options {
	const char *ca_file; /* trusted certificates, PEM; NULL: the system's bundle */
	const char *extra_ca_file; /* further ones; NULL: none */
	const char *proxy;         /* http[s]://[user:password@]host[:port]; NULL: none */
	const char *no_proxy; /* hosts that are reached without it, as noproxy.h reads it,
			       and networks */
	int64_t timeout_ms;   /* of a whole request, from name look-up to the last byte */
	bool local_only; /* requests go to unix sockets alone: no certificates are read */
};

/* ERR_CONFIG: the certificates cannot be read.  http_free() the result; calls still in
 * flight are dropped without their done. */
int http_new(struct http **out, const struct http_options *options,
	     struct err *err) MUST_CHECK;
void http_free(struct http *h);

struct http_request {
	const char *url;
	const char *bearer;     /* an access token for Authorization; NULL: anonymous */
	const struct buf *form; /* POST this form; NULL: GET.  Outlives the call */
	const char *header;     /* one more line; NULL: none */
	size_t max_bytes;       /* of the body; 0: enough for one object, 256 KiB */
	bool fresh;  /* over a new connection, also where an open one would do */
	bool local;  /* plain HTTP, and direct */
	bool direct; /* never through the proxy */
	const char *unix_socket; /* over this socket, and local; NULL: over the network */
	const char *connect_to;  /* host:port to connect to in place of the URL's */
	const struct trust *trust; /* instead of the usual; NULL: the usual */
};

/* Why no status came back. */
enum http_failure {
	HTTP_OK,      /* a status did come back */
	HTTP_DNS,     /* the host name does not resolve */
	HTTP_PROXY,   /* the proxy does not resolve, or refuses */
	HTTP_CONNECT, /* refused, unreachable */
	HTTP_TLS,     /* certificate or protocol */
	HTTP_TIMEOUT, /* no answer in time */
	HTTP_BROKEN,  /* the connection ended early, or the bytes are not HTTP */
	HTTP_TOO_BIG, /* the body passes the bound */
};

struct http_reply {
	enum http_failure failure;
	int status;
	bool multiplexed; /* over HTTP/2: many requests fit on one connection */
	struct buf body;
	int64_t clock_skew_s; /* this machine's clock minus the server's; 0: unknown */
	int retry_after_ms;  /* from retry-after-ms, x-ms-retry-after-ms or Retry-After */
	char request_id[64]; /* x-ms-request-id, "" when absent */
	char challenge[1024]; /* the first Bearer WWW-Authenticate, "" when absent */
};

/* reply is the callee's for the time of the call; what it holds is wiped after.  err is
 * NULL when a status came back, else ERR_UNAVAILABLE with the host and the cause. */
typedef void http_done(void *arg, struct http_reply *reply, const struct err *err);

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
