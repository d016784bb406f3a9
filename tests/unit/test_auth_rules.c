// LDFLAGS: -Wl,--wrap=free
/* What a credential must not be, which cloud wins, what a running process takes over, and
 * that values of credentials do not stay in memory. */
#include "unit.h"

#include <malloc.h>

#include "config/auth.h"

#define GUID "33333333-3333-3333-3333-333333333333"
#define MARKER "planted-marker"

static volatile int freed_with; /* the marker in it */

void __real_free(void *p);
void __wrap_free(void *p);
void __wrap_free(void *p)
{
	if (p != NULL && memmem(p, malloc_usable_size(p), MARKER, strlen(MARKER)) != NULL)
		freed_with++;
	__real_free(p);
}

#define T(text) ((char *)(uintptr_t)(text))
#define POD .client_id = T(GUID), .tenant_id = T(GUID), .assertion_file = T("/token")

static void test_refused(void **state)
{
	static const struct {
		struct settings s;
		const char *cause; /* NULL: none */
	} rows[] = {
		{ { .credential = AUTH_WORKLOAD_IDENTITY, POD }, NULL },
		{ { .credential = AUTH_WORKLOAD_IDENTITY,
		    .client_id = T(GUID "3"),
		    .tenant_id = T(GUID),
		    .assertion_file = T("/token") },
		  "AZURE_CLIENT_ID" },
		{ { .credential = AUTH_WORKLOAD_IDENTITY,
		    POD,
		    .token_proxy = T("https://proxy") },
		  NULL },
		{ { .credential = AUTH_WORKLOAD_IDENTITY,
		    POD,
		    .token_proxy = T("http://proxy") },
		  "it must be an https URL" },
		{ { .credential = AUTH_WORKLOAD_IDENTITY,
		    POD,
		    .token_proxy = T("https://") },
		  "it must be an https URL" },
		{ { .credential = AUTH_WORKLOAD_IDENTITY,
		    POD,
		    .token_proxy = T("https://user@proxy") },
		  "it must be an https URL" },
		{ { .credential = AUTH_WORKLOAD_IDENTITY,
		    POD,
		    .token_proxy = T("https://proxy"),
		    .token_proxy_ca_file = T("/ca"),
		    .token_proxy_ca = T("x") },
		  "both set" },
		{ { .credential = AUTH_MANAGED_IDENTITY,
		    .object_id = T(GUID),
		    .client_id = T(GUID) },
		  NULL },
		{ { .credential = AUTH_MANAGED_IDENTITY,
		    .resource_id = T("/subscriptions/x"),
		    .client_id = T(GUID) },
		  NULL },
		{ { .credential = AUTH_MANAGED_IDENTITY,
		    .object_id = T(GUID),
		    .resource_id = T("/subscriptions/x") },
		  "both set" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *row = xasprintf("row %zu", i);
		struct settings s = rows[i].s;
		struct err err = { 0 };
		int result = auth_check(&s, &err);

		if (rows[i].cause == NULL)
			check_ok(row, result, &err);
		else
			check_err(row, result, &err, ERR_CONFIG, rows[i].cause);
	}
}

/* The cloud follows the authority, unless it was given. */
static void test_cloud_that_was_given(void **state)
{
	(void)state;
	for (int given = 0; given < 2; given++) {
		struct settings s = { .vault = T("shop-kv"), .cloud = 2 };
		struct err err = { 0 };

		s.authority = xstrdup("https://login.microsoftonline.us");
		check_ok("cloud", auth_authority(&s, given != 0, &err), &err);
		check_int("cloud", s.cloud, given ? 2 : 1);
		free(s.authority);
	}
}

static void test_what_needs_a_restart(void **state)
{
	static const struct {
		const char *row;
		struct settings wanted;
		const char *name;
	} rows[] = {
		{ "nothing", { .dir = T("/a"), .poll_interval_ms = 1 }, NULL },
		{ "interval", { .dir = T("/a"), .poll_interval_ms = 2 }, NULL },
		{ "objects",
		  { .dir = T("/a"), .poll_interval_ms = 1, .objects = T("x") },
		  NULL },
		{ "directory", { .dir = T("/b"), .poll_interval_ms = 1 }, "AKVSYNC_DIR" },
		{ "identity",
		  { .dir = T("/a"), .poll_interval_ms = 1, .client_id = T(GUID) },
		  "AZURE_CLIENT_ID" },
	};
	const struct settings running = { .dir = T("/a"), .poll_interval_ms = 1 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_text(rows[i].row, settings_needs_restart(&running, &rows[i].wanted),
			   rows[i].name);
}

static void test_credentials_are_wiped(void **state)
{
	struct settings s = { .client_secret = xstrdup(MARKER),
			      .certificate_password = xstrdup(MARKER),
			      .identity_header = xstrdup(MARKER),
			      .https_proxy = xstrdup("http://u:" MARKER "@proxy"),
			      .dir = xstrdup("/secrets") };

	(void)state;
	freed_with = 0;
	settings_done(&s);
	assert_int_equal(freed_with, 0);
	assert_null(s.client_secret);
	free(xstrdup(MARKER));
	assert_int_equal(freed_with, 1); /* the check does see bytes */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_cloud_that_was_given),
		cmocka_unit_test(test_what_needs_a_restart),
		cmocka_unit_test(test_credentials_are_wiped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
