#include "azure/vault.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"

/* The newest version that every cloud serves; get and list need nothing newer. */
#define API_VERSION "7.4"
/* A secret is at most 25 KiB of text. */
#define VALUE_MAX (128 * 1024)

static const char *const paths[] = {
	[OBJECT_SECRET] = "secrets",
	[OBJECT_KEY] = "keys",
	[OBJECT_CERTIFICATE] = "certificates",
};

char *vault_object_url(const char *vault_url, enum object_kind kind, const char *name,
		       const char *version)
{
	return xasprintf("%s/%s/%s%s%s?api-version=" API_VERSION, vault_url, paths[kind],
			 name, version ? "/" : "", version ? version : "");
}

char *vault_list_url(const char *vault_url, enum object_kind kind)
{
	return xasprintf("%s/%s?api-version=" API_VERSION, vault_url, paths[kind]);
}

char *vault_versions_url(const char *vault_url, enum object_kind kind, const char *name)
{
	return xasprintf("%s/%s/%s/versions?api-version=" API_VERSION, vault_url,
			 paths[kind], name);
}

char *vault_object_id(const char *vault_url, enum object_kind kind, const char *name)
{
	return xasprintf("%s/%s%s%s", vault_url, paths[kind], name ? "/" : "",
			 name ? name : "");
}

static int garbled(struct err *err, const char *what)
{
	return err_set(err, ERR_GARBLED, "garbled reply: %s", what);
}

static bool is_version(const char *s)
{
	return strlen(s) == VAULT_VERSION_LEN &&
	       strspn(s, "0123456789abcdefABCDEF") == VAULT_VERSION_LEN;
}

/* ---- ids ---- */

/* The length of the host of "host:port/path".  Ports are not compared: a test vault
 * behind a forwarded port names its own. */
static size_t host_length(const char *authority)
{
	size_t len = strcspn(authority, "/?#"), end = len;

	while (end > 0 && authority[end - 1] >= '0' && authority[end - 1] <= '9')
		end--;
	return end > 0 && authority[end - 1] == ':' ? end - 1 : len;
}

/* The path of a URL, NULL: it has none; and its host, of length 0 when the URL is a path
 * alone. */
static const char *split_url(const char *url, const char **host, size_t *len)
{
	const char *scheme = strstr(url, "://");

	*host = scheme ? scheme + strlen("://") : url;
	*len = scheme ? host_length(*host) : 0;
	return strchr(*host, '/');
}

/* The value of another vault or object must not be published in this one's place.  Names
 * have any case: the service echoes the one of their creation. */
static int check_id(const char *id, const struct refusal_context *context,
		    struct err *err)
{
	const char *host, *asked_host, *path, *asked_path;
	size_t len, asked_len, path_len;

	if (context->id == NULL || id == NULL)
		return 0;
	path = split_url(id, &host, &len);
	asked_path = split_url(context->id, &asked_host, &asked_len);
	if (path == NULL || (asked_len > 0 && (len != asked_len ||
					       strncasecmp(host, asked_host, len) != 0)))
		return garbled(err, "its id is of another vault");
	path_len = strcspn(asked_path, "?");
	if (strncasecmp(path, asked_path, path_len) != 0)
		return garbled(err, "its id is of another object");
	path += path_len;
	/* One segment may follow: the version, or in a list the name. */
	if (*path != '\0' && (*path != '/' || strchr(path + 1, '/') != NULL))
		return garbled(err, "its id is of another object");
	return 0;
}

/* ---- one object ---- */

/* The last segment of ".../secrets/name/version". */
static int copy_version(const char *id, const struct refusal_context *context,
			char out[static VAULT_VERSION_LEN + 1], struct err *err)
{
	const char *slash = id ? strrchr(id, '/') : NULL;

	if (slash == NULL || !is_version(slash + 1))
		return garbled(err, "no version in its id");
	if (check_id(id, context, err) < 0)
		return -1;
	memcpy(out, slash + 1, VAULT_VERSION_LEN + 1);
	return 0;
}

static int read_secret(struct vault_object *o, const struct refusal_context *context,
		       bool has_value, struct err *err)
{
	if (!has_value)
		return garbled(err, "no value");
	o->of_certificate = json_string(o->body, "kid") != NULL;
	return copy_version(json_string(o->body, "id"), context, o->version, err);
}

static int vault_read_key(struct vault_object *o, const struct refusal_context *context,
			  struct err *err)
{
	o->jwk = json_get(o->body, "key");
	if (json_string(o->jwk, "kty") == NULL)
		return garbled(err, "no key");
	o->of_certificate = json_bool(o->body, "managed", false);
	return copy_version(json_string(o->jwk, "kid"), context, o->version, err);
}

static int read_certificate(struct vault_object *o, const struct refusal_context *context,
			    struct err *err)
{
	o->cer = json_string(o->body, "cer");
	if (o->cer == NULL)
		return garbled(err, "no certificate");
	o->of_certificate = true;
	return copy_version(json_string(o->body, "id"), context, o->version, err);
}

static int read_kind(struct vault_object *o, const struct refusal_context *context,
		     bool has_value, struct err *err)
{
	switch (context->kind) {
	case OBJECT_SECRET:
		return read_secret(o, context, has_value, err);
	case OBJECT_KEY:
		return vault_read_key(o, context, err);
	case OBJECT_CERTIFICATE:
		break;
	}
	return read_certificate(o, context, err);
}

static int vault_refuse_disabled(enum object_kind kind, struct err *err)
{
	err_set(err, ERR_DENIED, "the %s is disabled%s", kind_word(kind),
		kind == OBJECT_CERTIFICATE ? ", or not issued yet"
					   : ": enable it or make a new version");
	err->disabled = true;
	return -1;
}

/* The vault refuses a disabled secret, but gives a disabled key and certificate; one
 * whose first version is still being issued lacks all members but its attributes. */
static int read_object(struct vault_object *o, const struct refusal_context *context,
		       bool has_value, struct err *err)
{
	const struct json *attributes = json_get(o->body, "attributes");

	o->disabled = !json_bool(attributes, "enabled", true);
	if (o->disabled && json_string(json_get(o->body, "key"), "kty") == NULL &&
	    json_string(o->body, "cer") == NULL)
		return vault_refuse_disabled(context->kind, err);
	o->created = json_int(attributes, "created", -1);
	o->updated = json_int(attributes, "updated", -1);
	o->not_before = json_int(attributes, "nbf", -1);
	o->expires = json_int(attributes, "exp", -1);
	o->content_type = json_string(o->body, "contentType");
	o->tags = json_get(o->body, "tags");
	return read_kind(o, context, has_value, err);
}

static int parse_body(struct http_reply *reply, const struct refusal_context *context,
		      struct vault_object *o, struct err *err)
{
	bool has_value = false;

	if (reply->body.len == 0)
		return err_set(err, ERR_GARBLED, "garbled reply: it is empty");
	/* Keys and certificates hold no secret, nor a member of that name. */
	if ((context->kind == OBJECT_SECRET &&
	     json_take_string(reply->body.data, reply->body.len, "value", &o->value,
			      &has_value, err) < 0) ||
	    json_parse(reply->body.data, reply->body.len, &o->body, err) < 0) {
		err->kind = ERR_GARBLED;
		return err_wrap(err, "garbled reply");
	}
	return read_object(o, context, has_value, err);
}

int vault_object_parse(struct http_reply *reply, const struct refusal_context *context,
		       struct vault_object *out, struct err *err)
{
	struct vault_object o = { .value = BUF_INIT(VALUE_MAX) };

	if (reply->status != 200)
		return refusal_error(reply, context, err);
	if (parse_body(reply, context, &o, err) < 0) {
		vault_object_done(&o);
		return -1;
	}
	*out = o;
	return 0;
}

void vault_object_done(struct vault_object *object)
{
	json_free(object->body);
	buf_done(&object->value);
	*object = (struct vault_object){ 0 };
}

void vault_object_forget(struct vault_object *object)
{
	buf_done(&object->value);
	if (object->jwk != NULL)
		return;
	json_free(object->body);
	object->body = NULL;
	object->content_type = object->cer = NULL;
	object->tags = NULL;
}

/* ---- lists ---- */

static void listed_done(struct vault_listed *item)
{
	for (size_t i = 0; i < item->tag_count; i++) {
		free(item->tags[i].name);
		free(item->tags[i].value);
	}
	free(item->tags);
	free(item->name);
}

static void copy_tags(struct vault_listed *item, const struct json *tags)
{
	for (const struct json *t = json_first(tags); t; t = json_next(t)) {
		if (json_name(t) == NULL || json_text(t) == NULL)
			continue;
		item->tags = xgrow(item->tags, item->tag_count, sizeof(*item->tags));
		item->tags[item->tag_count++] =
			(struct object_tag){ .name = xstrdup(json_name(t)),
					     .value = xstrdup(json_text(t)) };
	}
}

static bool is_name(const char *s, size_t len)
{
	return len >= 1 && len <= 127 &&
	       strspn(s, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			 "-") >= len;
}

/* "https://host/secrets/name[/version]" */
static int split_id(const char *id, enum object_kind kind, struct vault_listed *item,
		    struct err *err)
{
	auto_free char *marker = xasprintf("/%s/", paths[kind]);
	const char *name = id ? strstr(id, marker) : NULL;
	size_t len;

	if (name == NULL)
		return garbled(err, "an item of the list has no id");
	name += strlen(marker);
	len = strcspn(name, "/");
	if (!is_name(name, len) || (name[len] == '/' && !is_version(name + len + 1)))
		return garbled(err, "an item of the list has a strange id");
	if (name[len] == '/')
		memcpy(item->version, name + len + 1, VAULT_VERSION_LEN + 1);
	item->name = xstrndup(name, len);
	return 0;
}

static int add_item(struct vault_list *list, const struct json *json,
		    const struct refusal_context *context, struct err *err)
{
	const char *id = json_string(json, context->kind == OBJECT_KEY ? "kid" : "id");
	const struct json *attributes = json_get(json, "attributes");
	struct vault_listed item = {
		.enabled = json_bool(attributes, "enabled", true),
		.created = json_int(attributes, "created", 0),
		.not_before = json_int(attributes, "nbf", -1),
		.expires = json_int(attributes, "exp", -1),
	};

	if (check_id(id, context, err) < 0 || split_id(id, context->kind, &item, err) < 0)
		return -1;
	copy_tags(&item, json_get(json, "tags"));
	list->items = xgrow(list->items, list->count, sizeof(*list->items));
	list->items[list->count++] = item;
	return 0;
}

/* Without the port that https means anyway. */
static char *without_default_port(const char *host, size_t len)
{
	if (len > 4 && memcmp(host + len - 4, ":443", 4) == 0)
		len -= 4;
	return xstrndup(host, len);
}

/* The token goes to the next page as well, so it must be of the same vault. */
static int check_next(const char *next, const char *host, struct err *err)
{
	auto_free char *own = without_default_port(host, strlen(host));
	auto_free char *named = NULL;

	if (!text_starts(next, "https://"))
		return garbled(err, "its next page is not at an https URL");
	next += strlen("https://");
	named = without_default_port(next, strcspn(next, "/?#"));
	if (!text_same(own, named))
		return garbled(
			err, "its next page is at another host; no token is sent there");
	for (const char *c = next; *c; c++)
		if (*c <= ' ' || *c >= 0x7f)
			return garbled(err, "its next page has a strange URL");
	return 0;
}

static int read_page(const struct json *body, const struct refusal_context *context,
		     const char *host, struct vault_list *page, struct err *err)
{
	const struct json *value = json_get(body, "value");
	const char *next = json_string(body, "nextLink");

	/* A reply that is not understood must not be taken for the end of a list. */
	if (!json_is_array(value))
		return garbled(err, "no list");
	if (next == NULL && json_get(body, "nextLink") != NULL)
		return garbled(err, "its next page is no text");
	for (const struct json *i = json_first(value); i; i = json_next(i))
		if (add_item(page, i, context, err) < 0)
			return -1;
	if (next == NULL || *next == '\0')
		return 0;
	if (check_next(next, host, err) < 0)
		return -1;
	page->next = xstrdup(next);
	return 0;
}

int vault_list_parse(const struct http_reply *reply,
		     const struct refusal_context *context, const char *host,
		     struct vault_list *list, struct err *err)
{
	auto_json struct json *body = NULL;
	struct vault_list page = { 0 };

	if (reply->status != 200)
		return refusal_error(reply, context, err);
	if (json_parse(buf_str(&reply->body), reply->body.len, &body, err) < 0) {
		err->kind = ERR_GARBLED;
		return err_wrap(err, "garbled reply");
	}
	if (read_page(body, context, host, &page, err) < 0) {
		vault_list_done(&page);
		return -1;
	}
	for (size_t i = 0; i < page.count; i++) {
		list->items = xgrow(list->items, list->count, sizeof(*list->items));
		list->items[list->count++] = page.items[i];
	}
	free(page.items);
	free(list->next);
	list->next = page.next;
	return 0;
}

void vault_list_done(struct vault_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		listed_done(&list->items[i]);
	free(list->items);
	free(list->next);
	*list = (struct vault_list){ 0 };
}
