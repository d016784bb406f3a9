#include "config/overlay.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "config/variable.h"

#define PREFIX "AKVSYNC_"

static void overlay_add_item(struct overlay *o, const char *name, const char *value,
			     const char *with)
{
	o->items = xgrow(o->items, o->count, sizeof(*o->items));
	o->items[o->count] = (struct overlay_item){ .name = xstrdup(name),
						    .value = xstrdup(value),
						    .with = with };
	variable_trim(name, strlen(name), o->items[o->count++].value);
}

void overlay_set(struct overlay *o, const char *name, const char *value)
{
	overlay_add_item(o, name, value, NULL);
}

void overlay_unset(struct overlay *o, const char *name, const char *with)
{
	overlay_add_item(o, name, "", with);
}

void overlay_ignore(struct overlay *o, const char *name)
{
	buf_printf(&o->ignored, "%s%s", o->ignored.len ? ", " : "", name);
}

void overlay_done(struct overlay *o)
{
	for (size_t i = 0; i < o->count; i++) {
		free(o->items[i].name);
		free(o->items[i].value);
	}
	free(o->items);
	buf_done(&o->ignored);
	*o = (struct overlay){ 0 };
}

/* ---- together with the environment ---- */

static bool overlay_item_counts(const struct overlay *o, const struct overlay_item *item,
				char *const *env)
{
	if (item->with != NULL && !overlay_decides(o, item->with, env))
		return false;
	return !text_starts(item->name, PREFIX) || variable_find(env, item->name) == NULL;
}

bool overlay_decides(const struct overlay *o, const char *name, char *const *env)
{
	for (size_t i = 0; i < o->count; i++)
		if (strcmp(o->items[i].name, name) == 0)
			return overlay_item_counts(o, &o->items[i], env);
	return false;
}

/* The text owns both, so that the array is simple to free. */
static void overlay_add(char ***env, size_t *count, char *text)
{
	*env = xgrow(*env, *count, sizeof(char *));
	(*env)[(*count)++] = text;
}

char **overlay_environ(const struct overlay *o, char *const *env)
{
	char **merged = NULL;
	size_t count = 0;

	for (size_t i = 0; env[i]; i++) {
		auto_free char *name = xstrndup(env[i], strcspn(env[i], "="));

		if (!overlay_decides(o, name, env))
			overlay_add(&merged, &count, xstrdup(env[i]));
	}
	for (size_t i = 0; i < o->count; i++)
		if (overlay_decides(o, o->items[i].name, env))
			overlay_add(
				&merged, &count,
				xasprintf("%s=%s", o->items[i].name, o->items[i].value));
	overlay_add(&merged, &count, NULL);
	return merged;
}

void overlay_environ_free(char **env)
{
	for (char **e = env; e && *e; e++) {
		wipe(*e, strlen(*e));
		free(*e);
	}
	free(env);
}
