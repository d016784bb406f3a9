/*
 * secret_objects.h: which Kubernetes Secrets are made of the files of the set, from a
 * SecretProviderClass's secretObjects or from our own kubernetesSecrets.  Pure.
 */
#ifndef CONFIG_SECRET_OBJECTS_H
#define CONFIG_SECRET_OBJECTS_H

#include "base/buf.h"
#include "config/secret_object.h"

#define SECRET_OBJECTS_MAX 100

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

/* Appends the Role (YAML) with the least permissions that writing them takes. */
void secret_objects_write_role(const struct secret_objects *all, struct buf *out);

#endif
