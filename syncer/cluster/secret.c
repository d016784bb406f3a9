#include "cluster/secret.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#define LIST "akvsync.dev/list"
#define SINCE "akvsync.dev/since"
#define SOURCE "akvsync.dev/source"

/* As base64, with quotes and a key. */
#define VALUE_MAX (2 * CLUSTER_SECRET_DATA_MAX)

void cluster_secret_done(struct cluster_secret *s)
{
	for (size_t i = 0; i < s->count; i++) {
		free(s->values[i].key);
		buf_done(&s->values[i].bytes);
	}
	free(s->values);
	*s = (struct cluster_secret){ 0 };
}

void cluster_found_done(struct cluster_found *f)
{
	free(f->uid);
	*f = (struct cluster_found){ 0 };
}

/* ---- what is there ---- */

static const char *secret_annotation(const struct json *metadata, const char *name)
{
	const char *text = json_string(json_get(metadata, "annotations"), name);

	return text ? text : "";
}

static bool secret_is_same_value(const struct cluster_value *v, const struct json *data)
{
	auto_buf struct buf wanted = BUF_INIT(VALUE_MAX);
	const char *found = json_string(data, v->key);

	text_to_base64(buf_str(&v->bytes), v->bytes.len, &wanted);
	/* An empty value may be left out. */
	return strcmp(found ? found : "", buf_str(&wanted)) == 0 &&
	       (found != NULL || v->bytes.len > 0);
}

static bool secret_has_pairs(const struct secret_pairs *pairs, const struct json *map)
{
	for (size_t i = 0; i < pairs->count; i++) {
		const char *found = json_string(map, pairs->items[i].name);

		if (found == NULL || strcmp(found, pairs->items[i].value) != 0)
			return false;
	}
	return true;
}

static bool secret_is_same_data(const struct cluster_secret *s, const struct json *root)
{
	const struct json *data = json_get(root, "data");

	for (size_t i = 0; i < s->count; i++)
		if (!secret_is_same_value(&s->values[i], data))
			return false;
	return true;
}

static bool secret_is_owned(const struct cluster_secret *s, const struct json *metadata)
{
	const struct json *o = json_first(json_get(metadata, "ownerReferences"));

	for (; o != NULL && s->pod_uid != NULL; o = json_next(o)) {
		const char *uid = json_string(o, "uid");

		if (uid != NULL && strcmp(uid, s->pod_uid) == 0)
			return true;
	}
	return false;
}

/*
 * Two pods may want different things of one Secret.  Of two lists the newer one counts,
 * which is that of the newer rollout.  Of one list this pod's data counts when it has not
 * written it yet, or when nobody else has written since.
 */
static bool secret_yields(const struct cluster_secret *s, const struct json *metadata,
			  bool same_data)
{
	const char *list = secret_annotation(metadata, LIST);
	const char *source = secret_annotation(metadata, SOURCE);
	int64_t since = 0;

	if (strcmp(list, s->list) != 0)
		return text_number(secret_annotation(metadata, SINCE), INT64_MAX,
				   &since) == 0 &&
		       since > s->since_ms;
	return !same_data && strcmp(source, s->source) != 0 &&
	       strcmp(s->written, s->source) == 0;
}

/* What is there already decides whether there is anything to write: it is kept. */
static void secret_take_over(struct cluster_secret *s, const struct json *metadata,
			     const struct cluster_found *f)
{
	const char *source = secret_annotation(metadata, SOURCE);
	int64_t since = 0;

	if (!f->same_list)
		return;
	if (text_number(secret_annotation(metadata, SINCE), INT64_MAX, &since) == 0)
		s->since_ms = since;
	if (f->same_data && strlen(source) == CLUSTER_NUMBER_LEN - 1)
		snprintf(s->source, sizeof(s->source), "%s", source);
}

static int secret_check(const struct cluster_secret *s, const struct json *root,
			const struct cluster_found *f, struct err *err)
{
	const char *type = json_string(root, "type");

	if (!f->is_ours && !s->object->adopt)
		return err_set(err, ERR_CONFIG,
			       "it exists and is not akvsync's: it has no "
			       "label " CLUSTER_SECRET_LABEL
			       ": \"true\"; choose another secretName, or set adopt: "
			       "true to take it over");
	if (json_bool(root, "immutable", false))
		return err_set(err, ERR_CONFIG,
			       "it is immutable, so it cannot follow the vault; delete "
			       "it, or choose another secretName");
	if (type == NULL || strcmp(type, s->object->type) != 0)
		return err_set(err, ERR_CONFIG,
			       "its type is %.100s, and Kubernetes lets nobody change it "
			       "to %.100s; delete it, or choose another secretName",
			       type ? type : "unknown", s->object->type);
	return 0;
}

int cluster_secret_read(struct cluster_secret *s, const char *text, size_t len,
			struct cluster_found *out, struct err *err)
{
	auto_json struct json *root = NULL;
	const struct json *metadata, *labels;
	struct cluster_found f = { .exists = true };
	const char *uid, *ours;

	if (json_parse(text, len, &root, err) < 0)
		return err_set(err, ERR_GARBLED, "the answer is no JSON");
	metadata = json_get(root, "metadata");
	labels = json_get(metadata, "labels");
	uid = json_string(metadata, "uid");
	if (uid == NULL)
		return err_set(err, ERR_GARBLED, "the answer is no Secret");
	ours = json_string(labels, CLUSTER_SECRET_LABEL);
	f.is_ours = ours != NULL && strcmp(ours, "true") == 0;
	if (secret_check(s, root, &f, err) < 0)
		return -1;
	f.is_owned = secret_is_owned(s, metadata);
	f.same_data = secret_is_same_data(s, root);
	f.yields = f.is_ours && secret_yields(s, metadata, f.same_data);
	f.same_list = strcmp(secret_annotation(metadata, LIST), s->list) == 0 &&
		      secret_has_pairs(&s->object->labels, labels) &&
		      secret_has_pairs(&s->object->annotations,
				       json_get(metadata, "annotations"));
	f.uid = xstrdup(uid);
	secret_take_over(s, metadata, &f);
	*out = f;
	return 0;
}

/* ---- what to write ---- */

static void secret_begin(const struct cluster_secret *s, struct buf *out)
{
	buf_text(out,
		 "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":");
	json_quote(out, s->object->name);
}

void cluster_secret_write_question(const struct cluster_secret *s, struct buf *out)
{
	secret_begin(s, out);
	buf_text(out, "}}");
}

static void secret_write_pairs(const struct secret_pairs *pairs, struct buf *out)
{
	for (size_t i = 0; i < pairs->count; i++) {
		buf_text(out, ",");
		json_quote(out, pairs->items[i].name);
		buf_text(out, ":");
		json_quote(out, pairs->items[i].value);
	}
}

void cluster_secret_write(const struct cluster_secret *s, struct buf *out)
{
	secret_begin(s, out);
	buf_text(out, ",\"labels\":{\"" CLUSTER_SECRET_LABEL "\":\"true\"");
	secret_write_pairs(&s->object->labels, out);
	buf_printf(out,
		   "},\"annotations\":{\"" LIST "\":\"%s\",\"" SINCE "\":\"%" PRId64
		   "\",\"" SOURCE "\":\"%s\"",
		   s->list, s->since_ms, s->source);
	secret_write_pairs(&s->object->annotations, out);
	buf_text(out, "}},\"type\":");
	json_quote(out, s->object->type);
	buf_text(out, ",\"data\":{");
	for (size_t i = 0; i < s->count; i++) {
		buf_text(out, i ? "," : "");
		json_quote(out, s->values[i].key);
		buf_text(out, ":\"");
		text_to_base64(buf_str(&s->values[i].bytes), s->values[i].bytes.len, out);
		buf_text(out, "\"");
	}
	buf_text(out, "}}");
}

void cluster_secret_write_owner(const struct cluster_secret *s, const char *uid,
				struct buf *out)
{
	secret_begin(s, out);
	buf_text(out, ",\"uid\":");
	json_quote(out, uid);
	if (s->object->owner == SECRET_OWNER_POD) {
		buf_text(out, ",\"ownerReferences\":[{\"apiVersion\":\"v1\",\"kind\":"
			      "\"Pod\",\"name\":");
		json_quote(out, s->pod_name);
		buf_text(out, ",\"uid\":");
		json_quote(out, s->pod_uid);
		buf_text(out, "}]");
	}
	buf_text(out, "}}");
}
