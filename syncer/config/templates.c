#include "config/templates.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "config/env_variables.h"
#include "config/path.h"
#include "config/yaml.h"
#include "config/yaml_write.h"

/* A name of our own stands before it, in the same directory. */
#define ENV_NAME_MAX 200

static const char *const format_words[] = { "template", "fileKeyRef", "dotenv" };

const char *templates_format_word(enum templates_format format)
{
	return format_words[format];
}

char *templates_words(const struct template_file *t)
{
	return xasprintf("%s '%.200s'", templates_is_env(t) ? "env file" : "template",
			 t->path);
}

/* ---- attributes ---- */

static int templates_set_path(struct template_file *t, const struct yaml *node,
			      struct err *err)
{
	bool is_env = templates_is_env(t);
	const char *path = node->text;

	if (is_env && path[0] != '/')
		return err_set(err, ERR_CONFIG,
			       "path '%.200s' must be absolute, such as /env/app.env: an "
			       "env file is no file of the set",
			       path);
	if (path_check(path + is_env, err) < 0) {
		auto_free char *reason = xstrdup(err->msg);

		return err_set(err, ERR_CONFIG, "path '%.200s' %s", path, reason);
	}
	if (is_env && strlen(strrchr(path, '/') + 1) > ENV_NAME_MAX)
		return err_set(err, ERR_CONFIG,
			       "path '%.200s' has a name longer than %d bytes", path,
			       ENV_NAME_MAX);
	t->path = xstrdup(path);
	return 0;
}

static int templates_set_text(struct template_file *t, const struct yaml *node,
			      struct err *err)
{
	(void)err;
	t->text = xstrdup(node->text);
	return 0;
}

static int templates_set_file(struct template_file *t, const struct yaml *node,
			      struct err *err)
{
	(void)err;
	t->file = xstrdup(node->text);
	return 0;
}

static int templates_set_mode(struct template_file *t, const struct yaml *node,
			      struct err *err)
{
	if (text_mode(node->text, &t->mode) < 0)
		return err_set(err, ERR_CONFIG,
			       "filePermission '%.40s' is not a file mode: octal digits "
			       "from 0000 to 0777, such as 0440",
			       node->text);
	return 0;
}

static int templates_set_format(struct template_file *t, const struct yaml *node,
				struct err *err)
{
	for (size_t i = TEMPLATES_FILE_KEY_REF; i <= TEMPLATES_DOTENV; i++) {
		if (!text_same(node->text, format_words[i]))
			continue;
		t->format = (enum templates_format)i;
		return 0;
	}
	return err_set(err, ERR_CONFIG, "format '%.40s' is neither fileKeyRef nor dotenv",
		       node->text);
}

static int templates_set_variables(struct template_file *t, const struct yaml *node,
				   struct err *err)
{
	return env_variables_read_map(&t->body, node, err);
}

static int templates_set_objects(struct template_file *t, const struct yaml *node,
				 struct err *err)
{
	return env_variables_read_list(&t->body, node, err);
}

/* ---- entries ---- */

#define OF_TEMPLATES 1
#define OF_ENV_FILES 2

static const struct templates_attribute {
	const char *name;
	int (*set)(struct template_file *t, const struct yaml *node, struct err *err);
	int of;
	bool plain; /* only plain text will do */
} attributes[] = {
	{ "path", templates_set_path, OF_TEMPLATES | OF_ENV_FILES, true },
	{ "filePermission", templates_set_mode, OF_TEMPLATES | OF_ENV_FILES, true },
	{ "text", templates_set_text, OF_TEMPLATES, true },
	{ "file", templates_set_file, OF_TEMPLATES, true },
	{ "format", templates_set_format, OF_ENV_FILES, true },
	{ "variables", templates_set_variables, OF_ENV_FILES, false },
	{ "objects", templates_set_objects, OF_ENV_FILES, false },
};

static int templates_set(struct template_file *t, const struct yaml *node,
			 struct err *err)
{
	int kind = templates_is_env(t) ? OF_ENV_FILES : OF_TEMPLATES;
	const char *names[ARRAY_LEN(attributes)], *nearest;
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_LEN(attributes); i++) {
		const struct templates_attribute *a = &attributes[i];

		if (!(a->of & kind))
			continue;
		names[count++] = a->name;
		if (strcmp(a->name, node->key) != 0)
			continue;
		if (a->plain && node->type != YAML_SCALAR)
			return err_set(err, ERR_CONFIG, "%s must be plain text", a->name);
		return a->plain && *node->text == '\0' && a->set != templates_set_text
			       ? 0
			       : a->set(t, node, err);
	}
	nearest = text_nearest(node->key, names, count);
	err_set(err, ERR_CONFIG, "unknown attribute '%.80s'", node->key);
	return nearest ? err_hint(err, "did you mean '%s'?", nearest) : -1;
}

static int templates_finish(struct template_file *t, struct err *err)
{
	enum template_filter filter =
		t->format == TEMPLATES_DOTENV ? TEMPLATE_DOTENV : TEMPLATE_FILE_KEY_REF;

	if (t->path == NULL)
		return err_set(err, ERR_CONFIG, "path is missing");
	if (!templates_is_env(t)) {
		if ((t->text == NULL) == (t->file == NULL))
			return err_set(err, ERR_CONFIG,
				       "exactly one of text and file must be there");
		return 0;
	}
	if (t->body.count == 0)
		return err_set(err, ERR_CONFIG,
			       "it has no variables; name some, such as variables: "
			       "{DB_PASSWORD: db-password}");
	env_variables_set_filter(&t->body, filter);
	return 0;
}

static void templates_file_done(struct template_file *t)
{
	template_done(&t->body);
	free(t->path);
	free(t->text);
	free(t->file);
}

/* Of two that are in each other's way. */
static int templates_check_pair(const struct template_file *a,
				const struct template_file *b, struct err *err)
{
	if (templates_is_env(a) != templates_is_env(b) ||
	    !path_collides(a->path, b->path))
		return 0;
	return err_set(err, ERR_CONFIG,
		       "its path is in the way of '%.200s'; give it another path",
		       a->path);
}

static int templates_read_entry(struct templates *all, const struct yaml *map,
				struct template_file entry, struct err *err)
{
	struct template_file *t;

	if (map->type != YAML_MAP)
		return err_set(err, ERR_CONFIG, "it is not a map, such as {path: x}");
	if (all->count >= TEMPLATES_MAX)
		return err_set(err, ERR_CONFIG, "there are more than %d", TEMPLATES_MAX);
	all->items = xgrow(all->items, all->count, sizeof(*all->items));
	t = &all->items[all->count++];
	*t = entry;
	for (const struct yaml *n = map->first; n; n = n->next)
		if (templates_set(t, n, err) < 0)
			return -1;
	if (templates_finish(t, err) < 0)
		return -1;
	for (size_t i = 0; i + 1 < all->count; i++)
		if (templates_check_pair(&all->items[i], t, err) < 0)
			return -1;
	if (t->text == NULL)
		return 0;
	return templates_take_text(t, t->text, err);
}

/* Says which entry it is. */
static int templates_wrap(const char *variable, size_t place, const struct yaml *map,
			  struct err *err)
{
	const char *path = yaml_member_text(map, "path");

	if (*path == '\0')
		return err_wrap(err, "%s: entry %zu", variable, place);
	return err_wrap(err, "%s: entry %zu ('%.100s')", variable, place, path);
}

static int templates_read_list(struct templates *all, const char *variable,
			       const char *text, struct template_file entry,
			       struct err *err)
{
	struct yaml *root = NULL;
	size_t place = 0;
	int result;

	if (text == NULL)
		return 0;
	if (yaml_tree_load(text, strlen(text), &root, err) < 0)
		return err_wrap(err, "%s", variable);
	if (root->type != YAML_LIST || root->next != NULL)
		result = err_set(err, ERR_CONFIG, "%s: it must be one list of maps",
				 variable);
	else
		result = 0;
	for (const struct yaml *n = root->first; n && result == 0; n = n->next) {
		place++;
		result = templates_read_entry(all, n, entry, err);
		if (result < 0)
			templates_wrap(variable, place, n, err);
	}
	yaml_tree_free(root);
	return result;
}

int templates_read(struct templates *all, const char *text, mode_t default_mode,
		   struct err *err)
{
	const struct template_file entry = { .mode = default_mode };

	return templates_read_list(all, "AKVSYNC_TEMPLATES", text, entry, err);
}

int templates_read_env_files(struct templates *all, const char *text, mode_t default_mode,
			     struct err *err)
{
	const struct template_file entry = { .mode = default_mode,
					     .format = TEMPLATES_FILE_KEY_REF };

	return templates_read_list(all, "AKVSYNC_ENV_FILES", text, entry, err);
}

static bool templates_is_utf8(const char *text)
{
	while (*text != '\0') {
		size_t n = text_utf8_length(text);

		if (n == 0)
			return false;
		text += n;
	}
	return true;
}

int templates_take_text(struct template_file *t, const char *text, struct err *err)
{
	struct template body;
	char *copy;

	if (strlen(text) > TEMPLATES_TEXT_MAX)
		return err_set(err, ERR_CONFIG, "its text is larger than %d bytes",
			       TEMPLATES_TEXT_MAX);
	if (!templates_is_utf8(text))
		return err_set(err, ERR_CONFIG, "its text is not UTF-8");
	if (template_parse(text, &body, err) < 0)
		return -1;
	copy = xstrdup(text);
	template_done(&t->body);
	free(t->text);
	t->body = body;
	t->text = copy;
	return 0;
}

void templates_done(struct templates *all)
{
	for (size_t i = 0; i < all->count; i++)
		templates_file_done(&all->items[i]);
	free(all->items);
	*all = (struct templates){ 0 };
}

const struct template_file *templates_in_the_way(const struct templates *all,
						 const char *path)
{
	for (size_t i = 0; i < all->count; i++)
		if (!templates_is_env(&all->items[i]) &&
		    path_collides(all->items[i].path, path))
			return &all->items[i];
	return NULL;
}

/* ---- back to text ---- */

void templates_write(const struct templates *all, bool env_files, struct buf *out)
{
	const char *comma = "[";

	for (size_t i = 0; i < all->count; i++) {
		const struct template_file *t = &all->items[i];

		if (templates_is_env(t) != env_files)
			continue;
		buf_printf(out, "%s{\"filePermission\":\"%04o\",\"path\":", comma,
			   (unsigned)t->mode);
		comma = ",";
		yaml_write_text(out, t->path);
		buf_printf(out, ",\"%s\":", env_files ? "format" : "text");
		yaml_write_text(out, env_files ? format_words[t->format] : t->text);
		if (env_files) {
			buf_text(out, ",\"variables\":");
			env_variables_write(&t->body, out);
		}
		buf_text(out, "}");
	}
	buf_text(out, comma[0] == '[' ? "[]" : "]");
}
