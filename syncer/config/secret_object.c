#include "config/secret_object.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "config/references.h"
#include "config/yaml.h"

#define LABEL_MAX_LEN 63
/* Names that Kubernetes reserves for us: what we write ourselves. */
#define OWN_PREFIX "akvsync.dev/"

static const char *const owner_words[] = { "pod", "none", "existing" };

const char *secret_owner_word(enum secret_owner owner)
{
	return owner_words[owner];
}

/* ---- names ---- */

bool secret_object_is_key(const char *key)
{
	size_t len = strlen(key);

	if (len == 0 || len > SECRET_NAME_MAX || strcmp(key, ".") == 0 ||
	    text_starts(key, ".."))
		return false;
	for (; *key; key++)
		if (!isalnum((unsigned char)*key) && strchr("-._", *key) == NULL)
			return false;
	return true;
}

/* A DNS subdomain, RFC 1123, of the first len bytes. */
static bool secret_is_subdomain(const char *name, size_t len)
{
	if (len == 0 || len > SECRET_NAME_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		bool edge = i == 0 || i + 1 == len || name[i - 1] == '.' ||
			    name[i + 1] == '.';
		bool letter = islower((unsigned char)name[i]) ||
			      isdigit((unsigned char)name[i]);

		if (!letter && (edge || (name[i] != '-' && name[i] != '.')))
			return false;
	}
	return true;
}

/* Letters and digits at both ends, also '-', '_' and '.' between, at most 63. */
static bool secret_is_label(const char *text)
{
	size_t len = strlen(text);

	if (len == 0 || len > LABEL_MAX_LEN || !isalnum((unsigned char)text[0]) ||
	    !isalnum((unsigned char)text[len - 1]))
		return false;
	for (; *text; text++)
		if (!isalnum((unsigned char)*text) && strchr("-._", *text) == NULL)
			return false;
	return true;
}

/* "team", "example.com/team" */
static bool secret_is_qualified(const char *name)
{
	const char *slash = strchr(name, '/');

	if (slash == NULL)
		return secret_is_label(name);
	return secret_is_subdomain(name, (size_t)(slash - name)) &&
	       secret_is_label(slash + 1);
}

/* ---- attributes ---- */

static int secret_set_name(struct secret_object *s, const struct yaml *node,
			   struct err *err)
{
	if (!secret_is_subdomain(node->text, strlen(node->text)))
		return err_set(err, ERR_CONFIG,
			       "secretName '%.100s' is no name of a Secret: lower-case "
			       "letters, digits, '-' and '.', at most %d",
			       node->text, SECRET_NAME_MAX);
	s->name = xstrdup(node->text);
	return 0;
}

static int secret_set_type(struct secret_object *s, const struct yaml *node,
			   struct err *err)
{
	if (strcmp(node->text, "kubernetes.io/service-account-token") == 0)
		return err_set(err, ERR_CONFIG,
			       "type '%s' is refused: Kubernetes would put a token of a "
			       "service account into such a Secret",
			       node->text);
	if (strlen(node->text) > SECRET_NAME_MAX)
		return err_set(err, ERR_CONFIG, "type '%.40s...' is too long",
			       node->text);
	s->type = xstrdup(node->text);
	return 0;
}

static int secret_read_pairs(struct secret_pairs *out, const struct yaml *map,
			     bool labels, struct err *err)
{
	if (map->type != YAML_MAP && !map->null)
		return err_set(err, ERR_CONFIG,
			       "%s must be a map of names and texts, such as {team: "
			       "shop}",
			       map->key);
	for (const struct yaml *n = map->first; n; n = n->next) {
		if (n->type != YAML_SCALAR)
			return err_set(err, ERR_CONFIG,
				       "%s: the value of '%.100s' must "
				       "be plain text",
				       map->key, n->key);
		if (!secret_is_qualified(n->key))
			return err_set(err, ERR_CONFIG,
				       "%s: '%.100s' is no name of one, such as team or "
				       "example.com/team",
				       map->key, n->key);
		if (text_starts(n->key, OWN_PREFIX))
			return err_set(err, ERR_CONFIG,
				       "%s: '%.100s' is akvsync's own; choose another "
				       "name",
				       map->key, n->key);
		if (labels && *n->text != '\0' && !secret_is_label(n->text))
			return err_set(err, ERR_CONFIG,
				       "%s: the value of '%.100s' must be at most %d "
				       "letters, digits, '-', '_' and '.', with a letter "
				       "or digit at both ends",
				       map->key, n->key, LABEL_MAX_LEN);
		out->items = xgrow(out->items, out->count, sizeof(*out->items));
		out->items[out->count++] =
			(struct secret_pair){ xstrdup(n->key), xstrdup(n->text) };
	}
	return 0;
}

static int secret_set_labels(struct secret_object *s, const struct yaml *node,
			     struct err *err)
{
	return secret_read_pairs(&s->labels, node, true, err);
}

static int secret_set_annotations(struct secret_object *s, const struct yaml *node,
				  struct err *err)
{
	return secret_read_pairs(&s->annotations, node, false, err);
}

static int secret_add_datum(struct secret_object *s, const struct yaml *map,
			    struct err *err)
{
	const char *path = yaml_member_text(map, "objectName");
	const char *key = yaml_member_text(map, "key");

	for (const struct yaml *n = map->first; n; n = n->next)
		if (strcmp(n->key, "objectName") != 0 && strcmp(n->key, "key") != 0)
			return err_set(err, ERR_CONFIG,
				       "data: unknown attribute '%.80s': each entry has "
				       "objectName and key",
				       n->key);
	if (*path == '\0' || *key == '\0')
		return err_set(err, ERR_CONFIG,
			       "data: each entry must have objectName, the path of a "
			       "file, and key");
	if (!secret_object_is_key(key))
		return err_set(err, ERR_CONFIG,
			       "data: key '%.100s' may hold letters, digits, '-', '_' "
			       "and '.' only, at most %d",
			       key, SECRET_NAME_MAX);
	for (size_t i = 0; i < s->data_count; i++)
		if (strcmp(s->data[i].key, key) == 0)
			return err_set(err, ERR_CONFIG,
				       "data: key '%.100s' is there twice", key);
	s->data = xgrow(s->data, s->data_count, sizeof(*s->data));
	s->data[s->data_count++] = (struct secret_datum){ xstrdup(key), xstrdup(path) };
	return 0;
}

static int secret_set_data(struct secret_object *s, const struct yaml *node,
			   struct err *err)
{
	if (node->type != YAML_LIST && !node->null)
		return err_set(err, ERR_CONFIG,
			       "data must be a list, such as [{objectName: db-password, "
			       "key: password}]");
	for (const struct yaml *n = node->first; n; n = n->next)
		if (secret_add_datum(s, n, err) < 0)
			return -1;
	return 0;
}

static int secret_read_flag(const struct yaml *node, bool *out, struct err *err)
{
	if (text_bool(node->text, out) == 0)
		return 0;
	return err_set(err, ERR_CONFIG, "%s: the value is neither true nor false",
		       node->key);
}

static int secret_set_all(struct secret_object *s, const struct yaml *node,
			  struct err *err)
{
	return secret_read_flag(node, &s->all, err);
}

static int secret_set_adopt(struct secret_object *s, const struct yaml *node,
			    struct err *err)
{
	return secret_read_flag(node, &s->adopt, err);
}

static int secret_set_immutable(struct secret_object *s, const struct yaml *node,
				struct err *err)
{
	bool on;

	(void)s;
	if (secret_read_flag(node, &on, err) < 0)
		return -1;
	return on ? err_set(err, ERR_CONFIG,
			    "immutable: an immutable Secret could not follow the vault; "
			    "leave it out")
		  : 0;
}

static int secret_set_owner(struct secret_object *s, const struct yaml *node,
			    struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(owner_words); i++) {
		if (strcmp(node->text, owner_words[i]) != 0)
			continue;
		s->owner = (enum secret_owner)i;
		return 0;
	}
	return err_set(err, ERR_CONFIG, "owner '%.40s' is none of pod, none, existing",
		       node->text);
}

static const struct secret_attribute {
	const char *name;
	int (*set)(struct secret_object *s, const struct yaml *node, struct err *err);
	bool plain; /* only plain text will do */
} attributes[] = {
	{ "secretName", secret_set_name, true },
	{ "type", secret_set_type, true },
	{ "labels", secret_set_labels, false },
	{ "annotations", secret_set_annotations, false },
	{ "data", secret_set_data, false },
	{ "all", secret_set_all, true },
	{ "adopt", secret_set_adopt, true },
	{ "owner", secret_set_owner, true },
	{ "immutable", secret_set_immutable, true },
};

static int secret_set(struct secret_object *s, const struct yaml *node, struct err *err)
{
	const char *names[ARRAY_LEN(attributes)], *nearest;

	for (size_t i = 0; i < ARRAY_LEN(attributes); i++) {
		const struct secret_attribute *a = &attributes[i];

		names[i] = a->name;
		if (strcmp(a->name, node->key) != 0)
			continue;
		if (a->plain && node->type != YAML_SCALAR)
			return err_set(err, ERR_CONFIG, "%s must be plain text", a->name);
		return a->plain && *node->text == '\0' ? 0 : a->set(s, node, err);
	}
	nearest = text_nearest(node->key, names, ARRAY_LEN(names));
	err_set(err, ERR_CONFIG, "unknown attribute '%.80s'", node->key);
	return nearest ? err_hint(err, "did you mean '%s'?", nearest) : -1;
}

/* ---- what Kubernetes wants of a type ---- */

static const struct secret_rule {
	const char *type;
	const char *keys[2];
	bool either; /* one of the keys is enough */
} rules[] = {
	{ SECRET_TYPE_TLS, { "tls.crt", "tls.key" }, false },
	{ "kubernetes.io/basic-auth", { "username", "password" }, true },
	{ "kubernetes.io/ssh-auth", { "ssh-privatekey" }, false },
	{ SECRET_TYPE_DOCKER, { ".dockerconfigjson" }, false },
	{ SECRET_TYPE_DOCKERCFG, { ".dockercfg" }, false },
};

static bool secret_has_key(const struct secret_object *s, const char *key)
{
	for (size_t i = 0; i < s->data_count; i++)
		if (strcmp(s->data[i].key, key) == 0)
			return true;
	return false;
}

static int secret_check_type(const struct secret_object *s, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		const struct secret_rule *r = &rules[i];
		size_t wanted = r->keys[1] ? 2 : 1, found = 0;

		if (strcmp(r->type, s->type) != 0)
			continue;
		for (size_t k = 0; k < wanted; k++)
			found += secret_has_key(s, r->keys[k]);
		if (found == wanted || (r->either && found > 0))
			return 0;
		return err_set(err, ERR_CONFIG, "a Secret of type %s must have %s%s%s%s",
			       r->type, wanted > 1 ? "the keys " : "the key ", r->keys[0],
			       wanted == 1 ? ""
			       : r->either ? " or "
					   : " and ",
			       wanted > 1 ? r->keys[1] : "");
	}
	return 0;
}

/* ---- the whole entry ---- */

static int secret_finish(struct secret_object *s, const struct objects *objects,
			 struct err *err)
{
	if (s->name == NULL)
		return err_set(err, ERR_CONFIG, "secretName is missing");
	if (s->type == NULL)
		s->type = xstrdup(SECRET_TYPE_OPAQUE);
	if (s->data_count == 0 && !s->all)
		return err_set(err, ERR_CONFIG,
			       "it has no data; list some, such as [{objectName: "
			       "db-password, key: password}], or set all: true");
	for (size_t i = 0; i < s->data_count; i++)
		if (references_check_file(objects, s->data[i].path, err) < 0)
			return err_wrap(err, "data");
	return secret_check_type(s, err);
}

int secret_object_read(struct secret_object *out, const struct yaml *map,
		       const struct objects *objects, struct err *err)
{
	struct secret_object s = { 0 };
	int result = 0;

	if (map->type != YAML_MAP)
		return err_set(err, ERR_CONFIG,
			       "it is not a map, such as {secretName: x}");
	for (const struct yaml *n = map->first; n && result == 0; n = n->next)
		result = secret_set(&s, n, err);
	if (result == 0)
		result = secret_finish(&s, objects, err);
	if (result < 0)
		secret_object_done(&s);
	else
		*out = s;
	return result;
}

static void secret_pairs_done(struct secret_pairs *pairs)
{
	for (size_t i = 0; i < pairs->count; i++) {
		free(pairs->items[i].name);
		free(pairs->items[i].value);
	}
	free(pairs->items);
}

void secret_object_done(struct secret_object *s)
{
	free(s->name);
	free(s->type);
	secret_pairs_done(&s->labels);
	secret_pairs_done(&s->annotations);
	for (size_t k = 0; k < s->data_count; k++) {
		free(s->data[k].key);
		free(s->data[k].path);
	}
	free(s->data);
	*s = (struct secret_object){ 0 };
}

/* ---- a number for it ---- */

static uint64_t secret_pairs_number(const struct secret_pairs *pairs)
{
	uint64_t sum = pairs->count;

	/* A sum, so that the order does not count. */
	for (size_t i = 0; i < pairs->count; i++)
		sum += text_hash(text_hash(TEXT_HASH, pairs->items[i].name),
				 pairs->items[i].value);
	return sum;
}

uint64_t secret_object_number(const struct secret_object *s)
{
	uint64_t sum = secret_pairs_number(&s->labels) * 3 +
		       secret_pairs_number(&s->annotations) * 5 + s->all;

	for (size_t i = 0; i < s->data_count; i++)
		sum += text_hash(text_hash(TEXT_HASH, s->data[i].key), s->data[i].path);
	return sum ^ text_hash(text_hash(TEXT_HASH, s->name), s->type);
}
