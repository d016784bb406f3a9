#include "config/tags.h"

#include "base/mem.h"
#include "config/yaml_write.h"

/* As many as an object may have in a vault. */
#define TAGS_MAX 15

int tags_read(const struct yaml *map, struct object *o, struct err *err)
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

void tags_write(const struct object *o, struct buf *out)
{
	for (size_t i = 0; i < o->tag_count; i++) {
		buf_text(out, i ? "," : ",\"tags\":{");
		yaml_write_key(out, o->tags[i].name);
		yaml_write_text(out, o->tags[i].value);
	}
	buf_text(out, o->tag_count ? "}" : "");
}
