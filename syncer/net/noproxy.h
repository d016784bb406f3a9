/*
 * noproxy.h: which hosts NO_PROXY spares the proxy.  Pure, and the only decider:
 * libcurl's own is switched off.
 *
 * The list is separated by commas, semicolons or blanks.  Its entries, each perhaps with
 * ":PORT":
 *
 *   *                     every host
 *   vault.azure.net       this host and those below it; also ".vault.azure.net" and
 *                         "*.vault.azure.net"
 *   10.1.2.3, [fd00::1]   this address
 *   10.0.0.0/8, fd00::/8  the addresses of this network
 *
 * No name is looked up: addresses and networks name hosts that are written as addresses.
 */
#ifndef NET_NOPROXY_H
#define NET_NOPROXY_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the list, which may be NULL, names a host[:port]; without a port it is 443. */
bool noproxy_names(const char *list, const char *host);

/* What is wrong with the i-th of the entries that are none of these, and how to write it;
 * the entry itself is copied, unless it may hold a password.  NULL: there are no more. */
#define NOPROXY_ENTRY_LEN 80
const char *noproxy_mistake(const char *list, size_t i,
			    char entry[static NOPROXY_ENTRY_LEN]);

/* Whether the list has an entry that only names hosts written as addresses. */
bool noproxy_has_networks(const char *list);

#endif
