/*
 * secret_content.h: what a Kubernetes Secret is to hold, from the files of the set.
 */
#ifndef SYNC_SECRET_CONTENT_H
#define SYNC_SECRET_CONTENT_H

#include "cluster/secret.h"
#include "config/objects.h"
#include "deliver/publish.h"

/*
 * Fills in the object's values and *out's source from the set on the volume.  The keys
 * tls.crt and tls.key of a TLS Secret are the certificates and the private key of their
 * file, which may be one file, PEM or PKCS#12; the key is written in its traditional
 * form, as the CSI driver writes it.
 *
 * A file that is not there leaves its key out when its entry in the list is optional.
 * ERR_IO: a file is not there, or cannot be read.  ERR_CONFIG: its content does not fit
 * the type or the limit.  Messages hold no part of a file.  cluster_secret_done() the
 * result.
 */
int secret_content_make(struct cluster_secret *out, const struct secret_object *s,
			const struct objects *objects, const struct publish *publish,
			struct err *err) MUST_CHECK;

#endif
