/*
 * endpoint.h: opens the sockets that probes and requests to poll come in by: a path on
 * the volume, and a port when one is asked for.
 */
#ifndef RUN_ENDPOINT_H
#define RUN_ENDPOINT_H

#include "base/err.h"

#define ENDPOINT_PATH_LEN 64

/* The path of the volume's socket, by the descriptor of its directory: the name of a deep
 * directory does not fit a socket's address. */
#define ENDPOINT_SOCKET "..sock"
void endpoint_path(char out[static ENDPOINT_PATH_LEN], int dir_fd);

/* Listens at that path, mode 0600, and replaces the socket of an earlier process; the
 * caller holds the directory's lock.  A descriptor, or -1 with ERR_IO. */
int endpoint_open_path(int dir_fd, struct err *err) MUST_CHECK;

/* Removes it. */
void endpoint_remove(int dir_fd);

/* Listens at an address with a port, as config/listen.h reads it.  Likewise; ERR_IO says
 * what to change. */
int endpoint_open_port(const char *text, struct err *err) MUST_CHECK;

#endif
