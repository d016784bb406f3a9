#include "config/configuration.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/auth.h"
#include "config/document.h"
#include "config/environment.h"
#include "config/path.h"
#include "config/references.h"
#include "config/variable.h"

#define VARIABLE "AKVSYNC_CONFIG"
#define FILE_MAX (1024 * 1024)
#define NOTES_MAX 8000

/* The place of the '#' behind which the value of AKVSYNC_CONFIG chooses a document; NULL:
 * it is a path as a whole. */
static const char *find_choice(const char *value)
{
	const char *hash = strrchr(value, '#');
	auto_free char *path = NULL;

	if (hash == NULL || hash == value || hash[1] == '\0' ||
	    access(value, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR))
		return NULL;
	path = xstrndup(value, (size_t)(hash - value));
	return access(path, F_OK) == 0 ? hash : NULL;
}

static int configuration_read_file(struct configuration *c, struct err *err)
{
	auto_buf struct buf text = BUF_INIT(FILE_MAX);
	const char *value = variable_find(c->env, VARIABLE);

	if (c->path == NULL)
		return 0;
	if (file_read(AT_FDCWD, c->path, &text, err) < 0) {
		err->kind = ERR_CONFIG;
		return err_wrap(err, VARIABLE);
	}
	/* The choice is what the value has behind the path. */
	value += strlen(c->path);
	if (document_read(&c->file, buf_str(&text), text.len, *value ? value + 1 : NULL,
			  err) < 0)
		return err_wrap(err, "configuration file '%s'", c->path);
	return 0;
}

/* A message about a variable that the file sets, or could have set, says so. */
static int name_file(const struct configuration *c, struct err *err)
{
	for (size_t i = 0; i < c->file.count; i++)
		if (text_starts(err->msg, c->file.items[i].name) &&
		    overlay_decides(&c->file, c->file.items[i].name, c->env))
			return err_wrap(err, "configuration file '%s'", c->path);
	if (c->path != NULL && text_starts(err->msg, "AKVSYNC_") &&
	    strstr(err->msg, " is not set;"))
		return err_wrap(err, "configuration file '%s' does not say it either",
				c->path);
	return -1;
}

/* Puts together what is to be told of the file and of the list. */
static void take_notes(struct configuration *c)
{
	bool apart =
		c->path != NULL && !overlay_decides(&c->file, "AKVSYNC_OBJECTS", c->env);

	const char *where = apart ? "in AKVSYNC_OBJECTS: " : "";

	c->ignored = BUF_INIT(NOTES_MAX);
	c->repeated = BUF_INIT(NOTES_MAX);
	buf_text(&c->ignored, buf_str(&c->file.ignored));
	if (c->objects.ignored.len > 0)
		buf_printf(&c->ignored, "%s%s%s", c->ignored.len ? ", " : "", where,
			   buf_str(&c->objects.ignored));
	if (c->objects.repeated.len > 0)
		buf_printf(&c->repeated, "%s%s", where, buf_str(&c->objects.repeated));
	if (c->ignored.len > 0)
		err_flatten(c->ignored.data); /* keys may hold anything */
}

/* What the file sets to another value than the environment, which wins. */
static void note_overridden(struct configuration *c)
{
	c->overridden = BUF_INIT(NOTES_MAX);
	for (size_t i = 0; i < c->file.count; i++) {
		const struct overlay_item *item = &c->file.items[i];
		const char *given = variable_find(c->env, item->name);

		if (item->with != NULL || given == NULL ||
		    overlay_decides(&c->file, item->name, c->env) ||
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

/* ---- templates ---- */

/* The text of a template that stands in a file. */
static int configuration_read_text(const struct template_file *t, struct buf *text,
				   struct err *err)
{
	if (file_read(AT_FDCWD, t->file, text, err) < 0) {
		err->kind = ERR_CONFIG;
		return -1;
	}
	if (text->len > 0 && memchr(text->data, '\0', text->len) != NULL)
		return err_set(err, ERR_CONFIG, "file '%.200s' has a NUL byte", t->file);
	return 0;
}

static int configuration_take_file(struct template_file *t, struct err *err)
{
	auto_buf struct buf text = BUF_INIT(TEMPLATES_TEXT_MAX);
	auto_free char *words = templates_words(t);

	t->unread = configuration_read_text(t, &text, err) < 0;
	if (t->unread)
		return err_wrap(err, "AKVSYNC_TEMPLATES: %s", words);
	if (templates_take_text(t, buf_str(&text), err) < 0)
		return err_wrap(err, "AKVSYNC_TEMPLATES: %s: file '%.200s'", words,
				t->file);
	return 0;
}

/* Each of them is watched. */
static int configuration_take_files(struct templates *all, struct err *err)
{
	size_t count = 0;

	for (size_t i = 0; i < all->count; i++) {
		if (all->items[i].file == NULL)
			continue;
		if (++count > TEMPLATES_FILES_MAX)
			return err_set(err, ERR_CONFIG,
				       "AKVSYNC_TEMPLATES: at most %d templates may have "
				       "their text in a file",
				       TEMPLATES_FILES_MAX);
		if (configuration_take_file(&all->items[i], err) < 0)
			return -1;
	}
	return 0;
}

/* The directory of the set holds nothing else. */
static int configuration_check_env_files(const struct configuration *c, struct err *err)
{
	const struct templates *all = &c->objects.templates;
	auto_free char *dir = xstrdup(c->settings.dir);

	for (char *end = dir + strlen(dir); end > dir + 1 && end[-1] == '/';)
		*--end = '\0';
	for (size_t i = 0; i < all->count; i++)
		if (templates_is_env(&all->items[i]) &&
		    path_collides(dir, all->items[i].path))
			return err_set(
				err, ERR_CONFIG,
				"AKVSYNC_ENV_FILES: path '%.200s' is in AKVSYNC_DIR, "
				"'%.200s', which holds the set only; name another "
				"directory, such as a second emptyDir",
				all->items[i].path, dir);
	return 0;
}

static int configuration_load_templates(struct configuration *c, struct err *err)
{
	const struct settings *s = &c->settings;
	struct templates *all = &c->objects.templates;

	if (templates_read(all, s->templates, s->file_mode, err) < 0 ||
	    configuration_take_files(all, err) < 0 ||
	    templates_read_env_files(all, s->env_files, s->file_mode, err) < 0 ||
	    references_check(&c->objects, err) < 0 ||
	    configuration_check_env_files(c, err) < 0)
		return name_file(c, err);
	return 0;
}

/* Of a configuration that was refused, a text may not have been taken. */
static bool configuration_file_changed(const struct template_file *t)
{
	auto_buf struct buf text = BUF_INIT(TEMPLATES_TEXT_MAX);
	struct err err;
	bool unread;

	if (t->text == NULL && !t->unread)
		return false;
	unread = configuration_read_text(t, &text, &err) < 0;
	return unread != t->unread || (!unread && strcmp(buf_str(&text), t->text) != 0);
}

bool configuration_files_changed(const struct templates *all)
{
	for (size_t i = 0; i < all->count; i++)
		if (all->items[i].file != NULL &&
		    configuration_file_changed(&all->items[i]))
			return true;
	return false;
}

/* ---- Kubernetes Secrets ---- */

/* Secrets that are not asked for are not even read: a manifest that works elsewhere is
 * accepted with whatever it lists. */
static int configuration_load_secrets(struct configuration *c, struct err *err)
{
	const struct settings *s = &c->settings;

	if (!s->kubernetes_secrets) {
		c->secrets_off = s->secret_objects != NULL;
		return 0;
	}
	if (secret_objects_read(&c->secrets, s->secret_objects, &c->objects, err) < 0)
		return name_file(c, err);
	return 0;
}

/* ---- all of it ---- */

int configuration_load(struct configuration *out, char *const *env, bool signs_in,
		       struct err *err)
{
	struct err file = { 0 };
	char **merged;
	int result;

	*out = (struct configuration){ .env = env, .path = configuration_path(env) };
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
		result = configuration_load_templates(out, err);
	if (result == 0)
		result = configuration_load_secrets(out, err);
	if (result == 0)
		fill_vaults(out);
	if (result == 0)
		take_notes(out);
	return result;
}

char *configuration_path(char *const *env)
{
	const char *value = variable_find(env, VARIABLE);
	const char *choice = value ? find_choice(value) : NULL;

	if (value == NULL)
		return NULL;
	return choice ? xstrndup(value, (size_t)(choice - value)) : xstrdup(value);
}

char *configuration_dir(char *const *env)
{
	struct configuration c = { .env = env, .path = configuration_path(env) };
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
	secret_objects_done(&c->secrets);
	overlay_done(&c->file);
	buf_done(&c->ignored);
	buf_done(&c->repeated);
	buf_done(&c->overridden);
	free(c->path);
	*c = (struct configuration){ 0 };
}

const char *configuration_place(const struct configuration *c)
{
	return c->path ? c->path : "AKVSYNC_OBJECTS";
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
