/*
 * inflow.h: how much one turn of the loop reads from each TLS connection.
 *
 * libcurl reads from a connection until nothing has come for a moment.  Against a server
 * that sends without end, such as HTTP/2 frames that mean nothing, one call of
 * curl_multi_perform() would never return, and no deadline and no signal be heeded.  So
 * OpenSSL gets its bytes through a BIO (a source of bytes) of our own, which says
 * "nothing has come" when a connection has had its share of a turn; the rest is read in
 * the next.
 * A connection of which very much comes, and nothing that anybody asked for, breaks.
 */
#ifndef NET_INFLOW_H
#define NET_INFLOW_H

#include <stdbool.h>
#include <stdint.h>

/* {0} is before the first turn.  Outlives the connections. */
struct inflow {
	uint64_t turn;
	uint64_t
		progress; /* grows with each byte of a body, and each request that ends */
	bool held_back;   /* in this turn a connection has been refused more bytes */
};

/* Another turn begins. */
void inflow_turn(struct inflow *inflow);

/* Connections of this SSL_CTX have their share of each turn. */
void inflow_apply(struct inflow *inflow, void *ssl_ctx);

#endif
