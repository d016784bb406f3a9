#include "config/provider.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "config/yaml_write.h"

bool provider_is_manifest(const struct yaml *document)
{
	return strcmp(yaml_member_text(document, "kind"), "SecretProviderClass") == 0;
}

/* ---- values that are not taken as they are ---- */

static int check_objects(const char **value, struct err *err)
{
	struct yaml *root = NULL;
	bool is_array;

	if (yaml_tree_load(*value, strlen(*value), &root, err) < 0)
		return err_wrap(err, "objects");
	is_array = yaml_member(root, "array") != NULL;
	yaml_tree_free(root);
	if (is_array)
		return 0;
	return err_set(
		err, ERR_CONFIG,
		"objects must be the text 'array:' and a list, as the CSI provider "
		"takes it");
}

static int to_cloud(const char **value, struct err *err)
{
	static const struct {
		const char *theirs, *ours;
	} clouds[] = {
		{ "AzurePublicCloud", "public" },
		{ "AzureUSGovernmentCloud", "usgov" },
		{ "AzureUSGovernment", "usgov" },
		{ "AzureChinaCloud", "china" },
	};

	for (size_t i = 0; i < ARRAY_LEN(clouds); i++) {
		if (!text_same(clouds[i].theirs, *value))
			continue;
		*value = clouds[i].ours;
		return 0;
	}
	return err_set(err, ERR_CONFIG,
		       "cloudName: the value is not one of AzurePublicCloud, "
		       "AzureUSGovernmentCloud, AzureChinaCloud; for another cloud set "
		       "AKVSYNC_VAULT to the vault's URL and AZURE_AUTHORITY_HOST");
}

/* The provider takes "t" and "f" as well. */
static int read_flag(const char *value, bool *on)
{
	*on = text_same(value, "t");
	return *on || text_same(value, "f") ? 0 : text_bool(value, on);
}

static int to_auth(const char **value, struct err *err)
{
	bool on;

	if (read_flag(*value, &on) < 0)
		return err_set(err, ERR_CONFIG,
			       "useVMManagedIdentity: the value is neither true nor "
			       "false");
	*value = on ? "managed-identity" : NULL;
	return 0;
}

static const struct parameter {
	const char *name, *variable;
	/* Checks the value, and may put another one in its place; NULL then: it sets
	 * nothing. */
	int (*convert)(const char **value, struct err *err);
} parameters[] = {
	{ "keyvaultName", "AKVSYNC_VAULT", NULL },
	{ "objects", "AKVSYNC_OBJECTS", check_objects },
	{ "tenantID", "AZURE_TENANT_ID", NULL },
	{ "tenantId", "AZURE_TENANT_ID", NULL },
	{ "clientID", "AZURE_CLIENT_ID", NULL },
	{ "userAssignedIdentityID", "AZURE_CLIENT_ID", NULL },
	{ "cloudName", "AKVSYNC_CLOUD", to_cloud },
	{ "useVMManagedIdentity", "AKVSYNC_AUTH", to_auth },
};

static bool is_managed(const struct yaml *all)
{
	bool on;

	return read_flag(yaml_member_text(all, "useVMManagedIdentity"), &on) == 0 && on;
}

/* Of two client ids, the one that the provider does not use. */
static bool is_other_identity(const char *name, const struct yaml *all)
{
	if (is_managed(all))
		return strcmp(name, "clientID") == 0;
	return strcmp(name, "userAssignedIdentityID") == 0 &&
	       *yaml_member_text(all, "clientID") != '\0';
}

/* A parameter that only the provider knows is ignored; one that looks like a typo is not.
 */
static int check_slip(const struct yaml *node, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(parameters); i++) {
		if (text_distance(node->key, parameters[i].name) > 1)
			continue;
		err_set(err, ERR_CONFIG, "line %zu: unknown parameter '%.80s'",
			node->line, node->key);
		return err_hint(err, "did you mean '%s'?", parameters[i].name);
	}
	return 0;
}

static int read_parameter(struct overlay *o, const struct yaml *node,
			  const struct yaml *all, struct err *err)
{
	const char *value = node->text;
	bool on;

	/* The provider prefers the new spelling. */
	if (strcmp(node->key, "tenantId") == 0 && *yaml_member_text(all, "tenantID"))
		return 0;
	if (value == NULL)
		return err_set(err, ERR_CONFIG,
			       "line %zu: parameter %s must be text (objects too: '|' "
			       "after it)",
			       node->line, node->key);
	if (*value == '\0')
		return 0;
	if (is_other_identity(node->key, all)) {
		overlay_ignore(o, node->key);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(parameters); i++) {
		if (strcmp(parameters[i].name, node->key) != 0)
			continue;
		if (parameters[i].convert && parameters[i].convert(&value, err) < 0)
			return -1;
		if (value != NULL)
			overlay_set(o, parameters[i].variable, value);
		return 0;
	}
	if (check_slip(node, err) < 0)
		return -1;
	/* A feature that is switched off need not be named as ignored. */
	if (read_flag(value, &on) < 0 || on)
		overlay_ignore(o, node->key);
	return 0;
}

static void trim_parameters(const struct yaml *all)
{
	for (const struct yaml *node = all->first; node; node = node->next) {
		const char *start = node->text ? text_trim(node->text) : NULL;

		if (start != NULL)
			memmove(node->text, start, strlen(start) + 1);
	}
}

int provider_read(struct overlay *o, const struct yaml *document, struct err *err)
{
	const struct yaml *spec = yaml_member(document, "spec");
	const struct yaml *all = yaml_member(spec, "parameters"), *secrets;

	if (strcmp(yaml_member_text(spec, "provider"), "azure") != 0)
		return err_set(err, ERR_CONFIG,
			       "the SecretProviderClass is for provider '%.40s', not for "
			       "azure",
			       yaml_member_text(spec, "provider"));
	if (all == NULL || all->type != YAML_MAP)
		return err_set(err, ERR_CONFIG,
			       "the SecretProviderClass has no spec.parameters");
	trim_parameters(all);
	for (const struct yaml *node = all->first; node; node = node->next)
		if (read_parameter(o, node, all, err) < 0)
			return err_wrap(err, "SecretProviderClass");
	/* The identity that the machine itself has, whichever one the pod was given. */
	if (is_managed(all) && *yaml_member_text(all, "userAssignedIdentityID") == '\0')
		overlay_unset(o, "AZURE_CLIENT_ID", "AKVSYNC_AUTH");
	secrets = yaml_member(spec, "secretObjects");
	if (secrets != NULL && secrets->first != NULL) {
		auto_buf struct buf list = BUF_INIT(YAML_TEXT_MAX);

		yaml_write_node(&list, secrets);
		overlay_set(o, "AKVSYNC_SECRET_OBJECTS", buf_str(&list));
	}
	return 0;
}
