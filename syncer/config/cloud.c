#include "config/cloud.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

static const struct cloud clouds[] = {
	{ "public", "https://login.microsoftonline.com", "vault.azure.net",
	  "managedhsm.azure.net" },
	{ "usgov", "https://login.microsoftonline.us", "vault.usgovcloudapi.net",
	  "managedhsm.usgovcloudapi.net" },
	{ "china", "https://login.partner.microsoftonline.cn", "vault.azure.cn",
	  "managedhsm.azure.cn" },
};

const struct cloud *cloud_at(int index)
{
	return index >= 0 && index < (int)ARRAY_LEN(clouds) ? &clouds[index] : NULL;
}

int cloud_by_name(const char *name)
{
	for (int i = 0; i < (int)ARRAY_LEN(clouds); i++)
		if (text_same(name, clouds[i].name))
			return i;
	return -1;
}

int cloud_by_authority(const char *authority)
{
	if (text_same(authority, "https://login.chinacloudapi.cn"))
		return cloud_by_name("china");
	for (int i = 0; i < (int)ARRAY_LEN(clouds); i++)
		if (text_same(authority, clouds[i].authority))
			return i;
	return -1;
}

int cloud_by_vault(const char *vault)
{
	const char *dot = text_starts(vault, "https://") ? strchr(vault, '.') : NULL;
	auto_free char *suffix = dot ? xstrndup(dot + 1, strcspn(dot + 1, "/:")) : NULL;

	for (int i = 0; suffix && i < (int)ARRAY_LEN(clouds); i++)
		if (text_same(suffix, clouds[i].vault_suffix) ||
		    text_same(suffix, clouds[i].hsm_suffix))
			return i;
	return -1;
}

/* Letters, digits and single hyphens, 3 to 24, a letter first, no hyphen last. */
static bool is_vault_name(const char *name)
{
	size_t len = strlen(name);

	if (len < 3 || len > 24 || !isalpha((unsigned char)name[0]) ||
	    name[len - 1] == '-')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)name[i]) &&
		    (name[i] != '-' || name[i + 1] == '-'))
			return false;
	return true;
}

/* A host name of at least two labels, with a port if any. */
static bool is_host(const char *host)
{
	size_t name = strcspn(host, ":");
	const char *port = host + name;
	int64_t number;

	if (*port != '\0' && (text_number(port + 1, 65535, &number) < 0 || number == 0))
		return false;
	if (name > 253 || strspn(host, "0123456789abcdefghijklmnopqrstuvwxyz.-") < name ||
	    host[0] == '.' || host[0] == '-' || name == 0 || host[name - 1] == '.')
		return false;
	for (size_t i = 0; i < name; i++)
		if (host[i] == '.' && (host[i + 1] == '.' || host[i + 1] == '-'))
			return false;
	/* The last label of an address is a number. */
	return memchr(host, '.', name) != NULL && !isdigit((unsigned char)host[name - 1]);
}

static void fill(struct cloud_vault *out, const char *host)
{
	const char *dot = strchr(host, '.');

	out->host = xstrdup(host);
	out->url = xasprintf("https://%s", host);
	out->resource = xasprintf("https://%s", dot + 1);
	out->name = xstrndup(host, (size_t)(dot - host));
	/* The same label in every cloud. */
	out->hsm = text_starts(dot, ".managedhsm.");
}

static int resolve_url(struct cloud_vault *out, const char *url, struct err *err)
{
	auto_free char *host = xstrdup(url + strlen("https://"));
	size_t len = strlen(host);

	if (len > 0 && host[len - 1] == '/')
		host[--len] = '\0';
	for (char *c = host; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	if (strstr(host, ".privatelink."))
		return err_set(err, ERR_CONFIG,
			       "vault '%.200s': use the vault's public name; a private "
			       "endpoint is found through DNS",
			       url);
	if (!is_host(host))
		return err_set(err, ERR_CONFIG,
			       "vault '%.200s' is not a vault URL: it has the form "
			       "https://NAME.vault.azure.net",
			       url);
	/* https means this port anyway; a token's audience must not have it. */
	if (text_ends_same(host, ":443"))
		host[len - strlen(":443")] = '\0';
	fill(out, host);
	return 0;
}

int cloud_vault_resolve(struct cloud_vault *out, const char *vault,
			const struct cloud *cloud, struct err *err)
{
	auto_free char *host = NULL;

	if (text_starts(vault, "https://"))
		return resolve_url(out, vault, err);
	if (!is_vault_name(vault))
		return err_set(err, ERR_CONFIG,
			       "vault '%.200s' is neither a vault name (3 to 24 letters, "
			       "digits and hyphens, such as shop-kv) nor an https URL",
			       vault);
	host = xasprintf("%s.%s", vault, cloud->vault_suffix);
	for (char *c = host; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	fill(out, host);
	return 0;
}

void cloud_vault_done(struct cloud_vault *v)
{
	free(v->url);
	free(v->host);
	free(v->resource);
	free(v->name);
	*v = (struct cloud_vault){ 0 };
}
