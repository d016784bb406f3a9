#include "azure/challenge.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/shape.h"
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

/* Text of a server for a message: printable and without tokens, or nothing.  The caller
 * frees. */
static char *shown(const char *s)
{
	for (const char *c = s; *c; c++)
		if (!isgraph((unsigned char)*c))
			return xstrdup("(unprintable)");
	return shape_without_tokens(s);
}

/* Whether host, perhaps with ":port", is in the domain.  The domain may have the host's
 * port, as some test vaults name it. */
static bool is_in_domain(const char *host, const char *domain)
{
	size_t host_len = strcspn(host, ":"), domain_len = strcspn(domain, ":");
	const char *begin;

	if (domain_len == 0 || host_len <= domain_len + 1)
		return false;
	begin = host + host_len - domain_len;
	return begin[-1] == '.' && strncasecmp(begin, domain, domain_len) == 0 &&
	       (domain[domain_len] == '\0' ||
		strcmp(domain + domain_len, host + host_len) == 0);
}

int challenge_check(const struct challenge *c, const char *host, const char *tenant,
		    struct err *err)
{
	static const char switch_off[] =
		"is AKVSYNC_VAULT right? A test vault needs AKVSYNC_VERIFY_CHALLENGE="
		"false";
	static const char scheme[] = "https://";
	auto_free char *named = shown(c->resource);

	if (strncasecmp(c->resource, scheme, strlen(scheme)) != 0) {
		err_set(err, ERR_CONFIG,
			"vault '%s' asks for a token for '%s', not an https resource",
			host, named);
		return err_hint(err, "%s", switch_off);
	}
	if (!is_in_domain(host, c->resource + strlen(scheme))) {
		err_set(err, ERR_CONFIG,
			"vault '%s' asks for a token for '%s', which is not its own "
			"domain; no token is sent there",
			host, named);
		return err_hint(err, "%s", switch_off);
	}
	/* Only ids can be compared: vaults name the id, an identity may have a domain of
	 * the tenant, and "common" or "organizations" stand for any. */
	if (shape_is_guid(c->tenant) && tenant && shape_is_guid(tenant) &&
	    !text_same(c->tenant, tenant))
		return err_set(err, ERR_CONFIG,
			       "vault '%s' is in tenant '%s' but AZURE_TENANT_ID is "
			       "'%s'; correct AZURE_TENANT_ID, or use an identity of the "
			       "vault's tenant",
			       host, c->tenant, tenant);
	return 0;
}
