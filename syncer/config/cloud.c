#include "config/cloud.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/shape.h"
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

/* Where the port begins, with its colon, or the end. */
static const char *port_of(const char *host)
{
	return host + (host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":"));
}

/* The domain in a vault's name: what stands behind its first label.  NULL: an address, or
 * a name of one label. */
static const char *domain_of(const char *name)
{
	const char *dot = strchr(name, '.');
	size_t len = strlen(name);

	/* The last label of an address is a number. */
	if (name[0] == '[' || dot == NULL || isdigit((unsigned char)name[len - 1]))
		return NULL;
	return dot + 1;
}

/* A host with a port if any; only test hosts need no domain. */
static bool is_host(const char *host, bool test_hosts)
{
	const char *port = port_of(host);
	auto_free char *name = NULL;
	int64_t number;

	if (host[0] == '[' && strchr(host, ']') == NULL)
		return false;
	name = xstrndup(host, (size_t)(port - host));
	if (*port != '\0' &&
	    (*port != ':' || text_number(port + 1, 65535, &number) < 0 || number == 0))
		return false;
	return shape_is_host(name) && (test_hosts || domain_of(name) != NULL);
}

/* Vaults of a cloud share an audience, which has no port, whatever way they are reached
 * by. */
static void fill(struct cloud_vault *out, const char *host, const struct cloud *cloud)
{
	auto_free char *name = xstrndup(host, (size_t)(port_of(host) - host));
	const char *domain = domain_of(name);

	out->host = xstrdup(host);
	out->url = xasprintf("https://%s", host);
	out->resource = xasprintf("https://%s", domain ? domain : cloud->vault_suffix);
	out->name = domain ? xstrndup(name, (size_t)(domain - name) - 1) : xstrdup(name);
	/* The same label in every cloud. */
	out->hsm = domain != NULL && text_starts(domain, "managedhsm.");
}

static int resolve_url(struct cloud_vault *out, const char *url,
		       const struct cloud *cloud, bool test_hosts, struct err *err)
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
	if (!is_host(host, test_hosts))
		return err_set(err, ERR_CONFIG,
			       "vault '%.200s' is not a vault URL: it has the form "
			       "https://NAME.vault.azure.net%s",
			       url,
			       is_host(host, true)
				       ? "; a test vault on another host needs "
					 "AKVSYNC_VERIFY_CHALLENGE=false"
				       : "");
	/* https means this port anyway. */
	if (text_ends_same(host, ":443"))
		host[len - strlen(":443")] = '\0';
	fill(out, host, cloud);
	return 0;
}

int cloud_vault_resolve(struct cloud_vault *out, const char *vault,
			const struct cloud *cloud, bool test_hosts, struct err *err)
{
	auto_free char *host = NULL;

	if (text_starts(vault, "https://"))
		return resolve_url(out, vault, cloud, test_hosts, err);
	if (!is_vault_name(vault))
		return err_set(err, ERR_CONFIG,
			       "vault '%.200s' is neither a vault name (3 to 24 letters, "
			       "digits and hyphens, such as shop-kv) nor an https URL",
			       vault);
	host = xasprintf("%s.%s", vault, cloud->vault_suffix);
	for (char *c = host; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	fill(out, host, cloud);
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
