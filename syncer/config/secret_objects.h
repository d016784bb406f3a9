/*
 * secret_objects.h: which Kubernetes Secrets are made of the files of the set, from a
 * SecretProviderClass's secretObjects or from our own kubernetesSecrets.  Pure.
 */
#ifndef CONFIG_SECRET_OBJECTS_H
#define CONFIG_SECRET_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "config/objects.h"

#define SECRET_OBJECTS_MAX 100

#define SECRET_TYPE_OPAQUE "Opaque"
#define SECRET_TYPE_TLS "kubernetes.io/tls"
#define SECRET_TYPE_DOCKER "kubernetes.io/dockerconfigjson"
#define SECRET_TYPE_DOCKERCFG "kubernetes.io/dockercfg"

/* Who keeps the Secret alive. */
enum secret_owner {
	SECRET_OWNER_POD,      /* each pod that uses it: it goes with the last of them */
	SECRET_OWNER_NONE,     /* nobody: it stays until somebody deletes it */
	SECRET_OWNER_EXISTING, /* whoever made it: it is filled, and never created */
};

/* A label or an annotation. */
struct secret_pair {
	char *name, *value;
};

struct secret_pairs {
	struct secret_pair *items;
	size_t count;
};

/* A key of the Secret, and the file of the set whose bytes it gets. */
struct secret_datum {
	char *key, *path;
};

struct secret_object {
	char *name, *type;
	struct secret_pairs labels, annotations;
	struct secret_datum *data;
	size_t data_count;
	bool all;   /* also each other file of the set, under its path */
	bool adopt; /* it may be one that somebody else made */
	enum secret_owner owner;
};

struct secret_objects {
	struct secret_object *items;
	size_t count;
};

/*
 * Reads a list in YAML or JSON; text NULL: none.  objects: the list whose files they
 * take.  ERR_CONFIG names the variable, the entry, the rule and the fix.
 * secret_objects_done() the result.
 */
int secret_objects_read(struct secret_objects *out, const char *text,
			const struct objects *objects, struct err *err) MUST_CHECK;
void secret_objects_done(struct secret_objects *all);

/* The key of a file that `all` takes: its path with '.' in place of '/'.  The caller
 * frees. */
char *secret_objects_key(const char *path);

/* "pod", "none", "existing". */
const char *secret_owner_word(enum secret_owner owner);

/* A number for what the entry asks for, but not for who owns the Secret: two pods with
 * the same number want the same Secret. */
uint64_t secret_object_number(const struct secret_object *s);

/* Appends the Role (YAML) with the least permissions that writing them takes. */
void secret_objects_write_role(const struct secret_objects *all, struct buf *out);

#endif
