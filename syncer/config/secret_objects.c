#include "config/secret_objects.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define VARIABLE "AKVSYNC_SECRET_OBJECTS"

char *secret_objects_key(const char *path)
{
	char *key = xstrdup(path);

	for (char *c = key; *c; c++)
		if (*c == '/')
			*c = '.';
	return key;
}

static int secret_objects_read_entry(struct secret_objects *all, const struct yaml *map,
				     const struct objects *objects, struct err *err)
{
	struct secret_object *s;

	if (all->count >= SECRET_OBJECTS_MAX)
		return err_set(err, ERR_CONFIG, "there are more than %d",
			       SECRET_OBJECTS_MAX);
	all->items = xgrow(all->items, all->count, sizeof(*all->items));
	s = &all->items[all->count];
	if (secret_object_read(s, map, objects, err) < 0)
		return -1;
	all->count++;
	for (size_t i = 0; i + 1 < all->count; i++)
		if (strcmp(all->items[i].name, s->name) == 0)
			return err_set(err, ERR_CONFIG,
				       "another entry makes this Secret, too; put the "
				       "data of both into one");
	return 0;
}

static int secret_objects_read_list(struct secret_objects *all, const struct yaml *root,
				    const struct objects *objects, struct err *err)
{
	size_t place = 0;

	if ((root->type != YAML_LIST && !root->null) || root->next != NULL)
		return err_set(err, ERR_CONFIG,
			       VARIABLE
			       ": it must be one list of maps, such as [{secretName: "
			       "db, all: true}]; whether they are written says the "
			       "variable AKVSYNC_KUBERNETES_SECRETS, in the environment");
	for (const struct yaml *n = root->first; n; n = n->next) {
		const char *name = yaml_member_text(n, "secretName");

		place++;
		if (secret_objects_read_entry(all, n, objects, err) == 0)
			continue;
		return *name == '\0' ? err_wrap(err, VARIABLE ": entry %zu", place)
				     : err_wrap(err, VARIABLE ": Secret '%.100s'", name);
	}
	return 0;
}

int secret_objects_read(struct secret_objects *out, const char *text,
			const struct objects *objects, struct err *err)
{
	struct secret_objects all = { 0 };
	struct yaml *root = NULL;
	int result;

	if (text == NULL) {
		*out = all;
		return 0;
	}
	if (yaml_tree_load(text, strlen(text), &root, err) < 0)
		return err_wrap(err, VARIABLE);
	result = secret_objects_read_list(&all, root, objects, err);
	yaml_tree_free(root);
	if (result < 0)
		secret_objects_done(&all);
	else
		*out = all;
	return result;
}

void secret_objects_done(struct secret_objects *all)
{
	for (size_t i = 0; i < all->count; i++)
		secret_object_done(&all->items[i]);
	free(all->items);
	*all = (struct secret_objects){ 0 };
}

static void secret_write_rule(const struct secret_objects *all, bool existing,
			      struct buf *out)
{
	const char *before = "  - apiGroups: [\"\"]\n    resources: [secrets]\n"
			     "    resourceNames: [";
	bool any = false;

	for (size_t i = 0; i < all->count; i++) {
		if ((all->items[i].owner == SECRET_OWNER_EXISTING) != existing)
			continue;
		buf_printf(out, "%s\"%s\"", any ? ", " : before, all->items[i].name);
		any = true;
	}
	if (any)
		buf_printf(out, "]\n    verbs: [%s]\n",
			   existing ? "patch" : "create, patch");
}

void secret_objects_write_role(const struct secret_objects *all, struct buf *out)
{
	buf_text(out, "apiVersion: rbac.authorization.k8s.io/v1\n"
		      "kind: Role\n"
		      "metadata:\n"
		      "  name: akvsync-secrets\n"
		      "rules:\n");
	secret_write_rule(all, false, out);
	secret_write_rule(all, true, out);
}
