#include "config/document.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "config/provider.h"
#include "config/variable.h"
#include "config/yaml.h"
#include "config/yaml_write.h"

#define PREFIX "AKVSYNC_"
#define TEXT_MAX (1024 * 1024)
#define KEYS_MAX 128

/* AKVSYNC_POLL_INTERVAL gives pollInterval; the caller frees. */
static char *key_of(const struct variable *v)
{
	char *key = xstrdup(v->key ? v->key : v->name), *out = key;
	const char *in = key;

	if (v->key != NULL)
		return key;

	if (text_starts(in, PREFIX))
		in += strlen(PREFIX);
	else if (text_starts(in, "AZURE_"))
		in += strlen("AZURE_");
	for (; *in; in++) {
		if (*in == '_' && in[1] != '\0')
			*out++ = *++in;
		else
			*out++ = (char)tolower((unsigned char)*in);
	}
	*out = '\0';
	return key;
}

/* Entries may hold the characters that separate entries elsewhere. */
static int write_entries(const struct yaml *list, struct buf *out, struct err *err)
{
	for (const struct yaml *n = list->first; n; n = n->next) {
		if (n->type != YAML_SCALAR ||
		    strpbrk(n->text, "\n" VARIABLE_ENTRY) != NULL)
			return err_set(err, ERR_CONFIG,
				       "line %zu: an entry of %s must be a line of text",
				       n->line, list->key);
		buf_printf(out, VARIABLE_ENTRY "%s", n->text);
	}
	return 0;
}

/* JSON is YAML, so a list goes on to its parser as JSON. */
static bool document_is_list(const char *variable)
{
	static const char *const lists[] = { "AKVSYNC_OBJECTS", "AKVSYNC_TEMPLATES",
					     "AKVSYNC_ENV_FILES",
					     "AKVSYNC_SECRET_OBJECTS" };

	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		if (strcmp(variable, lists[i]) == 0)
			return true;
	return false;
}

static int read_value(const char *variable, const struct yaml *node, struct buf *out,
		      struct err *err)
{
	if (node->type == YAML_SCALAR)
		buf_text(out, node->text);
	else if (document_is_list(variable))
		yaml_write_node(out, node);
	else if (strcmp(variable, "AKVSYNC_NOTIFY") == 0 && node->type == YAML_LIST)
		return write_entries(node, out, err);
	else
		return err_set(err, ERR_CONFIG, "line %zu: %s must be plain text",
			       node->line, node->key);
	return 0;
}

static int refuse_key(const struct yaml *node, struct err *err)
{
	const char *names[KEYS_MAX], *nearest;
	size_t count = 0;

	for (size_t i = 0; count < KEYS_MAX && i < variable_count; i++)
		if (!variables[i].in_environment && !variable_is_secret(&variables[i]))
			names[count++] = key_of(&variables[i]);
	nearest = text_nearest(node->key, names, count);
	err_set(err, ERR_CONFIG, "line %zu: unknown key '%.80s'", node->line, node->key);
	if (nearest != NULL)
		err_hint(err, "did you mean '%s'?", nearest);
	else
		err_hint(err, "keys are the names of the variables in camelCase, such as "
			      "pollInterval for AKVSYNC_POLL_INTERVAL");
	for (size_t i = 0; i < count; i++)
		free((char *)names[i]);
	return -1;
}

static const struct variable *find_variable(const char *key)
{
	for (size_t i = 0; i < variable_count; i++) {
		auto_free char *own = key_of(&variables[i]);

		if (strcmp(own, key) == 0 && !variables[i].in_environment)
			return &variables[i];
	}
	return NULL;
}

static int document_read_key(struct overlay *o, const struct yaml *node, struct err *err)
{
	auto_buf struct buf value = BUF_INIT(TEXT_MAX);
	const struct variable *v = find_variable(node->key);

	if (v == NULL)
		return refuse_key(node, err);
	if (variable_is_secret(v))
		return err_set(err, ERR_CONFIG,
			       "line %zu: %s may hold a secret, which does not belong "
			       "into this file; set the variable %s from a Secret",
			       node->line, node->key, v->name);
	if (read_value(v->name, node, &value, err) < 0)
		return -1;
	if (value.len > 0)
		overlay_set(o, v->name, buf_str(&value));
	return 0;
}

static int document_read_settings(struct overlay *o, const struct yaml *root,
				  struct err *err)
{
	if (root->type != YAML_MAP) {
		err_set(err, ERR_CONFIG,
			"it is neither a map of settings, such as pollInterval: 5m, nor "
			"a SecretProviderClass");
		if (root->type == YAML_LIST)
			err_hint(err, "a list of objects goes under 'objects:', with "
				      "'vault:' beside it");
		return -1;
	}
	for (const struct yaml *node = root->first; node; node = node->next)
		if (document_read_key(o, node, err) < 0)
			return -1;
	return 0;
}

/* ---- which of several documents ---- */

/* "name" or "namespace/name"; the caller frees. */
static char *name_of(const struct yaml *document)
{
	const struct yaml *metadata = yaml_member(document, "metadata");
	const char *space = yaml_member_text(metadata, "namespace");

	return xasprintf("%s%s%s", space, *space ? "/" : "",
			 yaml_member_text(metadata, "name"));
}

static bool is_chosen(const struct yaml *document, const char *choice)
{
	const struct yaml *metadata = yaml_member(document, "metadata");
	auto_free char *full = name_of(document);

	return provider_is_manifest(document) &&
	       (choice == NULL || strcmp(full, choice) == 0 ||
		strcmp(yaml_member_text(metadata, "name"), choice) == 0);
}

static int refuse_choice(const struct yaml *documents, const char *choice,
			 struct err *err)
{
	auto_buf struct buf names = BUF_INIT(300);
	auto_free char *last = NULL;
	size_t count = 0;

	for (const struct yaml *d = documents; d; d = d->next) {
		if (!provider_is_manifest(d))
			continue;
		free(last);
		last = name_of(d);
		buf_printf(&names, "%s'%.80s'", count++ ? ", " : "", last);
	}
	if (choice == NULL)
		return err_set(
			err, ERR_CONFIG,
			"it has %zu documents of kind SecretProviderClass, %s; "
			"choose one by its name, such as AKVSYNC_CONFIG=FILE#%.80s",
			count, buf_str(&names), last);
	if (count == 0)
		return err_set(err, ERR_CONFIG,
			       "it has no SecretProviderClass '%.80s', and no other one",
			       choice);
	return err_set(
		err, ERR_CONFIG,
		"there must be one SecretProviderClass '%.80s' (or NAMESPACE/NAME); "
		"there are %s",
		choice, buf_str(&names));
}

/* Of Kubernetes, and none of them a SecretProviderClass. */
static int refuse_kinds(const struct yaml *documents, struct err *err)
{
	static const struct {
		const char *kind, *advice; /* SecretProviderClassList is a List, too */
	} kinds[] = {
		{ "List", "give its items as documents of their own" },
		{ "ConfigMap", "give the text under one of its keys as the file" },
		{ "Kustomization", "give what 'kubectl kustomize' prints" },
	};
	auto_buf struct buf names = BUF_INIT(300);
	const char *advice = NULL;

	for (const struct yaml *d = documents; d; d = d->next) {
		const char *kind = yaml_member_text(d, "kind");

		if (*kind == '\0')
			continue;
		buf_printf(&names, "%s'%.60s'", names.len ? ", " : "", kind);
		for (size_t i = 0; i < ARRAY_LEN(kinds) && advice == NULL; i++)
			if (text_ends_same(kind, kinds[i].kind))
				advice = kinds[i].advice;
	}
	err_set(err, ERR_CONFIG,
		"it has no SecretProviderClass; what it has is of kind %s",
		buf_str(&names));
	return advice ? err_hint(err, "%s", advice) : -1;
}

/* A document that is none of Kubernetes may be settings that somebody counts on. */
static void ignore_strangers(struct overlay *o, const struct yaml *documents)
{
	for (const struct yaml *d = documents; d; d = d->next) {
		auto_free char *place = xasprintf("the document at line %zu", d->line);

		if (*yaml_member_text(d, "kind") == '\0')
			overlay_ignore(o, place);
	}
}

static int document_read_file(struct overlay *o, const struct yaml *documents,
			      const char *choice, struct err *err)
{
	const struct yaml *found = NULL, *d = documents;
	bool has_kind = false, has_manifest = false;
	size_t count = 0;

	do {
		has_kind |= *yaml_member_text(d, "kind") != '\0';
		has_manifest |= provider_is_manifest(d);
		if (is_chosen(d, choice)) {
			found = d;
			count++;
		}
		d = d->next;
	} while (d != NULL);
	if (count == 1) {
		ignore_strangers(o, documents);
		return provider_read(o, found, err);
	}
	if (has_manifest || choice != NULL)
		return refuse_choice(documents, choice, err);
	if (has_kind)
		return refuse_kinds(documents, err);
	if (documents->next != NULL)
		return err_set(err, ERR_CONFIG,
			       "line %zu: settings stand in one document, and this is "
			       "the second",
			       documents->next->line);
	return document_read_settings(o, documents, err);
}

int document_read(struct overlay *out, const char *text, size_t len, const char *choice,
		  struct err *err)
{
	struct overlay o = { .ignored = BUF_INIT(4096) };
	struct yaml *documents = NULL;
	int result;

	if (yaml_tree_load(text, len, &documents, err) < 0)
		return memmem(text, len, "{{", 2) == NULL
			       ? -1
			       : err_hint(err,
					  "if it is a template of a chart, give what "
					  "'helm template' prints");
	result = document_read_file(&o, documents, choice, err);
	yaml_tree_free(documents);
	if (result < 0)
		overlay_done(&o);
	else
		*out = o;
	return result;
}
