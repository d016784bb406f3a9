/*
 * request.h: what is asked over HTTPS, what comes back, and what holds for all requests.
 * Types only; net/http.h sends them.
 */
#ifndef NET_REQUEST_H
#define NET_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct trust;

/* Strings are the caller's and outlive it. */
struct http_options {
	const char *ca_file; /* trusted certificates, PEM; NULL: the system's bundle */
	const char *extra_ca_file; /* further ones; NULL: none */
	const char *proxy;         /* as proxy.h reads it; NULL: none */
	const char *no_proxy;      /* what is reached without it, as noproxy.h reads it */
	int64_t timeout_ms;        /* until a request is sent, and then for its answer */
	bool local_only; /* requests go to unix sockets alone: no certificates are read */
};

struct http_request {
	const char *url;
	const char *bearer;     /* an access token for Authorization; NULL: anonymous */
	const struct buf *form; /* POST this form, or with a method and a Content-Type of
				   your own another body; NULL: GET.  Outlives the call */
	const char *header;     /* one more line; NULL: none */
	const char *method;     /* NULL: GET, or POST with a form */
	const char *const *headers; /* more lines, the last NULL; NULL: none */
	size_t max_bytes;           /* of the body; 0: enough for one object, 256 KiB */
	int64_t timeout_ms;         /* in place of the one of the options; 0: that one */
	/* Only the status counts, whatever is wrong with the body: the request ends with
	 * it when the body passes max_bytes, or has no end in time.  Over HTTP/1.1 and a
	 * connection of its own, closed afterwards. */
	bool status_only;
	bool fresh;         /* over a new connection, also where an open one would do */
	bool local;         /* plain HTTP, and direct */
	bool direct;        /* never through the proxy */
	const char *called; /* in messages; NULL: the URL's host, or the socket's path */
	const char
		*purpose; /* a constant, for http_observe(); NULL: it is not observed */
	const char *unix_socket; /* over this socket, and local; NULL: over the network */
	const char *connect_to;  /* host:port to connect to in place of the URL's */
	const struct trust *trust; /* instead of the usual; NULL: the usual */
};

/* Why no status came back. */
enum http_failure {
	HTTP_OK,      /* a status did come back */
	HTTP_DNS,     /* the host name does not resolve */
	HTTP_PROXY,   /* the proxy cannot be reached, refuses, or lets nothing through */
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

/* A request that has come to its end. */
struct http_seen {
	const char *purpose; /* the request's */
	const char *host;    /* of its URL, with :port if any */
	enum http_failure failure;
	int status;      /* 0: none came */
	int64_t took_ms; /* since it was sent, or since its connection was begun */
};
typedef void http_observer(void *arg, const struct http_seen *seen);

/* reply is the callee's for the time of the call; what it holds is wiped after.  err is
 * NULL when a status came back, else ERR_UNAVAILABLE with the host and the cause. */
typedef void http_done(void *arg, struct http_reply *reply, const struct err *err);

#endif
