#include "config/auth.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "base/shape.h"
#include "base/text.h"
#include "config/cloud.h"
#include "config/variable.h"

static const char label[] = "is the label azure.workload.identity/use: \"true\" set on "
			    "the pod, not only on its "
			    "service account or deployment?";

/* Platforms whose managed identity endpoint we cannot ask, by a variable that no other
 * one sets. */
static const struct {
	const char *variable, *name;
} platforms[] = {
	[PLATFORM_AZURE] = { NULL, NULL },
	[PLATFORM_SERVICE_FABRIC] = { "IDENTITY_SERVER_THUMBPRINT", "Service Fabric" },
	[PLATFORM_ARC] = { "IMDS_ENDPOINT", "Azure Arc" },
	[PLATFORM_CLOUD_SHELL] = { "MSI_ENDPOINT",
				   "Cloud Shell, Azure Machine Learning or an App "
				   "Service of before 2019" },
};

enum settings_platform auth_platform(char *const *env)
{
	for (size_t i = PLATFORM_AZURE + 1; i < ARRAY_LEN(platforms); i++)
		if (variable_find(env, platforms[i].variable) != NULL)
			return (enum settings_platform)i;
	return PLATFORM_AZURE;
}

static enum settings_auth find_credential(const struct settings *s, bool in_kubernetes)
{
	if (s->client_secret != NULL || s->client_secret_file != NULL)
		return AUTH_CLIENT_SECRET;
	if (s->certificate_file != NULL)
		return AUTH_CLIENT_CERTIFICATE;
	if (s->assertion_file != NULL)
		return AUTH_WORKLOAD_IDENTITY;
	if (s->identity_endpoint != NULL && s->identity_header != NULL)
		return AUTH_MANAGED_IDENTITY;
	return in_kubernetes ? AUTH_WORKLOAD_IDENTITY : AUTH_MANAGED_IDENTITY;
}

static int check_guid(const char *name, const char *what, const char *value,
		      struct err *err)
{
	if (value == NULL || shape_is_guid(value))
		return 0;
	return err_set(err, ERR_CONFIG,
		       "%s: the value is not %s (GUID), such as "
		       "33333333-3333-3333-3333-333333333333; was it meant for another "
		       "variable?",
		       name, what);
}

static int check_tenant(const struct settings *s, const char *advice, struct err *err)
{
	if (s->tenant_id == NULL)
		return err_set(err, ERR_CONFIG,
			       "no tenant: AZURE_TENANT_ID is not set; %s", advice);
	if (!shape_is_tenant(s->tenant_id))
		return err_set(err, ERR_CONFIG,
			       "AZURE_TENANT_ID: the value is neither a tenant id (GUID) "
			       "nor a domain");
	return 0;
}

static int check_token_proxy(const struct settings *s, struct err *err)
{
	bool more = s->token_proxy_name || s->token_proxy_ca_file || s->token_proxy_ca;
	const char *proxy = s->token_proxy;

	if (proxy == NULL && more)
		return err_set(err, ERR_CONFIG,
			       "AZURE_KUBERNETES_TOKEN_PROXY is not set, but others of "
			       "the identity binding are; set it or unset them");
	if (proxy == NULL)
		return 0;
	if (!text_starts(proxy, "https://") || !shape_is_url(proxy))
		return err_set(err, ERR_CONFIG,
			       "AZURE_KUBERNETES_TOKEN_PROXY: it must be an https URL "
			       "without user, query and fragment");
	if (s->token_proxy_name != NULL && !shape_is_domain(s->token_proxy_name))
		return err_set(err, ERR_CONFIG,
			       "AZURE_KUBERNETES_SNI_NAME: it must be a host's full "
			       "name");
	if (s->token_proxy_ca_file && s->token_proxy_ca)
		return err_set(err, ERR_CONFIG,
			       "AZURE_KUBERNETES_CA_FILE and AZURE_KUBERNETES_CA_DATA "
			       "are both set; unset one");
	return 0;
}

static int check_workload(const struct settings *s, struct err *err)
{
	if (s->assertion_file == NULL)
		return err_set(
			err, ERR_CONFIG,
			"no federated token: AZURE_FEDERATED_TOKEN_FILE is not set; %s",
			label);
	if (s->client_id == NULL)
		return err_set(err, ERR_CONFIG,
			       "no identity: AZURE_CLIENT_ID is not set; annotate the "
			       "service account with azure.workload.identity/client-id");
	if (check_tenant(s, label, err) < 0)
		return -1;
	return check_token_proxy(s, err);
}

static int check_application(const struct settings *s, struct err *err)
{
	if (s->client_id == NULL)
		return err_set(err, ERR_CONFIG,
			       "no identity: AZURE_CLIENT_ID is not set; give the "
			       "application's client id");
	return check_tenant(s, "give the application's tenant", err);
}

static int check_secret(const struct settings *s, struct err *err)
{
	if (s->client_secret == NULL && s->client_secret_file == NULL)
		return err_set(err, ERR_CONFIG,
			       "no client secret: set AKVSYNC_CLIENT_SECRET_FILE or "
			       "AZURE_CLIENT_SECRET");
	if (s->client_secret != NULL && s->client_secret_file != NULL)
		return err_set(err, ERR_CONFIG,
			       "AKVSYNC_CLIENT_SECRET_FILE and AZURE_CLIENT_SECRET are "
			       "both set; unset one");
	return check_application(s, err);
}

static int check_certificate(const struct settings *s, struct err *err)
{
	if (s->certificate_file == NULL)
		return err_set(err, ERR_CONFIG,
			       "no client certificate: AZURE_CLIENT_CERTIFICATE_PATH is "
			       "not set");
	return check_application(s, err);
}

/* Plain HTTP, since the endpoint is on this machine; nothing that could hide another. */
static int check_local_url(const char *name, const char *url, struct err *err)
{
	if (url == NULL || (text_starts(url, "http://") && shape_is_url(url)))
		return 0;
	return err_set(err, ERR_CONFIG,
		       "%s: it must be an http URL without user and query", name);
}

static int check_header(const struct settings *s, struct err *err)
{
	const char *c = s->identity_header ? s->identity_header : "";

	while (*c != '\0' && !iscntrl((unsigned char)*c))
		c++;
	if (*c == '\0')
		return 0;
	return err_set(err, ERR_CONFIG,
		       "IDENTITY_HEADER: it holds a line break or another control "
		       "character; give it as the platform injected it");
}

/* Half of what App Service injects, or what another platform does: IMDS, which would be
 * asked instead, is not there or has another identity.  Who says where IMDS is wants it
 * to be asked. */
static int check_platform(const struct settings *s, struct err *err)
{
	if (s->identity_endpoint != NULL && s->identity_header != NULL &&
	    s->platform != PLATFORM_SERVICE_FABRIC)
		return 0;
	if (s->identity_endpoint == NULL && s->imds_base != NULL)
		return 0;
	if (s->platform != PLATFORM_AZURE)
		return err_set(err, ERR_CONFIG,
			       "%s is set, so this is %s, whose managed identity is not "
			       "supported: use AKVSYNC_AUTH=client-certificate or "
			       "client-secret, or unset it where it is set by mistake",
			       platforms[s->platform].variable,
			       platforms[s->platform].name);
	if (s->identity_endpoint != NULL)
		return err_set(err, ERR_CONFIG,
			       "IDENTITY_ENDPOINT is set, but IDENTITY_HEADER is not, as "
			       "on Azure Arc, whose managed identity is not supported: "
			       "use AKVSYNC_AUTH=client-certificate or client-secret; on "
			       "App Service set both");
	if (s->identity_header != NULL)
		return err_set(
			err, ERR_CONFIG,
			"IDENTITY_HEADER is set, but IDENTITY_ENDPOINT is not; set "
			"both or none");
	return 0;
}

static int check_managed(struct settings *s, struct err *err)
{
	int selectors = (s->client_id != NULL) + (s->object_id != NULL) +
			(s->resource_id != NULL);
	size_t len = s->imds_base ? strlen(s->imds_base) : 0;

	/* Workload identity's webhook injects the client id whichever credential is
	 * chosen. */
	if (selectors > 1 && (s->object_id == NULL || s->resource_id == NULL))
		selectors--;
	if (selectors > 1)
		return err_set(err, ERR_CONFIG,
			       "AKVSYNC_IDENTITY_OBJECT_ID and "
			       "AKVSYNC_IDENTITY_RESOURCE_ID are both set; unset one");
	if (s->resource_id != NULL && !shape_is_resource_id(s->resource_id))
		return err_set(err, ERR_CONFIG,
			       "AKVSYNC_IDENTITY_RESOURCE_ID: the value does not start "
			       "with /subscriptions/, or has characters that no id has");
	while (len > 0 && s->imds_base[len - 1] == '/')
		s->imds_base[--len] = '\0';
	if (check_platform(s, err) < 0 ||
	    check_local_url("IDENTITY_ENDPOINT", s->identity_endpoint, err) < 0 ||
	    check_header(s, err) < 0)
		return -1;
	return check_local_url("AZURE_POD_IDENTITY_AUTHORITY_HOST", s->imds_base, err);
}

static int check_credential(struct settings *s, struct err *err)
{
	switch (s->credential) {
	case AUTH_CLIENT_SECRET:
		return check_secret(s, err);
	case AUTH_CLIENT_CERTIFICATE:
		return check_certificate(s, err);
	case AUTH_MANAGED_IDENTITY:
		return check_managed(s, err);
	case AUTH_AUTO:
	case AUTH_WORKLOAD_IDENTITY:
		break;
	}
	return check_workload(s, err);
}

void auth_choose(struct settings *s, bool in_kubernetes)
{
	s->credential =
		s->auth == AUTH_AUTO ? find_credential(s, in_kubernetes) : s->auth;
}

int auth_check(struct settings *s, struct err *err)
{
	if (check_guid("AZURE_CLIENT_ID", "a client id", s->client_id, err) < 0 ||
	    check_guid("AKVSYNC_IDENTITY_OBJECT_ID", "an object id", s->object_id, err) <
		    0)
		return -1;
	return check_credential(s, err);
}

int auth_authority(struct settings *s, bool cloud_given, struct err *err)
{
	size_t len;
	int cloud;

	if (s->authority == NULL) {
		cloud = cloud_by_vault(s->vault);
		if (!cloud_given && cloud >= 0)
			s->cloud = cloud;
		s->authority = xstrdup(cloud_at(s->cloud)->authority);
		return 0;
	}
	len = strlen(s->authority);
	while (len > 0 && s->authority[len - 1] == '/')
		s->authority[--len] = '\0';
	if (!text_starts(s->authority, "https://") || !shape_is_url(s->authority))
		return err_set(err, ERR_CONFIG,
			       "AZURE_AUTHORITY_HOST: it must be an https URL, such as "
			       "https://login.microsoftonline.com/");
	cloud = cloud_by_authority(s->authority);
	if (!cloud_given && cloud >= 0)
		s->cloud = cloud;
	return 0;
}
