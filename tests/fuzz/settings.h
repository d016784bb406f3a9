/* settings.h: reads all that settings hold, as a start does, but no file. */
#ifndef TESTS_FUZZ_SETTINGS_H
#define TESTS_FUZZ_SETTINGS_H

#include "config/auth.h"
#include "config/cloud.h"
#include "config/environment.h"
#include "config/listen.h"
#include "config/objects.h"
#include "config/references.h"
#include "config/secret_objects.h"
#include "deliver/targets.h"
#include "fuzz.h"
#include "net/noproxy.h"
#include "net/proxy.h"

#define SHOWN_MAX ((size_t)16 * 1024 * 1024)

/* What is in a file is here always the same. */
static inline int fuzz_templates(struct objects *all, const struct settings *s,
				 struct err *err)
{
	struct templates *t = &all->templates;

	if (templates_read(t, s->templates, s->file_mode, err) < 0)
		return -1;
	for (size_t i = 0; i < t->count; i++)
		if (t->items[i].file != NULL &&
		    templates_take_text(&t->items[i], "{{a|url}}", err) < 0)
			return -1;
	if (templates_read_env_files(t, s->env_files, s->file_mode, err) < 0)
		return -1;
	return references_check(all, err);
}

/* The list that is remembered stands for the same. */
static inline void fuzz_read_back(const struct objects *all)
{
	auto_buf struct buf text = BUF_INIT(OBJECTS_TEXT_MAX);
	struct objects back = { 0 };
	struct err err = { 0 };

	objects_write(all, &text);
	if (objects_read_back(&back, buf_str(&text), 0400, &err) == 0)
		must(objects_number(&back) == objects_number(all));
	else
		must(text.len + 1 >= OBJECTS_TEXT_MAX || all->templates.count > 0);
	objects_done(&back);
}

static inline void fuzz_lists(const struct settings *s)
{
	struct objects all = { 0 };
	struct secret_objects secrets = { 0 };
	struct err err = { 0 };
	int result = objects_parse(&all, s->objects, s->file_mode, &err);

	if (result == 0)
		result = fuzz_templates(&all, s, &err);
	must_explain(result, &err);
	if (result == 0) {
		fuzz_read_back(&all);
		must_explain(secret_objects_read(&secrets, s->secret_objects, &all, &err),
			     &err);
	}
	secret_objects_done(&secrets);
	objects_done(&all);
}

static inline void fuzz_network(const struct settings *s)
{
	char entry[NOPROXY_ENTRY_LEN];
	struct proxy proxy = { 0 };
	struct cloud_vault vault = { 0 };
	struct listen listen;
	struct err err = { 0 };

	if (s->listen != NULL)
		must_explain(listen_parse(&listen, s->listen, &err), &err);
	must_explain(proxy_parse(&proxy, s->https_proxy, &err), &err);
	proxy_done(&proxy);
	(void)noproxy_names(s->no_proxy, "kv.vault.azure.net");
	(void)noproxy_names(s->no_proxy, "10.1.2.3:443");
	(void)noproxy_names(s->no_proxy, "[fd00::1]:8443");
	(void)noproxy_has_networks(s->no_proxy);
	for (size_t i = 0; noproxy_mistake(s->no_proxy, i, entry) != NULL; i++)
		must(memchr(entry, '\0', sizeof(entry)) != NULL);
	must_explain(s->vault == NULL
			     ? 0
			     : cloud_vault_resolve(&vault, s->vault, cloud_at(s->cloud),
						   s->verify_challenge, &err),
		     &err);
	cloud_vault_done(&vault);
}

static inline void fuzz_settings(char *const *env)
{
	struct settings s;
	struct targets targets = { 0 };
	struct buf shown = BUF_INIT(SHOWN_MAX);
	struct err err = { 0 };
	int result = environment_load(&s, env, &err);

	must_explain(result, &err);
	settings_describe(&s, &shown);
	if (result == 0) {
		must_explain(auth_check(&s, &err), &err);
		must_explain(targets_parse(&targets, s.notify, &err), &err);
		fuzz_network(&s);
		fuzz_lists(&s);
	}
	targets_done(&targets);
	buf_done(&shown);
	settings_done(&s);
	must_explain(environment_load_reader(&s, env, &err), &err);
	settings_done(&s);
}

#endif
