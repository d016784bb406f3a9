#include "config/overlay.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "config/variable.h"

#define PREFIX "AKVSYNC_"

void overlay_set(struct overlay *o, const char *name, const char *value)
{
	o->items = xgrow(o->items, o->count, sizeof(*o->items));
	o->items[o->count] =
		(struct overlay_item){ .name = xstrdup(name), .value = xstrdup(value) };
	variable_trim(name, strlen(name), o->items[o->count++].value);
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

bool overlay_decides(const struct overlay *o, const char *name, char *const *env)
{
	for (size_t i = 0; i < o->count; i++)
		if (strcmp(o->items[i].name, name) == 0)
			return !text_starts(name, PREFIX) ||
			       variable_find(env, name) == NULL;
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
