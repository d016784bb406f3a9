#include "config/attributes.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "config/path.h"
#include "config/yaml_write.h"

#define NAME_MAX_LEN 127
#define VERSION_LEN 32
#define PATTERN_MAX_LEN 255
#define TAGS_MAX 15
/* So many letters of an attribute may differ from one that was meant. */
#define TYPO_MAX 2

/* In the order of their enums; the first is the default. */
static const char *const type_words[] = { "secret", "key", "cert" };
static const char *const format_words[] = { "pem", "pfx" };
static const char *const encoding_words[] = { "utf-8", "base64", "hex" };
static const char *const layout_words[] = { "single", "split", "kubernetes.io/tls" };

/* ---- one check per attribute; each says the rule and the fix ---- */

static bool is_vault_object_name(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)name[i]) && name[i] != '-')
			return false;
	return len >= 1 && len <= NAME_MAX_LEN;
}

static int set_name(struct object *o, const char *value, struct err *err)
{
	if (!is_vault_object_name(value))
		return err_set(err, ERR_CONFIG,
			       "objectName '%.140s' is not a Key Vault name: 1 to 127 "
			       "letters, digits and hyphens",
			       value);
	o->name = xstrdup(value);
	return 0;
}

/* One of the words; -1 when it is none.  Words are compared without case. */
static int find_word(const char *const words[], size_t count, const char *value)
{
	for (size_t i = 0; i < count; i++)
		if (text_same(words[i], value))
			return (int)i;
	return -1;
}

static int set_type(struct object *o, const char *value, struct err *err)
{
	int kind = find_word(type_words, ARRAY_LEN(type_words), value);

	if (kind < 0)
		return err_set(err, ERR_CONFIG,
			       "objectType '%.40s' is not one of secret, key, cert",
			       value);
	o->kind = (enum object_kind)kind;
	return 0;
}

static int set_path(struct object *o, const char *value, struct err *err)
{
	if (path_check(value, err) < 0) {
		auto_free char *reason = xstrdup(err->msg);

		return err_set(err, ERR_CONFIG, "path '%.200s' %s", value, reason);
	}
	o->path = xstrdup(value);
	return 0;
}

/* Resolved, and so checked, where the cloud is known. */
static int attributes_set_vault(struct object *o, const char *value, struct err *err)
{
	(void)err;
	o->vault = xstrdup(value);
	return 0;
}

static int attributes_set_version(struct object *o, const char *value, struct err *err)
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

	/* The provider treats a negative number as 0, and 010 as 8. */
	if ((value[0] == '0' && value[1] != '\0') ||
	    text_number(*value == '-' ? value + 1 : value, INT_MAX, &count) < 0)
		return err_set(err, ERR_CONFIG,
			       "objectVersionHistory '%.40s' is not a number", value);
	if (*value == '-')
		count = 0;
	if (count > OBJECT_HISTORY_MAX)
		return err_set(err, ERR_CONFIG,
			       "objectVersionHistory '%.40s' is more than %d", value,
			       OBJECT_HISTORY_MAX);
	o->history = count > 1 ? (int)count : 0;
	return 0;
}

static int set_format(struct object *o, const char *value, struct err *err)
{
	int format = find_word(format_words, ARRAY_LEN(format_words), value);

	if (format < 0)
		return err_set(err, ERR_CONFIG,
			       "objectFormat '%.40s' is not one of pem, pfx", value);
	o->format = (enum object_format)format;
	return 0;
}

static int set_encoding(struct object *o, const char *value, struct err *err)
{
	int encoding = find_word(encoding_words, ARRAY_LEN(encoding_words), value);

	if (encoding < 0)
		return err_set(err, ERR_CONFIG,
			       "objectEncoding '%.40s' is not one of utf-8, base64, hex",
			       value);
	o->encoding = (enum text_encoding)encoding;
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

static int set_flag(bool *flag, const char *name, const char *value, struct err *err)
{
	if (text_bool(value, flag) < 0)
		return err_set(err, ERR_CONFIG, "%s '%.40s' is neither true nor false",
			       name, value);
	return 0;
}

static int set_optional(struct object *o, const char *value, struct err *err)
{
	return set_flag(&o->optional, "optional", value, err);
}

static int set_metadata(struct object *o, const char *value, struct err *err)
{
	return set_flag(&o->metadata, "metadata", value, err);
}

static int set_layout(struct object *o, const char *value, struct err *err)
{
	int layout = find_word(layout_words, ARRAY_LEN(layout_words), value);

	if (layout < 0)
		return err_set(err, ERR_CONFIG,
			       "layout '%.40s' is not one of single, split, "
			       "kubernetes.io/tls",
			       value);
	o->layout = (enum object_layout)layout;
	return 0;
}

static int set_password(struct object *o, const char *value, struct err *err)
{
	if (!is_vault_object_name(value))
		return err_set(err, ERR_CONFIG,
			       "pfxPasswordObject '%.140s' is not a Key Vault name: 1 to "
			       "127 letters, digits and hyphens",
			       value);
	o->password_object = xstrdup(value);
	return 0;
}

static int set_pattern(struct object *o, const char *value, struct err *err)
{
	if (strlen(value) > PATTERN_MAX_LEN ||
	    strspn(value, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			  "-*?[]!") != strlen(value))
		return err_set(err, ERR_CONFIG,
			       "objectNamePattern '%.140s' is not a pattern: letters, "
			       "digits, hyphens, * for any number of them, ? for one, "
			       "[a-c] for one of some",
			       value);
	o->pattern = xstrdup(value);
	return 0;
}

static int set_tags(struct object *o, const struct yaml *map, struct err *err)
{
	if (map->type != YAML_MAP)
		return err_set(err, ERR_CONFIG,
			       "tags must be a map of names and values, such as "
			       "{env: prod}");
	for (const struct yaml *node = map->first; node; node = node->next) {
		if (node->text == NULL)
			return err_set(err, ERR_CONFIG, "tag '%.80s' must be plain text",
				       node->key);
		if (o->tag_count == TAGS_MAX)
			return err_set(err, ERR_CONFIG, "at most %d tags are possible",
				       TAGS_MAX);
		o->tags = xgrow(o->tags, o->tag_count, sizeof(*o->tags));
		o->tags[o->tag_count++] =
			(struct object_tag){ .name = xstrdup(node->key),
					     .value = xstrdup(node->text) };
	}
	return 0;
}

/* An empty value is as if the attribute were not there. */
static const struct attribute {
	const char *name;
	int (*set)(struct object *o, const char *value, struct err *err);
	int (*set_map)(struct object *o, const struct yaml *map, struct err *err);
} attributes[] = {
	{ "objectName", set_name, NULL },
	{ "objectType", set_type, NULL },
	{ "objectAlias", set_path, NULL },
	{ "objectVersion", attributes_set_version, NULL },
	{ "objectVersionHistory", set_history, NULL },
	{ "objectFormat", set_format, NULL },
	{ "objectEncoding", set_encoding, NULL },
	{ "filePermission", set_mode, NULL },
	{ "optional", set_optional, NULL },
	{ "metadata", set_metadata, NULL },
	{ "layout", set_layout, NULL },
	{ "vault", attributes_set_vault, NULL },
	{ "pfxPasswordObject", set_password, NULL },
	{ "objectNamePattern", set_pattern, NULL },
	{ "tags", NULL, set_tags },
};

static const struct attribute *attributes_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(attributes); i++)
		if (strcmp(attributes[i].name, name) == 0)
			return &attributes[i];
	return NULL;
}

static int attributes_ignore(const char *name, const struct yaml *map,
			     struct buf *ignored, struct err *err)
{
	auto_free char *copy = xstrdup(name);
	bool is_spaced = strlen(text_trim(copy)) != strlen(name);
	const char *names[ARRAY_LEN(attributes)], *nearest;

	for (size_t i = 0; i < ARRAY_LEN(attributes); i++)
		names[i] = attributes[i].name;
	nearest = text_nearest(name, names, ARRAY_LEN(names));
	/* White space around a name is most often one that nobody sees, such as a
	 * no-break space, and for YAML a part of the name. */
	if (ignored == NULL ||
	    (nearest != NULL && !is_spaced && text_distance(name, nearest) <= TYPO_MAX &&
	     yaml_member(map, nearest) == NULL)) {
		err_set(err, ERR_CONFIG, "unknown attribute '%.80s'", name);
		return nearest ? err_hint(err, "did you mean '%s'?", nearest) : -1;
	}
	buf_printf(ignored, "%s%s%s", ignored->len ? ", " : "", text_trim(copy),
		   is_spaced ? " (with a no-break space or the like in its name)" : "");
	return 0;
}

static int set_attribute(const struct yaml *node, struct object *o, struct err *err)
{
	const struct attribute *attribute = attributes_find(node->key);
	auto_free char *copy = node->text ? xstrdup(node->text) : NULL;

	if (attribute->set_map != NULL && (copy == NULL || *copy != '\0'))
		return attribute->set_map(o, node, err);
	if (copy == NULL)
		return err_set(err, ERR_CONFIG, "%s must be plain text", attribute->name);
	if (*text_trim(copy) == '\0')
		return 0;
	return attribute->set(o, text_trim(copy), err);
}

/* ---- entries ---- */

static int attributes_finish(struct object *o, struct err *err)
{
	/* The name of an object is a path that path_check() allows. */
	if (!object_selects(o) && o->name != NULL && o->path == NULL)
		o->path = xstrdup(o->name);
	return object_check(o, err);
}

int attributes_read(const struct yaml *map, mode_t default_mode, struct object *out,
		    struct buf *ignored, struct err *err)
{
	struct object o = { .mode = default_mode };
	int result = 0;

	if (map->type != YAML_MAP)
		return err_set(err, ERR_CONFIG,
			       "it is not a map of attributes, such as objectName: x");
	for (const struct yaml *node = map->first; node && result == 0; node = node->next)
		result = attributes_find(node->key)
				 ? set_attribute(node, &o, err)
				 : attributes_ignore(node->key, map, ignored, err);
	if (result < 0 || attributes_finish(&o, err) < 0) {
		object_done(&o);
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
	return attributes_finish(o, err);
}

int attributes_read_short(const char *entry, mode_t default_mode, struct object *out,
			  struct err *err)
{
	auto_free char *copy = xstrdup(entry);
	struct object o = { .mode = default_mode };

	if (split_short(copy, &o, err) < 0) {
		object_done(&o);
		return -1;
	}
	*out = o;
	return 0;
}

/* ---- back to text ---- */

/* NULL for the default. */
static const char *word_at(const char *const words[], int value)
{
	return value == 0 ? NULL : words[value];
}

static void write_tags(const struct object *o, struct buf *out)
{
	for (size_t i = 0; i < o->tag_count; i++) {
		buf_text(out, i ? "," : ",\"tags\":{");
		yaml_write_key(out, o->tags[i].name);
		yaml_write_text(out, o->tags[i].value);
	}
	buf_text(out, o->tag_count ? "}" : "");
}

void attributes_write(const struct object *o, struct buf *out)
{
	bool is_default_path = o->name && o->path && strcmp(o->name, o->path) == 0;
	auto_free char *mode = xasprintf("%04o", (unsigned)o->mode);
	auto_free char *history = o->history ? xasprintf("%d", o->history) : NULL;
	/* NULL: it is left out, which means its default.  The mode has none of its own.
	 */
	const struct {
		const char *name, *value;
	} members[] = {
		{ "filePermission", mode },
		{ "objectName", o->name },
		{ "objectType", word_at(type_words, o->kind) },
		{ "objectAlias", is_default_path ? NULL : o->path },
		{ "objectVersion", o->version },
		{ "objectVersionHistory", history },
		{ "objectFormat", word_at(format_words, o->format) },
		{ "objectEncoding", word_at(encoding_words, o->encoding) },
		{ "optional", o->optional ? "true" : NULL },
		{ "metadata", o->metadata ? "true" : NULL },
		{ "layout", word_at(layout_words, o->layout) },
		{ "vault", o->vault },
		{ "pfxPasswordObject", o->password_object },
		{ "objectNamePattern", o->pattern },
	};

	_Static_assert(ARRAY_LEN(members) + 1 == ARRAY_LEN(attributes),
		       "each attribute is written, tags apart");
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		if (members[i].value == NULL)
			continue;
		buf_text(out, i ? "," : "{");
		yaml_write_key(out, members[i].name);
		yaml_write_text(out, members[i].value);
	}
	write_tags(o, out);
	buf_text(out, "}");
}
