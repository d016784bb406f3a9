#include "config/configuration.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/auth.h"
#include "config/document.h"
#include "config/environment.h"
#include "config/variable.h"

#define VARIABLE "AKVSYNC_CONFIG"
#define FILE_MAX (1024 * 1024)

static int configuration_read_file(struct configuration *c, struct err *err)
{
	auto_buf struct buf text = BUF_INIT(FILE_MAX);

	if (c->path == NULL)
		return 0;
	if (file_read(AT_FDCWD, c->path, &text, err) < 0) {
		err->kind = ERR_CONFIG;
		return err_wrap(err, VARIABLE);
	}
	if (document_read(&c->file, buf_str(&text), text.len, err) < 0)
		return err_wrap(err, "configuration file '%s'", c->path);
	return 0;
}

/* A message about a variable that the file sets says so. */
static int name_file(const struct configuration *c, struct err *err)
{
	for (size_t i = 0; i < c->file.count; i++)
		if (text_starts(err->msg, c->file.items[i].name) &&
		    overlay_decides(&c->file, c->file.items[i].name, c->env))
			return err_wrap(err, "configuration file '%s'", c->path);
	return -1;
}

/* What the file sets to another value than the environment, which wins. */
static void note_overridden(struct configuration *c)
{
	for (size_t i = 0; i < c->file.count; i++) {
		const struct overlay_item *item = &c->file.items[i];
		const char *given = variable_find(c->env, item->name);

		if (overlay_decides(&c->file, item->name, c->env) || given == NULL ||
		    strcmp(given, item->value) == 0)
			continue;
		buf_printf(&c->overridden, "%s%s", c->overridden.len ? ", " : "",
			   item->name);
	}
}

/* An object without a vault is in the default one. */
static void fill_vaults(struct configuration *c)
{
	for (size_t i = 0; i < c->objects.count; i++)
		if (c->objects.items[i].vault == NULL)
			c->objects.items[i].vault = xstrdup(c->settings.vault);
}

int configuration_load(struct configuration *out, char *const *env, bool signs_in,
		       struct err *err)
{
	const char *path = configuration_path(env);
	struct err file = { 0 };
	char **merged;
	int result;

	*out = (struct configuration){ .env = env,
				       .path = path ? xstrdup(path) : NULL,
				       .overridden = BUF_INIT(4096) };
	result = configuration_read_file(out, &file);
	note_overridden(out);
	merged = overlay_environ(&out->file, env);
	/* Also when the file is bad: these settings decide where that is logged. */
	if (environment_load(&out->settings, merged, err) < 0 && result == 0)
		result = name_file(out, err);
	else if (result < 0)
		*err = file;
	overlay_environ_free(merged);
	if (result == 0 && signs_in && auth_check(&out->settings, err) < 0)
		result = name_file(out, err);
	if (result == 0 && objects_parse(&out->objects, out->settings.objects,
					 out->settings.file_mode, err) < 0)
		result = name_file(out, err);
	if (result == 0)
		fill_vaults(out);
	return result;
}

const char *configuration_path(char *const *env)
{
	return variable_find(env, VARIABLE);
}

char *configuration_dir(char *const *env)
{
	const char *path = configuration_path(env);
	struct configuration c = { .path = path ? xstrdup(path) : NULL };
	struct err err;
	char **merged, *dir;

	(void)!configuration_read_file(&c, &err);
	merged = overlay_environ(&c.file, env);
	dir = environment_dir(merged);
	overlay_environ_free(merged);
	configuration_done(&c);
	return dir;
}

void configuration_done(struct configuration *c)
{
	settings_done(&c->settings);
	objects_done(&c->objects);
	overlay_done(&c->file);
	buf_done(&c->overridden);
	free(c->path);
	*c = (struct configuration){ 0 };
}

const char *configuration_source(const struct configuration *c, const char *variable)
{
	if (overlay_decides(&c->file, variable, c->env))
		return "file";
	for (size_t i = 0; i < variable_count; i++)
		if (variable_is_named(&variables[i], variable, strlen(variable)) &&
		    variables[i].alias != NULL &&
		    variable_find(c->env, variables[i].alias) != NULL)
			return "environment";
	return variable_find(c->env, variable) ? "environment" : "default";
}
