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
#define OWNER "akvsync.dev/owner"
#define SOURCE "akvsync.dev/source"
#define KEYS "akvsync.dev/keys"

/* Also as base64. */
#define VALUE_MAX (2 * CLUSTER_SECRET_DATA_MAX)

#define CLAIM_PREFIX "akvsync-pod-"
#define UID_LEN 36

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
	return found != NULL && strcmp(found, buf_str(&wanted)) == 0;
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

	if (strcmp(secret_annotation(json_get(root, "metadata"), KEYS), s->keys) != 0)
		return false;
	for (size_t i = 0; i < s->count; i++)
		if (!secret_is_same_value(&s->values[i], data))
			return false;
	return true;
}

/* ---- who has a part in it ---- */

static bool secret_has_owner(const struct json *metadata, const char *uid, size_t len)
{
	const struct json *o = json_first(json_get(metadata, "ownerReferences"));

	for (; o != NULL; o = json_next(o)) {
		const char *found = json_string(o, "uid");

		if (found != NULL && strlen(found) == len && memcmp(found, uid, len) == 0)
			return true;
	}
	return false;
}

/* akvsync-pod-UID-SINCE-LIST */
struct claim {
	const char *uid;
	int64_t since_ms;
	const char *list;
};

static void claim_write(const struct cluster_secret *s, char out[CLUSTER_CLAIM_LEN])
{
	snprintf(out, CLUSTER_CLAIM_LEN, CLAIM_PREFIX "%.36s-%" PRId64 "-%s", s->pod_uid,
		 s->since_ms, s->list);
}

static bool claim_read(const struct json *field, struct claim *out)
{
	const char *name = json_string(field, "manager");
	char since[24];
	size_t len;

	if (name == NULL || strlen(name) >= CLUSTER_CLAIM_LEN ||
	    !text_starts(name, CLAIM_PREFIX))
		return false;
	out->uid = name + strlen(CLAIM_PREFIX);
	if (strlen(out->uid) <= UID_LEN || out->uid[UID_LEN] != '-')
		return false;
	name = out->uid + UID_LEN + 1;
	len = strcspn(name, "-");
	if (len >= sizeof(since) || name[len] != '-')
		return false;
	memcpy(since, name, len);
	since[len] = '\0';
	out->list = name + len + 1;
	return strlen(out->list) == CLUSTER_NUMBER_LEN - 1 &&
	       strspn(out->list, "0123456789abcdef") == CLUSTER_NUMBER_LEN - 1 &&
	       text_number(since, INT64_MAX, &out->since_ms) == 0;
}

/* Of two lists that are as old one has to be the newer one, for all pods alike. */
static bool secret_is_newer(const struct cluster_secret *s, int64_t since_ms,
			    const char *list)
{
	return strcmp(list, s->list) != 0 &&
	       (since_ms > s->since_ms ||
		(since_ms == s->since_ms && strcmp(list, s->list) > 0));
}

/* Whether a pod that has a newer list lives. */
static bool secret_is_claimed(const struct cluster_secret *s, const struct json *metadata)
{
	const struct json *m = json_first(json_get(metadata, "managedFields"));
	struct claim c;

	for (; m != NULL; m = json_next(m))
		if (claim_read(m, &c) && secret_is_newer(s, c.since_ms, c.list) &&
		    secret_has_owner(metadata, c.uid, UID_LEN) &&
		    (s->pod_uid == NULL || memcmp(c.uid, s->pod_uid, UID_LEN) != 0))
			return true;
	return false;
}

/* The pod's claim is to be there when the pod is to own the Secret, and none that it made
 * earlier, with another list. */
static void secret_look_for_claim(const struct cluster_secret *s,
				  const struct json *metadata, struct cluster_found *f)
{
	const struct json *fields = json_get(metadata, "managedFields");
	bool wanted = s->object->owner == SECRET_OWNER_POD, there = false;
	const char *earlier = NULL;
	char own[CLUSTER_CLAIM_LEN];
	struct claim c;

	if (s->pod_uid == NULL)
		return;
	claim_write(s, own);
	for (const struct json *m = json_first(fields); m != NULL; m = json_next(m)) {
		if (!claim_read(m, &c) || memcmp(c.uid, s->pod_uid, UID_LEN) != 0)
			continue;
		if (wanted && strcmp(json_string(m, "manager"), own) == 0)
			there = true;
		else
			earlier = json_string(m, "manager");
	}
	if (!secret_has_owner(metadata, s->pod_uid, strlen(s->pod_uid)))
		there = false;
	else if (!json_is_array(fields))
		there = wanted;
	f->joins = wanted && !there;
	if (f->joins)
		snprintf(f->manager, sizeof(f->manager), "%s", own);
	else if (earlier != NULL)
		snprintf(f->manager, sizeof(f->manager), "%s", earlier);
}

/* ---- whose word counts ---- */

/*
 * Two pods may want different things of one Secret.  Of two lists the newer one counts,
 * which is that of the newer rollout, as long as a pod with it lives; of a list whose
 * pods own nothing that is not known.  Of one list this pod's data counts when it has not
 * written it yet, or when nobody else has written since.
 */
static bool secret_yields(const struct cluster_secret *s, const struct json *metadata,
			  bool same_data)
{
	const char *list = secret_annotation(metadata, LIST);
	const char *source = secret_annotation(metadata, SOURCE);
	int64_t since = 0;

	if (strcmp(list, s->list) == 0)
		return !same_data && strcmp(source, s->source) != 0 &&
		       strcmp(s->written, s->source) == 0;
	if (secret_is_claimed(s, metadata))
		return true;
	return (strcmp(secret_annotation(metadata, OWNER), "pod") != 0 ||
		!json_is_array(json_get(metadata, "managedFields"))) &&
	       text_number(secret_annotation(metadata, SINCE), INT64_MAX, &since) == 0 &&
	       secret_is_newer(s, since, list);
}

/* What is there already decides whether there is anything to write: it is kept. */
static void secret_take_over(struct cluster_secret *s, const struct json *metadata,
			     const struct cluster_found *f)
{
	const char *source = secret_annotation(metadata, SOURCE);
	int64_t since = 0;

	s->shown_ms = s->since_ms;
	if (!f->same_list)
		return;
	if (text_number(secret_annotation(metadata, SINCE), INT64_MAX, &since) == 0)
		s->shown_ms = since;
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
	const char *uid, *ours, *kind, *name;

	if (json_parse(text, len, &root, err) < 0)
		return err_set(err, ERR_GARBLED, "the answer is no JSON");
	metadata = json_get(root, "metadata");
	labels = json_get(metadata, "labels");
	uid = json_string(metadata, "uid");
	kind = json_string(root, "kind");
	name = json_string(metadata, "name");
	if (uid == NULL || kind == NULL || strcmp(kind, "Secret") != 0 || name == NULL ||
	    strcmp(name, s->object->name) != 0)
		return err_set(err, ERR_GARBLED, "the answer is no Secret of this name");
	ours = json_string(labels, CLUSTER_SECRET_LABEL);
	f.is_ours = ours != NULL && strcmp(ours, "true") == 0;
	if (secret_check(s, root, &f, err) < 0)
		return -1;
	secret_look_for_claim(s, metadata, &f);
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
		   "\",\"" OWNER "\":\"%s\",\"" SOURCE "\":\"%s\",\"" KEYS "\":\"%s\"",
		   s->list, s->shown_ms, secret_owner_word(s->object->owner), s->source,
		   s->keys);
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

void cluster_secret_write_owner(const struct cluster_secret *s,
				const struct cluster_found *f, struct buf *out)
{
	secret_begin(s, out);
	buf_text(out, ",\"uid\":");
	json_quote(out, f->uid);
	if (f->joins) {
		buf_text(out, ",\"ownerReferences\":[{\"apiVersion\":\"v1\",\"kind\":"
			      "\"Pod\",\"name\":");
		json_quote(out, s->pod_name);
		buf_text(out, ",\"uid\":");
		json_quote(out, s->pod_uid);
		buf_text(out, "}]");
	}
	buf_text(out, "}}");
}
