/*
 * noproxy.h: which hosts NO_PROXY spares the proxy.  Pure.
 *
 * Names only: what is an address stays with libcurl, which knows networks (10.0.0.0/8).
 */
#ifndef NET_NOPROXY_H
#define NET_NOPROXY_H

#include <stdbool.h>

/*
 * Whether a list, separated by commas or blanks, names a host[:port]: "*", the host
 * itself, or a domain of it, with or without "." or "*." before it.  list may be NULL.
 */
bool noproxy_names(const char *list, const char *host);

#endif
