/* check.c: `check`: what the configuration comes to, before a pod runs with it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "command/command.h"
#include "config/environment.h"
#include "net/http.h"
#include "report/log.h"
#include "sync/check.h"

#define REPORT_MAX (16 * 1024 * 1024)

extern char **environ;

struct options {
	bool online, json;
	const char *file;
};

static int parse_options(int argc, char **argv, struct options *out)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--online") == 0) {
			out->online = true;
		} else if (strcmp(argv[i], "--output") == 0 && i + 1 < argc) {
			const char *kind = argv[++i];

			out->json = strcmp(kind, "json") == 0;
			if (!out->json && strcmp(kind, "text") != 0)
				return command_usage_error(
					"--output is text or json, not '%s'", kind);
		} else if (argv[i][0] != '-' && out->file == NULL) {
			out->file = argv[i];
		} else {
			return command_usage_error("check takes --online, --output json "
						   "and one FILE, not '%s'",
						   argv[i]);
		}
	}
	return EXIT_DONE;
}

static const char *source_of(const struct configuration *c, const struct options *options,
			     const char *name)
{
	if (options->file != NULL && strcmp(name, "AKVSYNC_CONFIG") == 0)
		return "argument";
	return configuration_source(c, name);
}

/* ---- for people ---- */

static bool is_shown_below(const char *name)
{
	return strcmp(name, "AKVSYNC_OBJECTS") == 0 ||
	       strcmp(name, "AKVSYNC_TEMPLATES") == 0 ||
	       strcmp(name, "AKVSYNC_ENV_FILES") == 0 ||
	       strcmp(name, "AKVSYNC_SECRET_OBJECTS") == 0;
}

static void write_settings(const struct configuration *c, const struct options *options,
			   struct buf *out)
{
	const char *name;
	bool secret;

	buf_text(out, "Settings\n");
	for (size_t i = 0; (name = settings_variable(i, &secret)) != NULL; i++) {
		auto_buf struct buf value = BUF_INIT(REPORT_MAX);

		settings_value(&c->settings, i, &value);
		if (strcmp(buf_str(&value), "null") == 0)
			continue;
		buf_printf(out, "  %-36s %-12s %s\n", name, source_of(c, options, name),
			   is_shown_below(name) ? "(below)" : buf_str(&value));
	}
}

static const char *verdict(const struct check_entry *e, bool online)
{
	if (!online)
		return "-";
	return !e->failed ? "ok" : e->excused ? "absent" : "FAILED";
}

static void write_entry(const struct configuration *c, const struct check_entry *e,
			bool online, struct buf *out)
{
	buf_printf(out, "  %-32s %-34s %04o  %s\n", e->object,
		   e->version ? e->version : "current", (unsigned)e->mode,
		   verdict(e, online));
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

/* Target i of all, the prechecks behind the others; NULL: there are no more. */
static const struct target *target_at(const struct targets *all, size_t i)
{
	if (i < all->count)
		return &all->items[i];
	i -= all->count;
	return i < all->precheck_count ? &all->prechecks[i] : NULL;
}

static const char *when_of(const struct target *t)
{
	if (t->kind->before)
		return "before a set is published";
	return t->on_first ? "after each set, also the first set"
			   : "after a set that replaces another";
}

static void write_targets(const struct targets *all, struct buf *out)
{
	const struct target *t;

	if (target_at(all, 0) != NULL)
		buf_text(out, "\nNotify (nothing is run now)\n");
	for (size_t i = 0; (t = target_at(all, i)) != NULL; i++) {
		buf_printf(out, "  %s\n      ", t->text);
		t->kind->describe(t, out);
		buf_printf(out, "\n      %s", when_of(t));
		for (size_t k = 0; k < t->filters.count; k++)
			buf_printf(out, "%s%s", k ? ", " : ", when it changes ",
				   t->filters.items[k]);
		buf_text(out, "\n");
	}
}

/* What goes into a template, or into the variables of an env file. */
static void write_places(const struct template_file *t, struct buf *out)
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

static void write_templates(const struct configuration *c, bool env_files,
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
		write_places(t, out);
	}
}

static void write_secret(const struct secret_object *s, struct buf *out)
{
	buf_printf(out, "  %s  %s  owner %s\n", s->name, s->type,
		   secret_owner_word(s->owner));
	for (size_t i = 0; i < s->data_count; i++)
		buf_printf(out, "      %s: %s\n", s->data[i].key, s->data[i].path);
	if (s->all)
		buf_text(out, "      each other file under its path\n");
}

static void write_secrets(const struct configuration *c, struct buf *out)
{
	const struct secret_objects *all = &c->secrets;

	if (c->secrets_off)
		buf_text(out, "\nKubernetes Secrets\n  none: they are listed, but "
			      "AKVSYNC_KUBERNETES_SECRETS is not true\n");
	if (all->count == 0)
		return;
	buf_text(out, "\nKubernetes Secrets\n");
	for (size_t i = 0; i < all->count; i++)
		write_secret(&all->items[i], out);
	buf_text(out, "\nThe Role that the pod's service account needs for them\n");
	secret_objects_write_role(all, out);
}

static void check_write_text(const struct configuration *c, const struct options *options,
			     const struct check *check, struct buf *out)
{
	const char *vault = "";
	bool online = options->online;

	write_settings(c, options, out);
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
		write_entry(c, e, online, out);
	}
	write_templates(c, false, out);
	write_templates(c, true, out);
	write_secrets(c, out);
	write_targets(&check->targets, out);
	buf_printf(out, "\n%s\n",
		   check->unmade.kind != ERR_NONE  ? check->unmade.msg
		   : check->worst.kind != ERR_NONE ? "Not all of it can be read."
		   : online ? "All is well: every object can be read."
			    : "The configuration is valid; --online also tries it.");
}

/* ---- for machines ---- */

static void write_json_settings(const struct configuration *c,
				const struct options *options, struct buf *out)
{
	const char *name;
	bool secret;

	for (size_t i = 0; (name = settings_variable(i, &secret)) != NULL; i++) {
		buf_printf(out, "%s\"%s\":{\"value\":", i ? "," : "", name);
		settings_value(&c->settings, i, out);
		buf_text(out, ",");
		json_member(out, "source", source_of(c, options, name));
		buf_text(out, "}");
	}
}

static void write_json_entry(const struct check_entry *e, bool online, struct buf *out)
{
	buf_text(out, "{");
	json_member(out, "object", e->object);
	buf_text(out, ",");
	json_member(out, "vault", e->vault);
	buf_text(out, ",");
	json_member(out, "version", e->version);
	buf_printf(out, ",\"mode\":\"%04o\",\"optional\":%s,\"files\":[",
		   (unsigned)e->mode, e->optional ? "true" : "false");
	for (size_t i = 0; i < e->file_count; i++) {
		buf_text(out, i ? ",{" : "{");
		json_member(out, "path", e->files[i].path);
		if (e->files[i].mode != e->mode)
			buf_printf(out, ",\"mode\":\"%04o\"", (unsigned)e->files[i].mode);
		buf_text(out, "}");
	}
	buf_text(out, "],");
	json_member(out, "read", online ? verdict(e, true) : NULL);
	buf_text(out, ",");
	json_member(out, "error", e->failed ? e->err.msg : NULL);
	buf_text(out, ",");
	json_member(out, "warning", e->warning);
	buf_text(out, "}");
}

static void write_json_target(const struct target *t, struct buf *out)
{
	auto_buf struct buf does = BUF_INIT(REPORT_MAX);

	t->kind->describe(t, &does);
	buf_text(out, "{");
	json_member(out, "target", t->text);
	buf_text(out, ",");
	json_member(out, "kind", t->kind->word);
	buf_text(out, ",");
	json_member(out, "does", buf_str(&does));
	buf_printf(out, ",\"on\":[%s", t->on_first ? "\"first\"" : "");
	for (size_t i = 0; i < t->filters.count; i++) {
		buf_text(out, i || t->on_first ? "," : "");
		json_quote(out, t->filters.items[i]);
	}
	buf_text(out, "]}");
}

static void write_json_targets(const struct targets *all, struct buf *out)
{
	const struct target *t;

	buf_text(out, ",\"notify\":[");
	for (size_t i = 0; (t = target_at(all, i)) != NULL; i++) {
		buf_text(out, i ? ",\n" : "\n");
		write_json_target(t, out);
	}
}

static void write_json_template(const struct template_file *t, struct buf *out)
{
	const char *comma = "";

	buf_text(out, "{");
	json_member(out, "path", t->path);
	buf_printf(out, ",\"mode\":\"%04o\"", (unsigned)t->mode);
	if (templates_is_env(t)) {
		buf_text(out, ",");
		json_member(out, "format", templates_format_word(t->format));
	}
	buf_text(out, ",\"takes\":[");
	for (size_t i = 0; i < t->body.count; i++) {
		const struct template_part *part = &t->body.parts[i];

		if (part->path == NULL)
			continue;
		buf_printf(out, "%s{", comma);
		comma = ",";
		json_member(out, "where", part->where);
		buf_text(out, ",");
		json_member(out, "path", part->path);
		buf_text(out, "}");
	}
	buf_text(out, "]}");
}

static void write_json_templates(const struct configuration *c, bool env_files,
				 struct buf *out)
{
	const struct templates *all = &c->objects.templates;
	const char *comma = "";

	for (size_t i = 0; i < all->count; i++) {
		if (templates_is_env(&all->items[i]) != env_files)
			continue;
		buf_text(out, comma);
		comma = ",";
		write_json_template(&all->items[i], out);
	}
}

static void write_json_secret(const struct secret_object *s, struct buf *out)
{
	buf_text(out, "{");
	json_member(out, "secretName", s->name);
	buf_text(out, ",");
	json_member(out, "type", s->type);
	buf_text(out, ",");
	json_member(out, "owner", secret_owner_word(s->owner));
	buf_printf(out, ",\"all\":%s,\"data\":[", s->all ? "true" : "false");
	for (size_t i = 0; i < s->data_count; i++) {
		buf_text(out, i ? ",{" : "{");
		json_member(out, "key", s->data[i].key);
		buf_text(out, ",");
		json_member(out, "path", s->data[i].path);
		buf_text(out, "}");
	}
	buf_text(out, "]}");
}

static void write_json_secrets(const struct secret_objects *all, struct buf *out)
{
	auto_buf struct buf role = BUF_INIT(REPORT_MAX);

	buf_text(out, "],\"kubernetesSecrets\":[");
	for (size_t i = 0; i < all->count; i++) {
		buf_text(out, i ? ",\n" : "\n");
		write_json_secret(&all->items[i], out);
	}
	buf_text(out, "],");
	if (all->count > 0)
		secret_objects_write_role(all, &role);
	json_member(out, "role", all->count ? buf_str(&role) : NULL);
}

static void check_write_json(const struct configuration *c, const struct options *options,
			     const struct check *check, const struct err *err,
			     struct buf *out)
{
	bool online = options->online;

	buf_printf(out, "{\"valid\":%s,\"online\":%s,", err ? "false" : "true",
		   online ? "true" : "false");
	json_member(out, "error", err ? err->msg : NULL);
	buf_text(out, ",");
	json_member(out, "ignored", c->ignored.len ? buf_str(&c->ignored) : NULL);
	buf_text(out, ",");
	json_member(out, "repeated", c->repeated.len ? buf_str(&c->repeated) : NULL);
	buf_text(out, ",");
	json_member(out, "overridden",
		    c->overridden.len ? buf_str(&c->overridden) : NULL);
	buf_text(out, ",\"settings\":{");
	if (err == NULL)
		write_json_settings(c, options, out);
	buf_text(out, "},\"objects\":[");
	for (size_t i = 0; i < check->count; i++) {
		buf_text(out, i ? ",\n" : "\n");
		write_json_entry(&check->items[i], online, out);
	}
	buf_text(out, "],\"templates\":[");
	write_json_templates(c, false, out);
	buf_text(out, "],\"envFiles\":[");
	write_json_templates(c, true, out);
	buf_text(out, "],");
	json_member(out, "unmade", check->unmade.kind ? check->unmade.msg : NULL);
	write_json_targets(&check->targets, out);
	write_json_secrets(&c->secrets, out);
	buf_text(out, "}\n");
}

/* ---- together ---- */

static int inspect(const struct options *options, struct configuration *c,
		   char *const *env, struct check *check, struct err *err)
{
	if (http_global_init(err) < 0)
		return -1;
	json_global_init();
	if (configuration_load(c, env, options->online, err) < 0)
		return -1;
	log_setup(LOG_ERROR, LOG_TEXT);
	return options->online ? check_online(check, c, err) : check_plan(check, c, err);
}

static int check_report(const struct options *options, const struct configuration *c,
			const struct check *check, const struct err *err)
{
	struct buf out = BUF_INIT(REPORT_MAX);
	int code = command_exit_code(err ? err : &check->worst);

	if (options->json)
		check_write_json(c, options, check, err, &out);
	else if (err == NULL)
		check_write_text(c, options, check, &out);
	else
		fprintf(stderr, "akvsync: %s\n", err->msg);
	fputs(buf_str(&out), stdout);
	buf_done(&out);
	return command_printed(code);
}

int command_check(int argc, char **argv)
{
	struct configuration c = { 0 };
	struct options options = { 0 };
	struct check check = { 0 };
	struct err err = { 0 };
	char **env;
	int code = parse_options(argc, argv, &options);

	if (code != EXIT_DONE)
		return code;
	if (options.file != NULL && setenv("AKVSYNC_CONFIG", options.file, 1) < 0)
		return EXIT_LOCAL;
	env = environment_take(environ);
	if (inspect(&options, &c, env, &check, &err) < 0)
		code = check_report(&options, &c, &check, &err);
	else
		code = check_report(&options, &c, &check, NULL);
	check_done(&check);
	configuration_done(&c);
	environment_untake(env);
	return code;
}
