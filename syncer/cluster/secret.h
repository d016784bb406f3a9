/*
 * secret.h: one Kubernetes Secret: what it is to be, what the API server says that it is,
 * and the bodies of the requests that make it so.  Pure.
 *
 * All are server-side apply.  The field manager "akvsync" owns the type, the data, the
 * labels and the annotations; what another one wrote besides stays.  Each pod has a field
 * manager of its own for its entry among the owners, so that pods do not remove each
 * other's.  That manager's name is the pod's claim: which list it has, and since when.
 * When the pod is gone, Kubernetes removes its entry and with it the claim.
 *
 * Annotations tell pods whose word counts:
 *   akvsync.dev/list    which list of keys, labels and annotations made it
 *   akvsync.dev/since   since when the pod that wrote it has that list
 *   akvsync.dev/owner   whether that pod makes a claim: "pod"
 *   akvsync.dev/source  the names and versions of what is in it
 *   akvsync.dev/keys    which keys these are
 */
#ifndef CLUSTER_SECRET_H
#define CLUSTER_SECRET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "config/secret_objects.h"

/* Kubernetes' limit for the values together, and more than such a Secret takes as JSON,
 * with what else stands in it. */
#define CLUSTER_SECRET_DATA_MAX (1024 * 1024)
#define CLUSTER_SECRET_REPLY_MAX (4 * 1024 * 1024)

/* The label of a Secret that is ours. */
#define CLUSTER_SECRET_LABEL "akvsync.dev/managed"

/* A number of 64 bits in hexadecimal. */
#define CLUSTER_NUMBER_LEN 17

/* The name of a pod's field manager; Kubernetes takes at most 128 bytes. */
#define CLUSTER_CLAIM_LEN 96

struct cluster_value {
	char *key;
	struct buf bytes;
};

/* What the Secret is to be. */
struct cluster_secret {
	const struct secret_object *object;
	struct cluster_value *values;
	size_t count;
	char list[CLUSTER_NUMBER_LEN];
	char source[CLUSTER_NUMBER_LEN];
	char keys[CLUSTER_NUMBER_LEN];
	char written[CLUSTER_NUMBER_LEN]; /* the source that this pod wrote last; "":
					     none */
	int64_t since_ms;                 /* wall time since when this pod has the list */
	int64_t shown_ms;                 /* what is written as akvsync.dev/since */
	const char *pod_name, *pod_uid;   /* of the owner; NULL: no pod owns it */
};

void cluster_secret_done(struct cluster_secret *s);

/* What the API server says that it is. */
struct cluster_found {
	bool exists;
	bool is_ours;
	bool same_list; /* it was made by our list */
	bool same_data; /* it has our keys, and each of them has our bytes */
	bool yields;    /* another pod's word counts: the data stays as it is */
	char *uid;
	/* What the owners lack: as this field manager the pod adds itself, or leaves. "":
	 * nothing. */
	char manager[CLUSTER_CLAIM_LEN];
	bool joins;
};

void cluster_found_done(struct cluster_found *f);

/*
 * Reads the Secret in a reply.  Where only the source differs, but not the data, *s takes
 * over the source that is there, so that nothing has to be written.
 * ERR_CONFIG: it is not ours to change, or Kubernetes would not let anybody change it so.
 * ERR_GARBLED: it is no Secret.  cluster_found_done() the result.
 */
int cluster_secret_read(struct cluster_secret *s, const char *text, size_t len,
			struct cluster_found *out, struct err *err) MUST_CHECK;

/* The body that asks for the Secret as it is, with a dry run. */
void cluster_secret_write_question(const struct cluster_secret *s, struct buf *out);

/* The body of all that is ours. */
void cluster_secret_write(const struct cluster_secret *s, struct buf *out);

/* The body of the pod's own field manager: its entry among the owners of the Secret that
 * was found, or none. */
void cluster_secret_write_owner(const struct cluster_secret *s,
				const struct cluster_found *f, struct buf *out);

#endif
