#include "command/check_text.h"

#include <string.h>

#include "command/check_cost.h"
#include "command/check_memory.h"

static bool check_is_shown_below(const char *name)
{
	return strcmp(name, "AKVSYNC_OBJECTS") == 0 ||
	       strcmp(name, "AKVSYNC_TEMPLATES") == 0 ||
	       strcmp(name, "AKVSYNC_ENV_FILES") == 0 ||
	       strcmp(name, "AKVSYNC_SECRET_OBJECTS") == 0;
}

static void check_text_settings(const struct check_view *view, struct buf *out)
{
	const char *name;
	bool secret;

	buf_text(out, "Settings\n");
	for (size_t i = 0; (name = settings_variable(i, &secret)) != NULL; i++) {
		auto_buf struct buf value = BUF_INIT(CHECK_TEXT_MAX);

		settings_value(&view->configuration->settings, i, &value);
		if (strcmp(buf_str(&value), "null") == 0)
			continue;
		buf_printf(out, "  %-36s %-12s %s\n", name, check_source(view, name),
			   check_is_shown_below(name) ? "(below)" : buf_str(&value));
	}
}

static void check_text_entry(const struct configuration *c, const struct check_entry *e,
			     bool online, struct buf *out)
{
	buf_printf(out, "  %-32s %-34s %04o  %s\n", e->object,
		   e->version ? e->version : "current", (unsigned)e->mode,
		   check_verdict(e, online));
	for (size_t i = 0; i < e->file_count; i++) {
		buf_printf(out, "      %s/%s", c->settings.dir, e->files[i].path);
		if (e->files[i].mode != e->mode)
			buf_printf(out, " (%04o)", (unsigned)e->files[i].mode);
		buf_text(out, "\n");
	}
	if (e->more != NULL)
		buf_printf(out, "      %s\n", e->more);
	if (e->failed)
		buf_printf(out, "      %s\n", e->err.msg);
	if (e->warning != NULL)
		buf_printf(out, "      warning: %s\n", e->warning);
}

static const char *check_when_of(const struct target *t)
{
	if (t->kind->before)
		return "before a set is published";
	return t->on_first ? "after each set, also the first set"
			   : "after a set that replaces another";
}

static void check_text_targets(const struct targets *all, struct buf *out)
{
	const struct target *t;

	if (check_target(all, 0) != NULL)
		buf_text(out, "\nNotify (nothing is run now)\n");
	for (size_t i = 0; (t = check_target(all, i)) != NULL; i++) {
		buf_printf(out, "  %s\n      ", t->text);
		t->kind->describe(t, out);
		buf_printf(out, "\n      %s", check_when_of(t));
		for (size_t k = 0; k < t->filters.count; k++)
			buf_printf(out, "%s%s", k ? ", " : ", when it changes ",
				   t->filters.items[k]);
		buf_text(out, "\n");
	}
}

/* What goes into a template, or into the variables of an env file. */
static void check_text_places(const struct template_file *t, struct buf *out)
{
	for (size_t i = 0; i < t->body.count; i++) {
		const struct template_part *part = &t->body.parts[i];

		if (part->path == NULL)
			continue;
		buf_printf(out, "      %s: %s", part->where, part->path);
		for (size_t f = 0; f < part->filter_count && !templates_is_env(t); f++)
			buf_printf(out, "|%s", template_filter_name(part->filters[f]));
		buf_text(out, "\n");
	}
}

static void check_text_templates(const struct configuration *c, bool env_files,
				 struct buf *out)
{
	const struct templates *all = &c->objects.templates;
	const char *title = env_files ? "Env files" : "Templates";

	for (size_t i = 0; i < all->count; i++) {
		const struct template_file *t = &all->items[i];

		if (templates_is_env(t) != env_files)
			continue;
		if (title != NULL)
			buf_printf(out, "\n%s\n", title);
		title = NULL;
		buf_printf(out, "  %s%s%s  %04o", env_files ? "" : c->settings.dir,
			   env_files ? "" : "/", t->path, (unsigned)t->mode);
		if (env_files)
			buf_printf(out, "  %s", templates_format_word(t->format));
		buf_text(out, "\n");
		check_text_places(t, out);
	}
}

static void check_text_secret(const struct secret_object *s, struct buf *out)
{
	buf_printf(out, "  %s  %s  owner %s\n", s->name, s->type,
		   secret_owner_word(s->owner));
	for (size_t i = 0; i < s->data_count; i++)
		buf_printf(out, "      %s: %s\n", s->data[i].key, s->data[i].path);
	if (s->all)
		buf_text(out, "      each other file under its path\n");
}

static void check_text_secrets(const struct configuration *c, struct buf *out)
{
	const struct secret_objects *all = &c->secrets;

	if (c->secrets_off)
		buf_text(out, "\nKubernetes Secrets\n  none: they are listed, but "
			      "AKVSYNC_KUBERNETES_SECRETS is not true\n");
	if (all->count == 0)
		return;
	buf_text(out, "\nKubernetes Secrets\n");
	for (size_t i = 0; i < all->count; i++)
		check_text_secret(&all->items[i], out);
	buf_text(out, "\nThe Role that the pod's service account needs for them\n");
	secret_objects_write_role(all, out);
}

void check_write_text(const struct check_view *view, struct buf *out)
{
	const struct configuration *c = view->configuration;
	const struct check *check = view->check;
	const char *vault = "";
	bool online = view->online;

	check_text_settings(view, out);
	if (c->ignored.len > 0)
		buf_printf(out, "\nWithout meaning here, and ignored\n  %s: %s\n",
			   configuration_place(c), buf_str(&c->ignored));
	if (c->repeated.len > 0)
		buf_printf(out, "\nListed again, and taken once\n  %s: %s\n",
			   configuration_place(c), buf_str(&c->repeated));
	if (c->overridden.len > 0)
		buf_printf(out,
			   "\nSet by the file, but overridden by the environment\n"
			   "  %s\n",
			   buf_str(&c->overridden));
	for (size_t i = 0; i < check->count; i++) {
		const struct check_entry *e = &check->items[i];

		if (strcmp(vault, e->vault) != 0)
			buf_printf(out, "\n%s\n  %-32s %-34s %-5s %s\n", e->vault,
				   "object", "version", "mode", online ? "read" : "");
		vault = e->vault;
		check_text_entry(c, e, online, out);
	}
	check_text_templates(c, false, out);
	check_text_templates(c, true, out);
	check_text_secrets(c, out);
	check_text_targets(&check->targets, out);
	check_memory_write_text(view, out);
	check_cost_write_text(view, out);
	buf_printf(out, "\n%s\n",
		   check->unmade.kind != ERR_NONE  ? check->unmade.msg
		   : check->worst.kind != ERR_NONE ? "Not all of it can be read."
		   : online ? "All is well: every object can be read."
			    : "The configuration is valid; --online also tries it.");
}
