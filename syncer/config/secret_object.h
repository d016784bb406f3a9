/*
 * secret_object.h: one Kubernetes Secret that is made of files of the set: what it is
 * called, what it holds, and who owns it.  Pure.
 */
#ifndef CONFIG_SECRET_OBJECT_H
#define CONFIG_SECRET_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/objects.h"
#include "config/yaml.h"

#define SECRET_TYPE_OPAQUE "Opaque"
#define SECRET_TYPE_TLS "kubernetes.io/tls"
#define SECRET_TYPE_DOCKER "kubernetes.io/dockerconfigjson"
#define SECRET_TYPE_DOCKERCFG "kubernetes.io/dockercfg"

/* The longest name of a Secret, and of a key. */
#define SECRET_NAME_MAX 253

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

/* Reads an entry of the list.  objects: the list whose files it takes.  ERR_CONFIG: the
 * rule and the fix.  secret_object_done() the result. */
int secret_object_read(struct secret_object *out, const struct yaml *map,
		       const struct objects *objects, struct err *err) MUST_CHECK;
void secret_object_done(struct secret_object *s);

/* Whether Kubernetes takes it as a key of a Secret. */
bool secret_object_is_key(const char *key);

/* "pod", "none", "existing". */
const char *secret_owner_word(enum secret_owner owner);

/* A number for what the entry asks for, but not for who owns the Secret: two pods with
 * the same number want the same Secret. */
uint64_t secret_object_number(const struct secret_object *s);

#endif
