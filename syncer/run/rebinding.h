/*
 * rebinding.h: keeps other sites from reading the port through a browser (DNS rebinding).
 *
 * A site can let its own name lead to 127.0.0.1, where an operator forwards the port; to
 * the browser the answers are then the site's own.  A port that kubectl forwards is
 * reached from within the pod, so a request from a loopback address has to name an
 * address, localhost, a name without a dot, or one of a cluster, all of which no site
 * has.  Others who come from elsewhere may know the pod by any name.
 */
#ifndef RUN_REBINDING_H
#define RUN_REBINDING_H

#include <microhttpd.h>
#include <stdbool.h>

/* True when a request must not be answered. */
bool rebinding_is_likely(struct MHD_Connection *connection);

#endif
