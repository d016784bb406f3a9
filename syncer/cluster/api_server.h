/*
 * api_server.h: the cluster's API server: where it is, and what a pod proves itself with.
 */
#ifndef CLUSTER_API_SERVER_H
#define CLUSTER_API_SERVER_H

#include "base/buf.h"
#include "config/settings.h"
#include "net/request.h"
#include "net/trust.h"

/* What a request needs, read anew for each series of requests: the kubelet replaces the
 * token about once an hour. */
struct api_server {
	char *url;   /* of the Secrets of the pod's namespace, without a final '/' */
	char *space; /* the namespace */
	struct buf token;
	struct trust *trust; /* the cluster's own certificates, and no others */
};

/* Reads the token, the certificates and the namespace.  ERR_CONFIG: this is no pod, or it
 * has no such token; ERR_IO: a file cannot be read now.  api_server_close() the
 * result. */
int api_server_open(struct api_server *out, const struct settings *s,
		    struct err *err) MUST_CHECK;
void api_server_close(struct api_server *c);

#endif
