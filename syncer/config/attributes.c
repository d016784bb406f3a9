#include "config/attributes.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define NAME_MAX_LEN 127
#define VERSION_LEN 32
#define COMPONENT_MAX 255
#define PATH_MAX_LEN 4095
#define PARTS_MAX 32

/* ---- one check per attribute; each says the rule and the fix ---- */

static int not_yet(struct err *err, const char *what)
{
	return err_set(err, ERR_CONFIG, "%s is not supported yet", what);
}

static int set_name(struct object *o, const char *value, struct err *err)
{
	size_t len = strlen(value);

	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)value[i]) && value[i] != '-')
			len = 0;
	if (len == 0 || len > NAME_MAX_LEN)
		return err_set(err, ERR_CONFIG,
			       "objectName '%.140s' is not a Key Vault name: 1 to 127 "
			       "letters, digits and hyphens",
			       value);
	o->name = xstrdup(value);
	return 0;
}

static int set_type(struct object *o, const char *value, struct err *err)
{
	(void)o;
	if (text_same(value, "secret"))
		return 0;
	if (text_same(value, "key") || text_same(value, "cert"))
		return err_set(err, ERR_CONFIG,
			       "objectType '%s' is not supported yet, only 'secret'",
			       value);
	return err_set(err, ERR_CONFIG,
		       "objectType '%.40s' is not one of secret, key, cert", value);
}

static int check_characters(const char *path, struct err *err)
{
	for (size_t n; *path; path += n) {
		n = text_utf8_length(path);
		if (n == 0)
			return err_set(err, ERR_CONFIG, "is not UTF-8 text");
		if (iscntrl((unsigned char)*path))
			return err_set(err, ERR_CONFIG, "has a control character");
	}
	return 0;
}

static int check_component(const char *component, size_t len, bool first, struct err *err)
{
	if (len == 0 || (len == 1 && component[0] == '.'))
		return err_set(err, ERR_CONFIG, "has an empty part; write it as a/b");
	if (len == 2 && memcmp(component, "..", 2) == 0)
		return err_set(err, ERR_CONFIG, "may not leave its directory by '..'");
	if (first && len >= 2 && memcmp(component, "..", 2) == 0)
		return err_set(err, ERR_CONFIG,
			       "may not start with '..'; such names are akvsync's own");
	if (len > COMPONENT_MAX)
		return err_set(err, ERR_CONFIG, "has a part longer than %d bytes",
			       COMPONENT_MAX);
	return 0;
}

static int check_path(const char *path, struct err *err)
{
	int parts = 0;

	if (path[0] == '/')
		return err_set(err, ERR_CONFIG, "must be relative to AKVSYNC_DIR");
	if (strlen(path) > PATH_MAX_LEN)
		return err_set(err, ERR_CONFIG, "is longer than %d bytes", PATH_MAX_LEN);
	if (check_characters(path, err) < 0)
		return -1;
	for (const char *c = path;;) {
		size_t len = strcspn(c, "/");

		if (check_component(c, len, parts == 0, err) < 0)
			return -1;
		if (++parts > PARTS_MAX)
			return err_set(err, ERR_CONFIG, "has more than %d parts",
				       PARTS_MAX);
		if (c[len] == '\0')
			return 0;
		c += len + 1;
	}
}

static int set_path(struct object *o, const char *value, struct err *err)
{
	if (check_path(value, err) < 0) {
		auto_free char *reason = xstrdup(err->msg);

		return err_set(err, ERR_CONFIG, "path '%.200s' %s", value, reason);
	}
	o->path = xstrdup(value);
	return 0;
}

/* Resolved, and so checked, where the cloud is known. */
static int set_vault(struct object *o, const char *value, struct err *err)
{
	(void)err;
	o->vault = xstrdup(value);
	return 0;
}

static int set_version(struct object *o, const char *value, struct err *err)
{
	if (*value == '\0' || text_same(value, "latest"))
		return 0;
	if (strlen(value) != VERSION_LEN ||
	    strspn(value, "0123456789abcdefABCDEF") != VERSION_LEN)
		return err_set(err, ERR_CONFIG,
			       "objectVersion '%.60s' is not a version: 32 hexadecimal "
			       "digits, or nothing for the current one",
			       value);
	o->version = xstrdup(value);
	return 0;
}

static int set_history(struct object *o, const char *value, struct err *err)
{
	int64_t count;

	(void)o;
	if (text_number(value, INT_MAX, &count) < 0)
		return err_set(err, ERR_CONFIG,
			       "objectVersionHistory '%.40s' is not a number", value);
	return count > 1 ? not_yet(err, "objectVersionHistory above 1") : 0;
}

static int set_format(struct object *o, const char *value, struct err *err)
{
	(void)o;
	if (text_same(value, "pem"))
		return 0;
	if (text_same(value, "pfx"))
		return not_yet(err, "objectFormat pfx");
	return err_set(err, ERR_CONFIG, "objectFormat '%.40s' is not one of pem, pfx",
		       value);
}

static int set_encoding(struct object *o, const char *value, struct err *err)
{
	if (text_same(value, "utf-8"))
		o->encoding = TEXT_UTF8;
	else if (text_same(value, "base64"))
		o->encoding = TEXT_BASE64;
	else if (text_same(value, "hex"))
		o->encoding = TEXT_HEX;
	else
		return err_set(err, ERR_CONFIG,
			       "objectEncoding '%.40s' is not one of utf-8, base64, hex",
			       value);
	return 0;
}

static int set_mode(struct object *o, const char *value, struct err *err)
{
	if (text_mode(value, &o->mode) < 0)
		return err_set(err, ERR_CONFIG,
			       "filePermission '%.40s' is not a file mode: octal digits "
			       "from 0000 to 0777, such as 0440",
			       value);
	return 0;
}

static int set_optional(struct object *o, const char *value, struct err *err)
{
	bool optional;

	(void)o;
	if (text_bool(value, &optional) < 0)
		return err_set(err, ERR_CONFIG,
			       "optional '%.40s' is neither true nor false", value);
	return optional ? not_yet(err, "optional: true") : 0;
}

static int set_metadata(struct object *o, const char *value, struct err *err)
{
	bool metadata;

	(void)o;
	if (text_bool(value, &metadata) < 0)
		return err_set(err, ERR_CONFIG,
			       "metadata '%.40s' is neither true nor false", value);
	return metadata ? not_yet(err, "metadata: true") : 0;
}

static int set_layout(struct object *o, const char *value, struct err *err)
{
	(void)o;
	if (text_same(value, "single"))
		return 0;
	if (text_same(value, "kubernetes.io/tls") || text_same(value, "split"))
		return err_set(err, ERR_CONFIG,
			       "layout '%s' is not supported yet, only 'single'", value);
	return err_set(err, ERR_CONFIG,
		       "layout '%.40s' is not one of single, kubernetes.io/tls, split",
		       value);
}

/* An empty value is as if the attribute were not there. */
static const struct attribute {
	const char *name;
	int (*set)(struct object *o, const char *value,
		   struct err *err); /* NULL: not yet */
} attributes[] = {
	{ "objectName", set_name },
	{ "objectType", set_type },
	{ "objectAlias", set_path },
	{ "objectVersion", set_version },
	{ "objectVersionHistory", set_history },
	{ "objectFormat", set_format },
	{ "objectEncoding", set_encoding },
	{ "filePermission", set_mode },
	{ "optional", set_optional },
	{ "metadata", set_metadata },
	{ "layout", set_layout },
	{ "vault", set_vault },
	{ "pfxPasswordObject", NULL },
	{ "objectNamePattern", NULL },
	{ "tags", NULL },
};

static const struct attribute *find(const char *name, struct err *err)
{
	const char *names[ARRAY_LEN(attributes)];
	const char *nearest;

	for (size_t i = 0; i < ARRAY_LEN(attributes); i++) {
		if (strcmp(attributes[i].name, name) == 0)
			return &attributes[i];
		names[i] = attributes[i].name;
	}
	nearest = text_nearest(name, names, ARRAY_LEN(names));
	err_set(err, ERR_CONFIG, "unknown attribute '%.80s'", name);
	if (nearest != NULL)
		err_hint(err, "did you mean '%s'?", nearest);
	return NULL;
}

static int set_attribute(const struct yaml *node, struct object *o, struct err *err)
{
	const struct attribute *attribute = find(node->key, err);
	auto_free char *copy = node->text ? xstrdup(node->text) : NULL;

	if (attribute == NULL)
		return -1;
	if (attribute->set == NULL)
		return not_yet(err, attribute->name);
	if (copy == NULL)
		return err_set(err, ERR_CONFIG, "%s must be plain text", attribute->name);
	if (*text_trim(copy) == '\0')
		return 0;
	return attribute->set(o, text_trim(copy), err);
}

static int finish(struct object *o, struct err *err)
{
	if (o->name == NULL)
		return err_set(err, ERR_CONFIG, "objectName is missing");
	if (o->path == NULL)
		return set_path(o, o->name, err);
	return 0;
}

int attributes_read(const struct yaml *map, mode_t default_mode, struct object *out,
		    struct err *err)
{
	struct object o = { .mode = default_mode };
	int result = 0;

	if (map->type != YAML_MAP)
		return err_set(err, ERR_CONFIG,
			       "it is not a map of attributes, such as objectName: x");
	for (const struct yaml *node = map->first; node && result == 0; node = node->next)
		result = set_attribute(node, &o, err);
	if (result < 0 || finish(&o, err) < 0) {
		attributes_done(&o);
		return -1;
	}
	*out = o;
	return 0;
}

static int split_short(char *entry, struct object *o, struct err *err)
{
	char *path = strchr(entry, '=');
	char *name, *slash;

	if (path != NULL) {
		*path = '\0';
		path = text_trim(path + 1);
		if (set_path(o, path, err) < 0)
			return -1;
	}
	name = text_trim(entry);
	slash = strchr(name, '/');
	if (slash != NULL) {
		*slash = '\0';
		if (set_type(o, name, err) < 0)
			return -1;
		name = slash + 1;
	}
	if (set_name(o, name, err) < 0)
		return -1;
	return finish(o, err);
}

int attributes_read_short(const char *entry, mode_t default_mode, struct object *out,
			  struct err *err)
{
	auto_free char *copy = xstrdup(entry);
	struct object o = { .mode = default_mode };

	if (split_short(copy, &o, err) < 0) {
		attributes_done(&o);
		return -1;
	}
	*out = o;
	return 0;
}

void attributes_done(struct object *object)
{
	free(object->name);
	free(object->vault);
	free(object->version);
	free(object->path);
	*object = (struct object){ 0 };
}
