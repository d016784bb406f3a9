#include "sync/secret_content.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "crypto/tls_pair.h"

/* ---- one value ---- */

static bool content_is_tls(const struct secret_object *s, const char *key)
{
	return strcmp(s->type, SECRET_TYPE_TLS) == 0 &&
	       (strcmp(key, "tls.crt") == 0 || strcmp(key, "tls.key") == 0);
}

/* A type that Kubernetes would refuse with this content. */
static int content_check(const struct secret_object *s, const char *key,
			 const struct buf *bytes, struct err *err)
{
	auto_json struct json *root = NULL;
	struct err ignored;
	bool is_docker = (strcmp(s->type, SECRET_TYPE_DOCKER) == 0 &&
			  strcmp(key, ".dockerconfigjson") == 0) ||
			 (strcmp(s->type, SECRET_TYPE_DOCKERCFG) == 0 &&
			  strcmp(key, ".dockercfg") == 0);

	if (is_docker && (json_parse(buf_str(bytes), bytes->len, &root, &ignored) < 0 ||
			  !json_is_object(root)))
		return err_set(err, ERR_CONFIG,
			       "it is no JSON object, and a Secret of "
			       "type %s must hold one",
			       s->type);
	return 0;
}

static int content_read(const struct secret_object *s, const char *key, const char *path,
			const struct publish *publish, struct buf *out, struct err *err)
{
	auto_buf struct buf file = BUF_INIT(CLUSTER_SECRET_DATA_MAX);

	if (publish_read(publish, path, &file, err) < 0)
		return -1;
	if (content_is_tls(s, key))
		return strcmp(key, "tls.key") == 0
			       ? tls_pair_key(buf_str(&file), file.len, out, err)
			       : tls_pair_certificates(buf_str(&file), file.len, out,
						       err);
	if (content_check(s, key, &file, err) < 0)
		return -1;
	return buf_add(out, buf_str(&file), file.len, err);
}

/* ---- all values ---- */

/* True when nothing has to be there under the path. */
static bool content_is_optional(const struct objects *objects, const char *path)
{
	for (size_t i = 0; i < objects->count; i++) {
		const struct object *o = &objects->items[i];
		size_t len = o->path ? strlen(o->path) : 0;

		if (o->optional && (len == 0 || (strncmp(path, o->path, len) == 0 &&
						 strchr("./", path[len]) != NULL)))
			return true;
	}
	return false;
}

static int content_add(struct cluster_secret *out, const char *key, const char *path,
		       const struct objects *objects, const struct publish *publish,
		       uint64_t *hash, struct err *err)
{
	const struct manifest_entry *e = publish_at(publish, path, NULL);
	struct cluster_value *v;

	if (e == NULL)
		return content_is_optional(objects, path)
			       ? 0
			       : err_set(err, ERR_IO, "file '%.100s': is not in the set",
					 path);
	out->values = xgrow(out->values, out->count, sizeof(*out->values));
	v = &out->values[out->count++];
	*v = (struct cluster_value){ .key = xstrdup(key),
				     .bytes = BUF_INIT(CLUSTER_SECRET_DATA_MAX) };
	if (content_read(out->object, key, path, publish, &v->bytes, err) < 0)
		return err_wrap(err, "file '%.100s'", path);
	*hash = text_hash(text_hash(*hash, key), e->object);
	*hash = text_hash(text_hash(*hash, e->version), e->options);
	return 0;
}

static bool content_has(const struct cluster_value *values, size_t count, const char *key)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(values[i].key, key) == 0)
			return true;
	return false;
}

/* The other file that has this key. */
static const char *content_rival(const struct publish *publish, const char *key,
				 const char *path)
{
	const struct manifest_entry *e;

	for (size_t i = 0; (e = publish_entry(publish, i, NULL)) != NULL; i++) {
		auto_free char *other = secret_objects_key(e->path);

		if (strcmp(other, key) == 0 && strcmp(e->path, path) != 0)
			return e->path;
	}
	return path;
}

static int content_check_key(const struct cluster_secret *out, size_t listed,
			     const char *key, const char *path,
			     const struct publish *publish, struct err *err)
{
	if (!secret_object_is_key(key))
		return err_set(
			err, ERR_CONFIG,
			"file '%.100s' can be no key, which has at most %d letters, "
			"digits, '-', '_' and '.'; list what it is to hold under "
			"data, in place of all",
			path, SECRET_NAME_MAX);
	if (!content_has(out->values + listed, out->count - listed, key))
		return 0;
	return err_set(err, ERR_CONFIG,
		       "files '%.100s' and '%.100s' would both be key '%.100s'; give the "
		       "key to one of them under data",
		       content_rival(publish, key, path), path, key);
}

/* Every file whose key the entry does not give to another one. */
static int content_add_all(struct cluster_secret *out, const struct objects *objects,
			   const struct publish *publish, uint64_t *hash, struct err *err)
{
	size_t listed = out->count;
	const struct manifest_entry *e;

	for (size_t i = 0; (e = publish_entry(publish, i, NULL)) != NULL; i++) {
		auto_free char *key = secret_objects_key(e->path);

		if (content_has(out->values, listed, key))
			continue;
		if (content_check_key(out, listed, key, e->path, publish, err) < 0 ||
		    content_add(out, key, e->path, objects, publish, hash, err) < 0)
			return -1;
	}
	return 0;
}

/* The same in any order. */
static uint64_t content_number_of_keys(const struct cluster_secret *s)
{
	uint64_t sum = s->count;

	for (size_t i = 0; i < s->count; i++)
		sum += text_hash(TEXT_HASH, s->values[i].key);
	return sum;
}

static int content_check_size(const struct cluster_secret *s, struct err *err)
{
	size_t sum = 0;

	for (size_t i = 0; i < s->count; i++)
		sum += s->values[i].bytes.len;
	if (sum <= CLUSTER_SECRET_DATA_MAX)
		return 0;
	return err_set(
		err, ERR_CONFIG,
		"its values have %zu bytes together, and a Secret may have at most "
		"%d",
		sum, CLUSTER_SECRET_DATA_MAX);
}

int secret_content_make(struct cluster_secret *out, const struct secret_object *s,
			const struct objects *objects, const struct publish *publish,
			struct err *err)
{
	struct cluster_secret c = { .object = s };
	uint64_t hash = TEXT_HASH;
	int result = 0;

	for (size_t i = 0; i < s->data_count && result == 0; i++)
		result = content_add(&c, s->data[i].key, s->data[i].path, objects,
				     publish, &hash, err);
	if (result == 0 && s->all)
		result = content_add_all(&c, objects, publish, &hash, err);
	if (result == 0)
		result = content_check_size(&c, err);
	if (result < 0) {
		cluster_secret_done(&c);
		return -1;
	}
	snprintf(c.source, sizeof(c.source), "%016" PRIx64, hash);
	snprintf(c.keys, sizeof(c.keys), "%016" PRIx64, content_number_of_keys(&c));
	snprintf(c.list, sizeof(c.list), "%016" PRIx64, secret_object_number(s));
	*out = c;
	return 0;
}
