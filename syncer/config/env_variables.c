#include "config/env_variables.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/yaml_write.h"

#define VARIABLES_MAX 1000
/* As much as fileKeyRef takes. */
#define VARIABLE_LEN_MAX 128

/* "variable DB_PASSWORD": how the place of a template says which one it is. */
#define WHERE "variable "

static bool env_variables_is_name(const char *name)
{
	const char *c = name;

	if (!isalpha((unsigned char)*c) && *c != '_')
		return false;
	while (isalnum((unsigned char)*c) || *c == '_')
		c++;
	return *c == '\0' && c - name <= VARIABLE_LEN_MAX;
}

static const struct template_part *env_variables_find(const struct template *body,
						      const char *name)
{
	for (size_t i = 0; i < body->count; i++)
		if (body->parts[i].where != NULL &&
		    strcmp(body->parts[i].where + strlen(WHERE), name) == 0)
			return &body->parts[i];
	return NULL;
}

static int env_variables_add(struct template *body, const char *name, const char *path,
			     struct err *err)
{
	const struct template_part *other = env_variables_find(body, name);
	auto_free char *start = xasprintf("%s=", name);

	if (!env_variables_is_name(name))
		return err_set(
			err, ERR_CONFIG,
			"'%.140s' is no name of a variable: letters, digits and _, "
			"no digit first, at most %d",
			name, VARIABLE_LEN_MAX);
	if (path == NULL || *path == '\0')
		return err_set(err, ERR_CONFIG,
			       "variable %s must name a file of the set, such as "
			       "db-password",
			       name);
	if (other != NULL)
		return err_set(err, ERR_CONFIG,
			       "variable %s would get both '%.100s' and '%.100s'; give "
			       "one of them a name under variables",
			       name, other->path, path);
	if (body->count / 3 >= VARIABLES_MAX)
		return err_set(err, ERR_CONFIG, "there are more than %d variables",
			       VARIABLES_MAX);
	template_add_text(body, start, strlen(start));
	template_add_place(body, path, xasprintf(WHERE "%s", name), NULL, 0);
	template_add_text(body, "\n", 1);
	return 0;
}

int env_variables_read_map(struct template *body, const struct yaml *map, struct err *err)
{
	if (map->type != YAML_MAP)
		return err_set(err, ERR_CONFIG,
			       "variables must be a map of names and files, such as "
			       "{DB_PASSWORD: db-password}");
	for (const struct yaml *n = map->first; n; n = n->next)
		if (env_variables_add(body, n->key, n->text, err) < 0)
			return -1;
	return 0;
}

/* The caller frees. */
static char *env_variables_name(const char *path)
{
	char *name = xstrdup(path);

	for (char *c = name; *c; c++)
		*c = isalnum((unsigned char)*c) ? (char)toupper((unsigned char)*c) : '_';
	return name;
}

int env_variables_read_list(struct template *body, const struct yaml *list,
			    struct err *err)
{
	if (list->type != YAML_LIST)
		return err_set(err, ERR_CONFIG,
			       "objects must be a list of files of the set, such as "
			       "[db-password]");
	for (const struct yaml *n = list->first; n; n = n->next) {
		auto_free char *name = env_variables_name(n->text ? n->text : "");

		if (n->text == NULL || *n->text == '\0')
			return err_set(err, ERR_CONFIG,
				       "objects must be a list of paths, such as "
				       "[db-password]");
		if (env_variables_add(body, name, n->text, err) < 0)
			return -1;
	}
	return 0;
}

void env_variables_set_filter(struct template *body, enum template_filter filter)
{
	for (size_t i = 0; i < body->count; i++) {
		if (body->parts[i].path == NULL)
			continue;
		body->parts[i].filters[0] = filter;
		body->parts[i].filter_count = 1;
	}
}

void env_variables_write(const struct template *body, struct buf *out)
{
	const char *comma = "{";

	for (size_t i = 0; i < body->count; i++) {
		const struct template_part *part = &body->parts[i];

		if (part->path == NULL)
			continue;
		buf_text(out, comma);
		comma = ",";
		yaml_write_key(out, part->where + strlen(WHERE));
		yaml_write_text(out, part->path);
	}
	buf_text(out, "}");
}
