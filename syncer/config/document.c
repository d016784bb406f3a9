#include "config/document.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "config/provider.h"
#include "config/settings.h"
#include "config/variable.h"
#include "config/yaml.h"

#define PREFIX "AKVSYNC_"
#define TEXT_MAX (1024 * 1024)
#define KEYS_MAX 128

/* AKVSYNC_POLL_INTERVAL gives pollInterval; the caller frees. */
static char *key_of(const char *variable)
{
	char *key = xstrdup(variable), *out = key;
	const char *in = variable;

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

/* JSON is YAML, so a list goes on to its parser as JSON. */
static void document_write_json(const struct yaml *node, struct buf *out)
{
	const char *comma = "";

	if (node->type == YAML_SCALAR) {
		yaml_write_text(out, node->text);
		return;
	}
	buf_text(out, node->type == YAML_MAP ? "{" : "[");
	for (const struct yaml *n = node->first; n; n = n->next, comma = ",") {
		buf_text(out, comma);
		if (node->type == YAML_MAP)
			yaml_write_key(out, n->key);
		document_write_json(n, out);
	}
	buf_text(out, node->type == YAML_MAP ? "}" : "]");
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

static int read_value(const char *variable, const struct yaml *node, struct buf *out,
		      struct err *err)
{
	if (node->type == YAML_SCALAR)
		buf_text(out, node->text);
	else if (strcmp(variable, "AKVSYNC_OBJECTS") == 0)
		document_write_json(node, out);
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
	bool secret;

	for (size_t i = 0; count < KEYS_MAX && settings_variable(i, &secret); i++)
		if (!secret)
			names[count++] = key_of(settings_variable(i, &secret));
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

static const char *find_variable(const char *key, bool *secret)
{
	const char *variable;

	for (size_t i = 0; (variable = settings_variable(i, secret)) != NULL; i++) {
		auto_free char *own = key_of(variable);

		if (strcmp(own, key) == 0 && strcmp(variable, "AKVSYNC_CONFIG") != 0)
			return variable;
	}
	return NULL;
}

static int document_read_key(struct overlay *o, const struct yaml *node, struct err *err)
{
	auto_buf struct buf value = BUF_INIT(TEXT_MAX);
	bool secret;
	const char *variable = find_variable(node->key, &secret);

	if (variable == NULL)
		return refuse_key(node, err);
	if (secret)
		return err_set(err, ERR_CONFIG,
			       "line %zu: %s may hold a secret, which does not belong "
			       "into this file; set the variable %s from a Secret",
			       node->line, node->key, variable);
	if (read_value(variable, node, &value, err) < 0)
		return -1;
	if (value.len > 0)
		overlay_set(o, variable, buf_str(&value));
	return 0;
}

static int document_read_file(struct overlay *o, const struct yaml *root, struct err *err)
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
	if (provider_is_manifest(root))
		return provider_read(o, root, err);
	for (const struct yaml *node = root->first; node; node = node->next)
		if (document_read_key(o, node, err) < 0)
			return -1;
	return 0;
}

int document_read(struct overlay *out, const char *text, size_t len, struct err *err)
{
	struct overlay o = { .ignored = BUF_INIT(4096) };
	struct yaml *root = NULL;
	int result;

	if (yaml_tree_load(text, len, &root, err) < 0)
		return -1;
	result = document_read_file(&o, root, err);
	yaml_tree_free(root);
	if (result < 0)
		overlay_done(&o);
	else
		*out = o;
	return result;
}
