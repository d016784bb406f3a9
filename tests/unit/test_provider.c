/* A SecretProviderClass as our variables: each parameter, what is ignored, what is
 * refused. */
#include "unit.h"

#include "config/provider.h"

#define OBJECTS "objects: \"array: ['objectName: a']\""

/* A manifest with these parameters, in a flow map. */
static int read_manifest(const char *parameters, struct overlay *o, struct err *err)
{
	auto_free char *text =
		xasprintf("kind: SecretProviderClass\nspec: {provider: azure, "
			  "parameters: {%s}}",
			  parameters);
	struct yaml *root = NULL;
	int result;

	*err = (struct err){ 0 };
	*o = (struct overlay){ .ignored = BUF_INIT(1000) };
	check_ok(text, yaml_tree_load(text, strlen(text), &root, err), err);
	check(text, provider_is_manifest(root));
	result = provider_read(o, root, err);
	yaml_tree_free(root);
	return result;
}

static void test_parameters(void **state)
{
	static const struct {
		const char *parameters, *variables, *ignored;
	} rows[] = {
		{ "", "", "" },
		{ "keyvaultName: shop-kv", "AKVSYNC_VAULT=shop-kv", "" },
		{ "keyvaultName: \" \\u00a0shop-kv\\n\"", "AKVSYNC_VAULT=shop-kv", "" },
		{ "keyvaultName: ''", "", "" },
		{ "keyvaultName: ~, clientID: ", "", "" },
		{ OBJECTS, "AKVSYNC_OBJECTS=array: ['objectName: a']", "" },
		{ "objects: \" \\n{\\\"array\\\" : []}\\n\"",
		  "AKVSYNC_OBJECTS={\"array\" : []}", "" },
		{ "tenantID: t", "AZURE_TENANT_ID=t", "" },
		{ "tenantId: t", "AZURE_TENANT_ID=t", "" },
		{ "tenantId: old, tenantID: new", "AZURE_TENANT_ID=new", "" },
		{ "tenantId: old, tenantID: ' '", "AZURE_TENANT_ID=old", "" },
		{ "cloudName: azureusgovernmentcloud", "AKVSYNC_CLOUD=usgov", "" },
		{ "cloudName: AzureChinaCloud", "AKVSYNC_CLOUD=china", "" },
		{ "clientID: c", "AZURE_CLIENT_ID=c", "" },
		{ "userAssignedIdentityID: u", "AZURE_CLIENT_ID=u", "" },
		{ "userAssignedIdentityID: u, clientID: c", "AZURE_CLIENT_ID=c",
		  "userAssignedIdentityID" },
		{ "useVMManagedIdentity: 'true', userAssignedIdentityID: u, clientID: c",
		  "AKVSYNC_AUTH=managed-identity AZURE_CLIENT_ID=u", "clientID" },
		/* The machine's own identity. */
		{ "useVMManagedIdentity: 'true'",
		  "AKVSYNC_AUTH=managed-identity AZURE_CLIENT_ID= with AKVSYNC_AUTH",
		  "" },
		{ "useVMManagedIdentity: ' T ', userAssignedIdentityID: ' '",
		  "AKVSYNC_AUTH=managed-identity AZURE_CLIENT_ID= with AKVSYNC_AUTH",
		  "" },
		{ "clientID: c, useVMManagedIdentity: 1",
		  "AKVSYNC_AUTH=managed-identity AZURE_CLIENT_ID= with AKVSYNC_AUTH",
		  "clientID" },
		{ "useVMManagedIdentity: f, clientID: c", "AZURE_CLIENT_ID=c", "" },
		{ "useVMManagedIdentity: ''", "", "" },
		/* What only the provider knows, unless it is off. */
		{ "usePodIdentity: 'true', resourceGroup: rg", "",
		  "usePodIdentity, resourceGroup" },
		{ "usePodIdentity: F, useAzureTokenProxy: 'False', x: ''", "", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf struct buf drawn = BUF_INIT(1000);
		struct overlay o;
		struct err err;

		check_ok(rows[i].parameters, read_manifest(rows[i].parameters, &o, &err),
			 &err);
		for (size_t v = 0; v < o.count; v++)
			buf_printf(&drawn, "%s%s=%s%s%s", v ? " " : "", o.items[v].name,
				   o.items[v].value, o.items[v].with ? " with " : "",
				   o.items[v].with ? o.items[v].with : "");
		check_text(rows[i].parameters, buf_str(&drawn), rows[i].variables);
		check_text(rows[i].parameters, buf_str(&o.ignored), rows[i].ignored);
		overlay_done(&o);
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *parameters, *cause;
	} rows[] = {
		{ "objects: a", "objects must be the text 'array:' and a list" },
		{ "objects: '- objectName: a'", "objects must be the text 'array:'" },
		{ "objects: 'array: ['", "objects: YAML line" },
		{ "objects: [a]", "parameter objects must be text" },
		{ "keyvaultName: {a: b}", "parameter keyvaultName must be text" },
		{ "cloudName: Mars", "cloudName: the value is not one of" },
		{ "useVMManagedIdentity: maybe",
		  "useVMManagedIdentity: the value is neither true nor false" },
		{ "clientId: c",
		  "unknown parameter 'clientId'; did you mean 'clientID'?" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct overlay o;
		struct err err;

		check_err(rows[i].parameters, read_manifest(rows[i].parameters, &o, &err),
			  &err, ERR_CONFIG, rows[i].cause);
		overlay_done(&o);
	}
}

static void test_manifests(void **state)
{
	static const struct {
		const char *text;
		bool is_manifest;
		const char *cause; /* NULL: it is read */
	} rows[] = {
		{ "{kind: SecretProviderClass, spec: {provider: azure, parameters: {}}}",
		  true, NULL },
		{ "{kind: SecretProviderClass}", true, "for provider '', not for azure" },
		{ "{kind: SecretProviderClass, spec: {provider: aws, parameters: {}}}",
		  true, "for provider 'aws'" },
		{ "{kind: SecretProviderClass, spec: {provider: azure, parameters: ~}}",
		  true, "has no spec.parameters" },
		{ "{kind: SecretProviderClass, spec: {provider: azure, parameters: [a]}}",
		  true, "has no spec.parameters" },
		{ "{kind: secretproviderclass}", false, "" },
		{ "{kind: [SecretProviderClass]}", false, "" },
		{ "[SecretProviderClass]", false, "" },
		{ "SecretProviderClass", false, "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct overlay o = { .ignored = BUF_INIT(1000) };
		struct yaml *root = NULL;
		struct err err = { 0 };

		check_ok(rows[i].text,
			 yaml_tree_load(rows[i].text, strlen(rows[i].text), &root, &err),
			 &err);
		check_int(rows[i].text, provider_is_manifest(root), rows[i].is_manifest);
		if (rows[i].is_manifest && rows[i].cause == NULL)
			check_ok(rows[i].text, provider_read(&o, root, &err), &err);
		else if (rows[i].is_manifest)
			check_err(rows[i].text, provider_read(&o, root, &err), &err,
				  ERR_CONFIG, rows[i].cause);
		overlay_done(&o);
		yaml_tree_free(root);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parameters),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_manifests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
