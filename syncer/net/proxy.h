/*
 * proxy.h: the proxy that HTTPS_PROXY names.  Pure.
 *
 * libcurl is given its parts.  Its own reading of such a text takes the first "@" for the
 * end of the password, and 1080 for the port that is not there.
 */
#ifndef NET_PROXY_H
#define NET_PROXY_H

#include <stdbool.h>

#include "base/err.h"

struct proxy {
	char *url;        /* http[s]://HOST:PORT; NULL: no proxy */
	const char *name; /* HOST:PORT in it, for messages */
	bool tls;         /* it speaks TLS itself */
	bool port_given;  /* else it is 80 or, with TLS, 443, as Azure's SDKs take it */
	char *user, *password; /* decoded; NULL: none */
};

/*
 * Reads [http[s]://][USER[:PASSWORD]@]HOST[:PORT][/], with blanks or a line break around
 * it; NULL is no proxy.  The last "@" ends the password, and "%" with two hexadecimal
 * digits stands for one byte of it.  ERR_CONFIG: what is wrong and how to write it, never
 * with a part that may be of a password.  proxy_done() the result.
 */
int proxy_parse(struct proxy *out, const char *text, struct err *err) MUST_CHECK;
void proxy_done(struct proxy *proxy);

#endif
