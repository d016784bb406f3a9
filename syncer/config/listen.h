/*
 * listen.h: AKVSYNC_LISTEN: the address and the port where probes are answered over HTTP.
 * Pure.
 *
 *   :8087              all addresses of the pod
 *   127.0.0.1:8087     this address; also localhost:8087
 *   [::1]:8087         likewise
 *
 * Other names are refused: to look one up could take long, and gives several addresses.
 */
#ifndef CONFIG_LISTEN_H
#define CONFIG_LISTEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct listen {
	bool all;                  /* all addresses, of both kinds */
	bool v4;                   /* the first 4 bytes are an IPv4 address */
	unsigned char address[16]; /* in network byte order */
	uint16_t port;
};

/* ERR_CONFIG: the accepted forms. */
int listen_parse(struct listen *out, const char *text, struct err *err) MUST_CHECK;

#endif
