#include "config/parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/jmespath.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/path.h"
#include "config/unknown.h"
#include "config/yaml_write.h"

#define PARTS_MAX 1000

static const char *const names[] = { "path", "objectAlias", "filePermission" };

static int parts_set_expression(struct object_part *part, const char *value,
				struct err *err)
{
	if (jmespath_check(value, err) < 0) {
		auto_free char *reason = xstrdup(err->msg);

		return err_set(err, ERR_CONFIG, "path '%.100s' %s", value, reason);
	}
	part->expression = xstrdup(value);
	return 0;
}

static int parts_set_path(struct object_part *part, const char *value, struct err *err)
{
	if (path_check(value, err) < 0) {
		auto_free char *reason = xstrdup(err->msg);

		return err_set(err, ERR_CONFIG, "objectAlias '%.200s' %s", value, reason);
	}
	part->path = xstrdup(value);
	return 0;
}

static int parts_set(struct object_part *part, const struct yaml *node, struct err *err)
{
	auto_free char *copy = node->text ? xstrdup(node->text) : NULL;
	char *value = copy ? text_trim(copy) : NULL;

	if (value == NULL)
		return err_set(err, ERR_CONFIG, "%s must be plain text", node->key);
	if (*value == '\0')
		return 0;
	if (strcmp(node->key, names[0]) == 0)
		return parts_set_expression(part, value, err);
	if (strcmp(node->key, names[1]) == 0)
		return parts_set_path(part, value, err);
	if (text_mode(value, &part->mode) < 0)
		return err_set(err, ERR_CONFIG,
			       "filePermission '%.40s' is not a file mode: octal digits "
			       "from 0000 to 0777, such as 0440",
			       value);
	return 0;
}

static bool parts_is_known(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static int parts_read_one(const struct yaml *map, struct object_part *part,
			  struct buf *ignored, struct err *err)
{
	static const struct known known = { names, ARRAY_LEN(names) };

	if (map->type != YAML_MAP)
		return err_set(err, ERR_CONFIG,
			       "it is not a map such as {path: username, objectAlias: "
			       "db-user}");
	for (const struct yaml *node = map->first; node; node = node->next)
		if ((parts_is_known(node->key)
			     ? parts_set(part, node, err)
			     : unknown_name(&known, node->key, map, ignored, err)) < 0)
			return -1;
	if (part->expression == NULL)
		return err_set(err, ERR_CONFIG,
			       "path is missing; it says which value is meant");
	if (part->path == NULL)
		return err_set(err, ERR_CONFIG, "objectAlias is missing; it is the file");
	return 0;
}

int parts_read(const struct yaml *list, struct object *o, struct buf *ignored,
	       struct err *err)
{
	size_t place = 0;

	if (list->type != YAML_LIST)
		return err_set(err, ERR_CONFIG,
			       "jmesPath must be a list of maps, such as [{path: "
			       "username, objectAlias: db-user}]");
	for (const struct yaml *item = list->first; item; item = item->next) {
		if (o->part_count == PARTS_MAX)
			return err_set(err, ERR_CONFIG,
				       "jmesPath has more than %d entries", PARTS_MAX);
		o->parts = xgrow(o->parts, o->part_count, sizeof(*o->parts));
		o->parts[o->part_count++] =
			(struct object_part){ .mode = PARTS_MODE_OF_OBJECT };
		place++;
		if (parts_read_one(item, &o->parts[o->part_count - 1], ignored, err) < 0)
			return err_wrap(err, "jmesPath %zu", place);
	}
	return 0;
}

void parts_write(const struct object *o, struct buf *out)
{
	for (size_t i = 0; i < o->part_count; i++) {
		const struct object_part *part = &o->parts[i];

		buf_text(out, i ? ",{" : ",\"jmesPath\":[{");
		yaml_write_key(out, names[0]);
		yaml_write_text(out, part->expression);
		buf_text(out, ",");
		yaml_write_key(out, names[1]);
		yaml_write_text(out, part->path);
		buf_printf(out, ",\"%s\":\"%04o\"}", names[2], (unsigned)part->mode);
	}
	buf_text(out, o->part_count ? "]" : "");
}
