#include "config/attributes.h"

#include <ctype.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "config/parts.h"
#include "config/path.h"
#include "config/tags.h"
#include "config/unknown.h"
#include "config/yaml_write.h"

#define NAME_MAX_LEN 127
#define VERSION_LEN 32
#define PATTERN_MAX_LEN 255

/* In the order of their enums; the first is the default; NULL behind the last. */
static const char *const type_words[] = { "secret", "key", "cert", NULL };
static const char *const encoding_words[] = { "utf-8", "base64", "hex", NULL };
static const char *const layout_words[] = { "single", "split", "kubernetes.io/tls",
					    NULL };
static const char *const extract_words[] = { "none", "all", NULL };

_Static_assert(sizeof(enum object_kind) == sizeof(int) &&
		       sizeof(enum object_format) == sizeof(int) &&
		       sizeof(enum text_encoding) == sizeof(int) &&
		       sizeof(enum object_layout) == sizeof(int) &&
		       sizeof(enum object_extract) == sizeof(int),
	       "what a table of words stands for is an int");

/* An attribute: how its value gets into an object, and back into text. */
struct attribute {
	const char *name;
	int (*set)(struct object *o, const struct attribute *a, const char *value,
		   struct err *err);
	const char *const *words; /* of set_word() */
	size_t at; /* its field, of set_name(), set_word() and set_flag() */
	/* In place of set: takes also what is no plain text. */
	int (*set_node)(struct object *o, const struct yaml *node, struct buf *ignored,
			struct err *err);
};

/* ---- one check per attribute; each says the rule and the fix ---- */

static bool is_vault_object_name(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)name[i]) && name[i] != '-')
			return false;
	return len >= 1 && len <= NAME_MAX_LEN;
}

static int set_name(struct object *o, const struct attribute *a, const char *value,
		    struct err *err)
{
	char **field = (char **)(void *)((char *)o + a->at);

	if (!is_vault_object_name(value))
		return err_set(err, ERR_CONFIG,
			       "%s '%.140s' is not a Key Vault name: 1 to 127 letters, "
			       "digits and hyphens",
			       a->name, value);
	if (*field != NULL)
		return err_set(err, ERR_CONFIG,
			       "%s is given a second time, by its other name", a->name);
	*field = xstrdup(value);
	return 0;
}

/* It is written by its first name. */
static int set_other_name(struct object *o, const struct attribute *a, const char *value,
			  struct err *err)
{
	return set_name(o, a, value, err);
}

/* Words are compared without case. */
static int set_word(struct object *o, const struct attribute *a, const char *value,
		    struct err *err)
{
	auto_buf struct buf all = BUF_INIT(200);

	for (int i = 0; a->words[i] != NULL; i++) {
		if (text_same(a->words[i], value)) {
			memcpy((char *)o + a->at, &i, sizeof(i));
			return 0;
		}
		buf_printf(&all, "%s%s", i ? ", " : "", a->words[i]);
	}
	return err_set(err, ERR_CONFIG, "%s '%.40s' is not one of %s", a->name, value,
		       buf_str(&all));
}

static int set_flag(struct object *o, const struct attribute *a, const char *value,
		    struct err *err)
{
	bool flag;

	if (text_bool(value, &flag) < 0)
		return err_set(err, ERR_CONFIG, "%s '%.40s' is neither true nor false",
			       a->name, value);
	memcpy((char *)o + a->at, &flag, sizeof(flag));
	return 0;
}

static int set_path(struct object *o, const struct attribute *a, const char *value,
		    struct err *err)
{
	(void)a;
	if (path_check(value, err) < 0) {
		auto_free char *reason = xstrdup(err->msg);

		return err_set(err, ERR_CONFIG, "path '%.200s' %s", value, reason);
	}
	o->path = xstrdup(value);
	return 0;
}

/* Resolved, and so checked, where the cloud is known. */
static int attributes_set_vault(struct object *o, const struct attribute *a,
				const char *value, struct err *err)
{
	(void)a;
	(void)err;
	o->vault = xstrdup(value);
	return 0;
}

static int attributes_set_version(struct object *o, const struct attribute *a,
				  const char *value, struct err *err)
{
	if (text_same(value, "latest"))
		return 0;
	if (o->version != NULL || o->choice != OBJECT_CURRENT)
		return err_set(err, ERR_CONFIG,
			       "%s is given a second time, by its other name", a->name);
	if (object_choice_parse(value, &o->choice))
		return 0;
	if (strlen(value) != VERSION_LEN ||
	    strspn(value, "0123456789abcdefABCDEF") != VERSION_LEN)
		return err_set(err, ERR_CONFIG,
			       "%s '%.60s' is not a version: 32 hexadecimal digits, "
			       "nothing for the current one, newest-enabled or "
			       "newest-valid",
			       a->name, value);
	o->version = xstrdup(value);
	return 0;
}

static int set_history(struct object *o, const struct attribute *a, const char *value,
		       struct err *err)
{
	int64_t count;

	/* The provider treats a negative number as 0, and 010 as 8. */
	if ((value[0] == '0' && value[1] != '\0') ||
	    text_number(*value == '-' ? value + 1 : value, INT_MAX, &count) < 0)
		return err_set(err, ERR_CONFIG, "%s '%.40s' is not a number", a->name,
			       value);
	if (*value == '-')
		count = 0;
	if (count > OBJECT_HISTORY_MAX)
		return err_set(err, ERR_CONFIG, "%s '%.40s' is more than %d", a->name,
			       value, OBJECT_HISTORY_MAX);
	o->history = count > 1 ? (int)count : 0;
	return 0;
}

static int set_mode(struct object *o, const struct attribute *a, const char *value,
		    struct err *err)
{
	if (text_mode(value, &o->mode) < 0)
		return err_set(err, ERR_CONFIG,
			       "%s '%.40s' is not a file mode: octal digits "
			       "from 0000 to 0777, such as 0440",
			       a->name, value);
	return 0;
}

static int set_pattern(struct object *o, const struct attribute *a, const char *value,
		       struct err *err)
{
	if (strlen(value) > PATTERN_MAX_LEN ||
	    strspn(value, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			  "-*?[]!") != strlen(value))
		return err_set(err, ERR_CONFIG,
			       "%s '%.140s' is not a pattern: letters, "
			       "digits, hyphens, * for any number of them, ? for one, "
			       "[a-c] for one of some",
			       a->name, value);
	o->pattern = xstrdup(value);
	return 0;
}

static int set_tags(struct object *o, const struct yaml *map, struct buf *ignored,
		    struct err *err)
{
	(void)ignored;
	return tags_read(map, o, err);
}

static int set_parts(struct object *o, const struct yaml *list, struct buf *ignored,
		     struct err *err)
{
	return parts_read(list, o, ignored, err);
}

#define FIELD(name, set, words, field)                                                   \
	{                                                                                \
		name, set, words, offsetof(struct object, field), NULL                   \
	}

/* An empty value is as if the attribute were not there. */
static const struct attribute attributes[] = {
	FIELD("filePermission", set_mode, NULL, mode),
	FIELD("objectName", set_name, NULL, name),
	FIELD("objectType", set_word, type_words, kind),
	FIELD("objectAlias", set_path, NULL, path),
	FIELD("objectVersion", attributes_set_version, NULL, version),
	FIELD("objectVersionHistory", set_history, NULL, history),
	FIELD("objectFormat", set_word, kind_formats, format),
	FIELD("objectEncoding", set_word, encoding_words, encoding),
	FIELD("optional", set_flag, NULL, optional),
	FIELD("metadata", set_flag, NULL, metadata),
	FIELD("layout", set_word, layout_words, layout),
	FIELD("vault", attributes_set_vault, NULL, vault),
	FIELD("pfxPasswordObject", set_name, NULL, password_object),
	FIELD("objectNamePattern", set_pattern, NULL, pattern),
	FIELD("extract", set_word, extract_words, extract),
	FIELD("excludeObjectName", set_flag, NULL, without_whole),
	FIELD("version", attributes_set_version, NULL, choice),
	FIELD("passwordObject", set_other_name, NULL, password_object),
	{ "jmesPath", NULL, NULL, 0, set_parts },
	{ "tags", NULL, NULL, 0, set_tags },
};

static const struct attribute *attributes_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(attributes); i++)
		if (strcmp(attributes[i].name, name) == 0)
			return &attributes[i];
	return NULL;
}

static int attributes_unknown(const char *name, const struct yaml *map,
			      struct buf *ignored, struct err *err)
{
	const char *names[ARRAY_LEN(attributes)];
	const struct known known = { names, ARRAY_LEN(names) };

	for (size_t i = 0; i < ARRAY_LEN(attributes); i++)
		names[i] = attributes[i].name;
	return unknown_name(&known, name, map, ignored, err);
}

static int set_attribute(const struct yaml *node, struct object *o, struct buf *ignored,
			 struct err *err)
{
	const struct attribute *attribute = attributes_find(node->key);
	auto_free char *copy = node->text ? xstrdup(node->text) : NULL;

	if (attribute->set_node != NULL && (copy == NULL || *copy != '\0'))
		return attribute->set_node(o, node, ignored, err);
	if (copy == NULL)
		return err_set(err, ERR_CONFIG, "%s must be plain text", attribute->name);
	if (*text_trim(copy) == '\0')
		return 0;
	return attribute->set(o, attribute, text_trim(copy), err);
}

/* ---- entries ---- */

/* Where the files of extracted keys are: beside that of the whole value; in its place a
 * folder, when there is none. */
static char *attributes_folder(const struct object *o, bool has_alias)
{
	const char *slash = o->path ? strrchr(o->path, '/') : NULL;

	if (o->extract == OBJECT_EXTRACT_NONE)
		return NULL;
	if (o->without_whole && has_alias)
		return xstrdup(o->path);
	return slash ? xstrndup(o->path, (size_t)(slash - o->path)) : NULL;
}

static int attributes_finish(struct object *o, struct err *err)
{
	bool has_alias = o->path != NULL;

	/* The name of an object is a path that path_check() allows. */
	if (!object_selects(o) && o->name != NULL && o->path == NULL)
		o->path = xstrdup(o->name);
	o->folder = attributes_folder(o, has_alias);
	for (size_t i = 0; i < o->part_count; i++)
		if (o->parts[i].mode == PARTS_MODE_OF_OBJECT)
			o->parts[i].mode = o->mode;
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
				 ? set_attribute(node, &o, ignored, err)
				 : attributes_unknown(node->key, map, ignored, err);
	if (result < 0 || attributes_finish(&o, err) < 0) {
		object_done(&o);
		return -1;
	}
	*out = o;
	return 0;
}

static int attributes_set(struct object *o, const char *name, const char *value,
			  struct err *err)
{
	const struct attribute *a = attributes_find(name);

	return a->set(o, a, value, err);
}

static int split_short(char *entry, struct object *o, struct err *err)
{
	char *path = strchr(entry, '=');
	char *name, *slash;

	if (path != NULL) {
		*path = '\0';
		path = text_trim(path + 1);
		if (attributes_set(o, "objectAlias", path, err) < 0)
			return -1;
	}
	name = text_trim(entry);
	slash = strchr(name, '/');
	if (slash != NULL) {
		*slash = '\0';
		if (attributes_set(o, "objectType", name, err) < 0)
			return -1;
		name = slash + 1;
	}
	if (attributes_set(o, "objectName", name, err) < 0)
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

static bool attributes_has_default_path(const struct object *o)
{
	bool is_folder = o->folder && o->path && strcmp(o->folder, o->path) == 0;

	return !is_folder && o->name && o->path && strcmp(o->name, o->path) == 0;
}

/* What an attribute has to be given as; NULL: it is left out, which means its default.
 * The mode has none of its own.  scratch: where a number becomes text. */
static const char *attributes_value(const struct object *o, const struct attribute *a,
				    struct buf *scratch)
{
	const void *field = (const char *)o + a->at;
	int word;

	if (a->set == set_flag)
		return *(const bool *)field ? "true" : NULL;
	if (a->set == set_word) {
		memcpy(&word, field, sizeof(word));
		return word ? a->words[word] : NULL;
	}
	if (a->set == set_other_name ||
	    (a->set == set_path && attributes_has_default_path(o)))
		return NULL;
	if (a->at == offsetof(struct object, choice))
		return o->choice ? object_choice_word(o->choice) : NULL;
	if (a->set == set_mode)
		buf_printf(scratch, "%04o", (unsigned)o->mode);
	else if (a->set == set_history && o->history)
		buf_printf(scratch, "%d", o->history);
	else if (a->set != set_history)
		return *(const char *const *)field;
	return scratch->len ? buf_str(scratch) : NULL;
}

void attributes_write(const struct object *o, struct buf *out)
{
	const char *comma = "{";

	for (size_t i = 0; i < ARRAY_LEN(attributes); i++) {
		auto_buf struct buf scratch = BUF_INIT(40);
		const struct attribute *a = &attributes[i];
		const char *value = a->set ? attributes_value(o, a, &scratch) : NULL;

		if (value == NULL)
			continue;
		buf_text(out, comma);
		comma = ",";
		yaml_write_key(out, a->name);
		yaml_write_text(out, value);
	}
	tags_write(o, out);
	parts_write(o, out);
	buf_text(out, "}");
}
