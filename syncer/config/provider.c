#include "config/provider.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

static const struct yaml *member(const struct yaml *map, const char *key)
{
	const struct yaml *n = map != NULL && map->type == YAML_MAP ? map->first : NULL;

	while (n != NULL && strcmp(n->key, key) != 0)
		n = n->next;
	return n;
}

static const char *text_of(const struct yaml *map, const char *key)
{
	const struct yaml *n = member(map, key);

	return n != NULL && n->type == YAML_SCALAR ? n->text : "";
}

bool provider_is_manifest(const struct yaml *root)
{
	return strcmp(text_of(root, "kind"), "SecretProviderClass") == 0;
}

static void ignore(struct overlay *o, const char *name)
{
	buf_printf(&o->ignored, "%s%s", o->ignored.len ? ", " : "", name);
}

/* ---- one reader per parameter ---- */

static int provider_set_vault(struct overlay *o, const char *value, struct err *err)
{
	(void)err;
	overlay_set(o, "AKVSYNC_VAULT", value);
	return 0;
}

static int set_objects(struct overlay *o, const char *value, struct err *err)
{
	if (!text_starts(yaml_start(value), "array:"))
		return err_set(err, ERR_CONFIG,
			       "objects must be the text 'array:' and a list, as the CSI "
			       "provider takes it");
	overlay_set(o, "AKVSYNC_OBJECTS", value);
	return 0;
}

static int set_tenant(struct overlay *o, const char *value, struct err *err)
{
	(void)err;
	overlay_set(o, "AZURE_TENANT_ID", value);
	return 0;
}

static int set_client(struct overlay *o, const char *value, struct err *err)
{
	(void)err;
	overlay_set(o, "AZURE_CLIENT_ID", value);
	return 0;
}

static int set_cloud(struct overlay *o, const char *value, struct err *err)
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
		if (!text_same(clouds[i].theirs, value))
			continue;
		overlay_set(o, "AKVSYNC_CLOUD", clouds[i].ours);
		return 0;
	}
	return err_set(err, ERR_CONFIG,
		       "cloudName: the value is not one of AzurePublicCloud, "
		       "AzureUSGovernmentCloud, AzureChinaCloud; for another cloud set "
		       "AKVSYNC_VAULT to the vault's URL and AZURE_AUTHORITY_HOST");
}

static int set_managed(struct overlay *o, const char *value, struct err *err)
{
	bool on;

	if (text_bool(value, &on) < 0 && !text_same(value, "t") && !text_same(value, "f"))
		return err_set(err, ERR_CONFIG,
			       "useVMManagedIdentity: the value is neither true nor "
			       "false");
	if (text_same(value, "t") || (!text_same(value, "f") && on))
		overlay_set(o, "AKVSYNC_AUTH", "managed-identity");
	return 0;
}

static const struct parameter {
	const char *name;
	int (*set)(struct overlay *o, const char *value, struct err *err);
} parameters[] = {
	{ "keyvaultName", provider_set_vault },
	{ "objects", set_objects },
	{ "tenantID", set_tenant },
	{ "tenantId", set_tenant },
	{ "clientID", set_client },
	{ "userAssignedIdentityID", set_client },
	{ "cloudName", set_cloud },
	{ "useVMManagedIdentity", set_managed },
};

static bool is_false(const char *value)
{
	bool on = true;

	return text_same(value, "f") || (text_bool(value, &on) == 0 && !on);
}

/* Of two client ids, the one that the provider does not use. */
static bool is_other_identity(const char *name, const struct yaml *all)
{
	const char *managed = text_of(all, "useVMManagedIdentity");

	if (*managed != '\0' && !is_false(managed))
		return strcmp(name, "clientID") == 0;
	return strcmp(name, "userAssignedIdentityID") == 0 &&
	       *text_of(all, "clientID") != '\0';
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
	auto_free char *copy = node->text ? xstrdup(node->text) : NULL;
	char *value = copy ? text_trim(copy) : NULL;

	/* The provider prefers the new spelling. */
	if (strcmp(node->key, "tenantId") == 0 && *text_of(all, "tenantID") != '\0')
		return 0;
	if (value == NULL)
		return err_set(err, ERR_CONFIG,
			       "line %zu: parameter %s must be text (objects too: '|' "
			       "after it)",
			       node->line, node->key);
	if (*value == '\0')
		return 0;
	if (is_other_identity(node->key, all)) {
		ignore(o, node->key);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(parameters); i++)
		if (strcmp(parameters[i].name, node->key) == 0)
			return parameters[i].set(o, value, err);
	if (check_slip(node, err) < 0)
		return -1;
	/* A feature that is switched off need not be named as ignored. */
	if (!is_false(value))
		ignore(o, node->key);
	return 0;
}

int provider_read(struct overlay *o, const struct yaml *root, struct err *err)
{
	const struct yaml *spec = member(root, "spec");
	const struct yaml *all = member(spec, "parameters");

	if (strcmp(text_of(spec, "provider"), "azure") != 0)
		return err_set(err, ERR_CONFIG,
			       "the SecretProviderClass is for provider '%.40s', not for "
			       "azure",
			       text_of(spec, "provider"));
	if (all == NULL || all->type != YAML_MAP)
		return err_set(err, ERR_CONFIG,
			       "the SecretProviderClass has no spec.parameters");
	for (const struct yaml *node = all->first; node; node = node->next)
		if (read_parameter(o, node, all, err) < 0)
			return err_wrap(err, "SecretProviderClass");
	if (member(spec, "secretObjects") != NULL)
		ignore(o, "secretObjects");
	return 0;
}
