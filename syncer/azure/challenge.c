#include "azure/challenge.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"

struct pair {
	const char *key, *value;
	size_t key_len, value_len;
};

/* The next key=value or key="value" at *s; false at the end. */
static bool next_pair(const char **s, struct pair *p)
{
	const char *c = *s + strspn(*s, ", \t");

	p->key = c;
	p->key_len = strcspn(c, "= ,\t");
	c += p->key_len;
	if (p->key_len == 0 || *c != '=')
		return false;
	c++;
	if (*c == '"') {
		p->value = ++c;
		p->value_len = strcspn(c, "\"");
		c += p->value_len;
		if (*c == '"')
			c++;
	} else {
		p->value = c;
		p->value_len = strcspn(c, ", \t");
		c += p->value_len;
	}
	*s = c;
	return true;
}

static bool is_key(const struct pair *p, const char *name)
{
	return p->key_len == strlen(name) && strncasecmp(p->key, name, p->key_len) == 0;
}

/* The first path segment of the authority; the second behind "dstsv2". */
static void copy_tenant(char *out, size_t size, const struct pair *p)
{
	auto_free char *url = xstrndup(p->value, p->value_len);
	const char *path = strstr(url, "://");

	path = path ? strchr(path + 3, '/') : NULL;
	if (path != NULL && text_starts(path, "/dstsv2/"))
		path += strlen("/dstsv2");
	if (path != NULL)
		snprintf(out, size, "%.*s", (int)strcspn(path + 1, "/?"), path + 1);
}

static void copy_resource(char *out, size_t size, const struct pair *p)
{
	size_t len = p->value_len;

	if (len > 9 && strncasecmp(p->value + len - 9, "/.default", 9) == 0)
		len -= 9;
	while (len > 0 && p->value[len - 1] == '/')
		len--;
	snprintf(out, size, "%.*s", (int)len, p->value);
}

int challenge_parse(const char *header, struct challenge *out, struct err *err)
{
	struct challenge c = { 0 };
	struct pair p;

	if (strncasecmp(header, "Bearer", 6) != 0)
		return err_set(err, ERR_UNAVAILABLE,
			       "no Bearer challenge in its 401 reply");
	header += 6;
	while (next_pair(&header, &p)) {
		if (is_key(&p, "authorization") || is_key(&p, "authorization_uri"))
			copy_tenant(c.tenant, sizeof(c.tenant), &p);
		else if (is_key(&p, "resource") || is_key(&p, "scope"))
			copy_resource(c.resource, sizeof(c.resource), &p);
	}
	if (c.resource[0] == '\0')
		return err_set(err, ERR_UNAVAILABLE, "its challenge names no resource");
	*out = c;
	return 0;
}

/* Text of a server for a message: printable, or nothing. */
static const char *shown(const char *s)
{
	for (const char *c = s; *c; c++)
		if (!isgraph((unsigned char)*c))
			return "(unprintable)";
	return s;
}

int challenge_check(const struct challenge *c, const char *host, const char *tenant,
		    struct err *err)
{
	const char *domain = c->resource + strlen("https://");
	size_t host_len = strlen(host), domain_len;

	if (strncasecmp(c->resource, "https://", strlen("https://")) != 0)
		return err_set(
			err, ERR_CONFIG,
			"vault '%s' asks for a token for '%s', not an https resource",
			host, shown(c->resource));
	domain_len = strlen(domain);
	if (domain_len == 0 || host_len <= domain_len + 1 ||
	    host[host_len - domain_len - 1] != '.' || !text_ends_same(host, domain))
		return err_set(
			err, ERR_CONFIG,
			"vault '%s' asks for a token for '%s', which is not its own "
			"domain; no token is sent there. Is AKVSYNC_VAULT right?",
			host, shown(c->resource));
	/* A tenant's domain cannot be compared with the GUID that vaults name. */
	if (c->tenant[0] != '\0' && tenant && strchr(tenant, '.') == NULL &&
	    !text_same(c->tenant, tenant))
		return err_set(err, ERR_CONFIG,
			       "vault '%s' is in tenant '%s' but AZURE_TENANT_ID is "
			       "'%s'; use an identity of the vault's tenant",
			       host, shown(c->tenant), tenant);
	return 0;
}
