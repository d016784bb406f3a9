/* Who the settings say we are: which of their variables reach the identity. */
#include "unit.h"

#include "sync/session.h"

#define T(text) ((char *)(uintptr_t)(text))

static struct sources sources;
static struct jitter jitter = { 1 };

static const struct identity *identity_of(const char *row, const struct settings *s)
{
	struct objects objects = { 0 };
	struct err err = { 0 };

	check_ok(row, session_open(&sources, s, &objects, &jitter, &err), &err);
	return &sources.identity;
}

/* A managed identity is named by at most one id; the webhook of workload identity injects
 * a client id whatever is chosen.  Its tenant is not the one of the variable. */
static void test_managed_identity(void **state)
{
	static const struct {
		const char *row;
		struct settings s;
		enum identity_kind kind;
		const char *client, *object, *resource, *endpoint;
	} rows[] = {
		{ "system-assigned",
		  { .dir = NULL },
		  IDENTITY_IMDS,
		  NULL,
		  NULL,
		  NULL,
		  NULL },
		{ "by its client id",
		  { .client_id = T("c") },
		  IDENTITY_IMDS,
		  "c",
		  NULL,
		  NULL,
		  NULL },
		{ "by its object id",
		  { .client_id = T("c"), .object_id = T("o") },
		  IDENTITY_IMDS,
		  NULL,
		  "o",
		  NULL,
		  NULL },
		{ "by its resource id",
		  { .client_id = T("c"), .resource_id = T("r") },
		  IDENTITY_IMDS,
		  NULL,
		  NULL,
		  "r",
		  NULL },
		{ "of App Service",
		  { .identity_endpoint = T("http://e"), .identity_header = T("h") },
		  IDENTITY_APP_SERVICE,
		  NULL,
		  NULL,
		  NULL,
		  "http://e" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct settings s = rows[i].s;
		const struct identity *identity;

		s.vault = T("shop-kv");
		s.credential = AUTH_MANAGED_IDENTITY;
		s.tenant_id = T("t");
		s.ca_file = T("/etc/ssl/certs/ca-certificates.crt");
		s.request_timeout_ms = 1000;
		identity = identity_of(rows[i].row, &s);
		check_int(rows[i].row, identity->kind, rows[i].kind);
		check_text(rows[i].row, identity->client, rows[i].client);
		check_text(rows[i].row, identity->object, rows[i].object);
		check_text(rows[i].row, identity->resource, rows[i].resource);
		check_text(rows[i].row, identity->endpoint, rows[i].endpoint);
		check_text(rows[i].row, identity->tenant, NULL);
		session_close(&sources);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_managed_identity),
	};
	struct err err = { 0 };

	if (http_global_init(&err) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
