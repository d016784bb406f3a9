#include "render/keys.h"

#include <string.h>

#include "base/jmespath.h"
#include "base/mem.h"

static int keys_write_parts(const struct render_how *how, const struct jsontext *root,
			    struct render_files *files, struct err *err)
{
	struct render_file *file = &files->items[files->outlined - how->part_count];

	for (size_t i = 0; i < how->part_count; i++) {
		struct jsontext value;

		if (jmespath_find(how->parts[i].expression, root, &value, err) < 0) {
			auto_free char *missing = xstrdup(err->msg);

			return err_set(err, ERR_CONFIG,
				       "its JSON value %s, which the file '%.100s' is to "
				       "hold",
				       missing, how->parts[i].path);
		}
		if (jsontext_write(&value, &file[i].bytes, err) < 0)
			return -1;
	}
	return 0;
}

static int keys_add(const struct render_how *how, const struct jsontext_member *m,
		    struct render_files *files, struct err *err)
{
	auto_buf struct buf key = BUF_INIT(RENDER_FILE_MAX);

	if (files->count - files->outlined == RENDER_KEYS_MAX)
		return err_set(err, ERR_CONFIG,
			       "its JSON value has more than %d keys; name the ones you "
			       "need in jmesPath",
			       RENDER_KEYS_MAX);
	if (jsontext_write(&m->key, &key, err) < 0)
		return -1;
	if (memchr(buf_str(&key), '\0', key.len) != NULL)
		return err_set(err, ERR_CONFIG,
			       "a key of its JSON value holds a NUL character, which no "
			       "file's name may");
	return jsontext_write(&m->value,
			      &render_add_key(how, files, buf_str(&key))->bytes, err);
}

static int keys_extract(const struct render_how *how, const struct jsontext *root,
			struct render_files *files, struct err *err)
{
	struct jsontext_member m = { 0 };

	if (*root->at != '{')
		return err_set(err, ERR_CONFIG,
			       "its JSON value is no object, whose keys extract takes");
	while (jsontext_next(root, &m))
		if (keys_add(how, &m, files, err) < 0)
			return -1;
	/* An empty list is more likely a mistake. */
	if (files->count == files->outlined)
		return err_set(err, ERR_CONFIG, "its JSON value has no key to extract");
	render_finish_keys(how, files);
	return 0;
}

int keys_write(const struct render_how *how, const struct buf *text,
	       struct render_files *files, struct err *err)
{
	struct jsontext root;

	if (jsontext_parse(buf_str(text), text->len, &root, err) < 0)
		return err_hint(err, "jmesPath and extract take values out of JSON");
	if (keys_write_parts(how, &root, files, err) < 0)
		return -1;
	return how->extract == OBJECT_EXTRACT_NONE ? 0
						   : keys_extract(how, &root, files, err);
}
