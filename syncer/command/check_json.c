#include "command/check_json.h"

#include "base/json.h"
#include "command/check_cost.h"
#include "command/check_memory.h"

static void check_json_settings(const struct check_view *view, struct buf *out)
{
	const char *name;
	bool secret;

	for (size_t i = 0; (name = settings_variable(i, &secret)) != NULL; i++) {
		buf_printf(out, "%s\"%s\":{\"value\":", i ? "," : "", name);
		settings_value(&view->configuration->settings, i, out);
		buf_text(out, ",");
		json_member(out, "source", check_source(view, name));
		buf_text(out, "}");
	}
}

static void check_json_entry(const struct check_entry *e, bool online, struct buf *out)
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
	json_member(out, "read", online ? check_verdict(e, true) : NULL);
	buf_text(out, ",");
	json_member(out, "error", e->failed ? e->err.msg : NULL);
	buf_text(out, ",");
	json_member(out, "warning", e->warning);
	buf_text(out, "}");
}

static void check_json_target(const struct target *t, struct buf *out)
{
	auto_buf struct buf does = BUF_INIT(CHECK_TEXT_MAX);

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

static void check_json_targets(const struct targets *all, struct buf *out)
{
	const struct target *t;

	buf_text(out, ",\"notify\":[");
	for (size_t i = 0; (t = check_target(all, i)) != NULL; i++) {
		buf_text(out, i ? ",\n" : "\n");
		check_json_target(t, out);
	}
}

static void check_json_template(const struct template_file *t, struct buf *out)
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

static void check_json_templates(const struct configuration *c, bool env_files,
				 struct buf *out)
{
	const struct templates *all = &c->objects.templates;
	const char *comma = "";

	for (size_t i = 0; i < all->count; i++) {
		if (templates_is_env(&all->items[i]) != env_files)
			continue;
		buf_text(out, comma);
		comma = ",";
		check_json_template(&all->items[i], out);
	}
}

static void check_json_secret(const struct secret_object *s, struct buf *out)
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

static void check_json_secrets(const struct secret_objects *all, struct buf *out)
{
	auto_buf struct buf role = BUF_INIT(CHECK_TEXT_MAX);

	buf_text(out, "],\"kubernetesSecrets\":[");
	for (size_t i = 0; i < all->count; i++) {
		buf_text(out, i ? ",\n" : "\n");
		check_json_secret(&all->items[i], out);
	}
	buf_text(out, "],");
	if (all->count > 0)
		secret_objects_write_role(all, &role);
	json_member(out, "role", all->count ? buf_str(&role) : NULL);
}

void check_write_json(const struct check_view *view, const struct err *err,
		      struct buf *out)
{
	const struct configuration *c = view->configuration;
	const struct check *check = view->check;
	bool online = view->online;

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
		check_json_settings(view, out);
	buf_text(out, "},\"objects\":[");
	for (size_t i = 0; i < check->count; i++) {
		buf_text(out, i ? ",\n" : "\n");
		check_json_entry(&check->items[i], online, out);
	}
	buf_text(out, "],\"templates\":[");
	check_json_templates(c, false, out);
	buf_text(out, "],\"envFiles\":[");
	check_json_templates(c, true, out);
	buf_text(out, "],");
	json_member(out, "unmade", check->unmade.kind ? check->unmade.msg : NULL);
	check_json_targets(&check->targets, out);
	check_json_secrets(&c->secrets, out);
	buf_text(out, ",\"memory\":");
	if (err == NULL)
		check_memory_write_json(view, out);
	else
		buf_text(out, "null");
	buf_text(out, ",\"cost\":");
	check_cost_write_json(view, out);
	buf_text(out, "}\n");
}
