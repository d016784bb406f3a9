/* The environment: defaults, every kind of value, unknown names, rules over several. */
#include "unit.h"

#include "base/json.h"
#include "config/auth.h"
#include "config/environment.h"

#define GUID "33333333-3333-3333-3333-333333333333"

/* What a pod with workload identity has. */
static const char *const pod[] = {
	"PATH=/bin",
	"AKVSYNC_VAULT=shop-kv",
	"AKVSYNC_OBJECTS=db-pass",
	"AZURE_CLIENT_ID=" GUID,
	"AZURE_TENANT_ID=" GUID,
	"AZURE_FEDERATED_TOKEN_FILE=/var/run/token",
	"HOSTNAME=shop-1",
};

/* The pod's environment; entries of extra ("A=1|B=2") stand before its own and so replace
 * them; "A=" is as good as unset. */
static int load(const char *extra, struct settings *s, struct err *err)
{
	auto_free char *copy = xstrdup(extra);
	char *env[32], *rest = copy, *entry, **taken;
	size_t n = 0;
	int result;

	while ((entry = strsep(&rest, "|")) != NULL)
		if (*entry)
			env[n++] = entry;
	for (size_t i = 0; i < ARRAY_LEN(pod); i++)
		env[n++] = xstrdup(pod[i]);
	env[n] = NULL;
	*err = (struct err){ 0 };
	taken = environment_take(env);
	result = environment_load(s, taken, err);
	if (result == 0)
		result = auth_check(s, err);
	environment_untake(taken);
	for (size_t i = 0; i < ARRAY_LEN(pod); i++)
		free(env[n - 1 - i]);
	return result;
}

static void test_defaults(void **state)
{
	struct settings s;
	struct err err;

	(void)state;
	check_ok("pod", load("", &s, &err), &err);
	assert_string_equal(s.vault, "shop-kv");
	assert_string_equal(s.objects, "db-pass");
	assert_string_equal(s.dir, "/secrets");
	assert_int_equal(s.file_mode, 0440);
	assert_int_equal(s.poll_interval_ms, 300000);
	assert_int_equal(s.init_timeout_ms, 120000);
	assert_int_equal(s.request_timeout_ms, 10000);
	assert_int_equal(s.notify_splay_ms, 0);
	assert_int_equal(s.retain_ms, 10000);
	assert_int_equal(s.stale, STALE_ACCEPT);
	assert_int_equal(s.auth, AUTH_AUTO);
	assert_int_equal(s.cloud, 0);
	assert_int_equal(s.log_level, LEVEL_INFO);
	assert_int_equal(s.log_format, FORMAT_JSON);
	assert_null(s.notify);
	assert_null(s.ca_file);
	assert_string_equal(s.authority, "https://login.microsoftonline.com");
	assert_string_equal(s.termination_log, "/dev/termination-log");
	assert_string_equal(s.pod_uid, "shop-1");
	settings_done(&s);
	settings_done(&s);
}

/* A value and how it shows in the description. */
static void test_accepted(void **state)
{
	static const struct {
		const char *env, *name, *shown;
	} rows[] = {
		{ "AKVSYNC_DIR=/x", "AKVSYNC_DIR", "/x" },
		{ "AKVSYNC_FILE_MODE=400", "AKVSYNC_FILE_MODE", "0400" },
		{ "AKVSYNC_POLL_INTERVAL=1s", "AKVSYNC_POLL_INTERVAL", "1s" },
		{ "AKVSYNC_POLL_INTERVAL=168h", "AKVSYNC_POLL_INTERVAL", "168h" },
		{ "AKVSYNC_POLL_INTERVAL=", "AKVSYNC_POLL_INTERVAL", "5m" },
		{ "AKVSYNC_INIT_TIMEOUT=90s", "AKVSYNC_INIT_TIMEOUT", "1m30s" },
		{ "AKVSYNC_INIT_STALE=Refuse", "AKVSYNC_INIT_STALE", "refuse" },
		{ "AKVSYNC_REQUEST_TIMEOUT=100ms", "AKVSYNC_REQUEST_TIMEOUT", "100ms" },
		{ "AKVSYNC_NOTIFY_SPLAY=24h", "AKVSYNC_NOTIFY_SPLAY", "24h" },
		{ "AKVSYNC_RETAIN=0", "AKVSYNC_RETAIN", "0s" },
		{ "AKVSYNC_AUTH=workload-identity", "AKVSYNC_AUTH", "workload-identity" },
		{ "AKVSYNC_CLOUD=china", "AKVSYNC_CLOUD", "china" },
		{ "AKVSYNC_CLOUD=usgov", "AZURE_AUTHORITY_HOST",
		  "https://login.microsoftonline.us" },
		{ "AKVSYNC_LOG_LEVEL=DEBUG", "AKVSYNC_LOG_LEVEL", "debug" },
		{ "AKVSYNC_LOG_FORMAT=text", "AKVSYNC_LOG_FORMAT", "text" },
		/* The cloud follows the authority, unless it is given. */
		{ "AZURE_AUTHORITY_HOST=https://login.microsoftonline.us/",
		  "AKVSYNC_CLOUD", "usgov" },
		{ "AZURE_AUTHORITY_HOST=https://login.chinacloudapi.cn", "AKVSYNC_CLOUD",
		  "china" },
		{ "AZURE_AUTHORITY_HOST=https://login.example", "AKVSYNC_CLOUD",
		  "public" },
		{ "AZURE_AUTHORITY_HOST=https://login.microsoftonline.us|AKVSYNC_CLOUD="
		  "china",
		  "AKVSYNC_CLOUD", "china" },
		{ "AZURE_AUTHORITY_HOST=https://login.example:8443///",
		  "AZURE_AUTHORITY_HOST", "https://login.example:8443" },
		{ "AZURE_TENANT_ID=contoso-prod.onmicrosoft.com", "AZURE_TENANT_ID",
		  "contoso-prod.onmicrosoft.com" },
		{ "POD_UID=u1", "POD_UID", "u1" },
		/* As a Secret that was made from a file has it. */
		{ "AZURE_CLIENT_ID=" GUID "\n", "AZURE_CLIENT_ID", GUID },
		{ "AZURE_TENANT_ID=\t contoso.onmicrosoft.com\r\n", "AZURE_TENANT_ID",
		  "contoso.onmicrosoft.com" },
		{ "AZURE_AUTHORITY_HOST=https://login.example/\r\n",
		  "AZURE_AUTHORITY_HOST", "https://login.example" },
		{ "HTTPS_PROXY=http://u:p@proxy:3128\n", "HTTPS_PROXY",
		  "http://(user)@proxy:3128" },
		{ "https_proxy=\n", "HTTPS_PROXY", NULL },
		{ "no_proxy= .svc,10.0.0.0/8\n", "NO_PROXY", ".svc,10.0.0.0/8" },
		{ "AKVSYNC_POLL_INTERVAL=1m\n", "AKVSYNC_POLL_INTERVAL", "1m" },
		{ "AKVSYNC_RETAIN= \r\n", "AKVSYNC_RETAIN", "10s" },
		{ "AKVSYNC_OBJECTS=  - objectName: a\n  - objectName: b\n",
		  "AKVSYNC_OBJECTS", "  - objectName: a\n  - objectName: b" },
		/* What belongs there is shown. */
		{ "AKVSYNC_CLIENT_SECRET_FILE=/run/..data/s-1",
		  "AKVSYNC_CLIENT_SECRET_FILE", "/run/..data/s-1" },
		{ "IDENTITY_ENDPOINT=http://[fe80::1]:40342/msi/token",
		  "IDENTITY_ENDPOINT", "http://[fe80::1]:40342/msi/token" },
		{ "AKVSYNC_IDENTITY_RESOURCE_ID=/subscriptions/1/x-y/z_(a)",
		  "AKVSYNC_IDENTITY_RESOURCE_ID", "/subscriptions/1/x-y/z_(a)" },
		/* What does not is not. */
		{ "AKVSYNC_CLIENT_SECRET_FILE=MARKER", "AKVSYNC_CLIENT_SECRET_FILE",
		  "(set, but not an absolute path)" },
		{ "AZURE_CLIENT_SECRET=MARKER", "AZURE_CLIENT_SECRET", "(set)" },
		{ "IDENTITY_ENDPOINT=MARKER", "IDENTITY_ENDPOINT",
		  "(set, but not a plain URL)" },
		{ "SSL_CERT_FILE=/ca \"x\"", "SSL_CERT_FILE", "/ca \"x\"" },
		/* As long as an unset request timeout is, init may be shorter. */
		{ "AKVSYNC_INIT_TIMEOUT=1s", "AKVSYNC_REQUEST_TIMEOUT", "10s" },
		{ "AKVSYNC_VAULT=first|AKVSYNC_VAULT=second", "AKVSYNC_VAULT", "first" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf struct buf text = BUF_INIT(8192);
		auto_json struct json *shown = NULL;
		struct settings s;
		struct err err;

		check_ok(rows[i].env, load(rows[i].env, &s, &err), &err);
		buf_text(&text, "{");
		settings_describe(&s, &text);
		buf_text(&text, "}");
		settings_done(&s);
		check_ok(rows[i].env, json_parse(buf_str(&text), text.len, &shown, &err),
			 &err);
		check_text(rows[i].env, json_string(shown, rows[i].name), rows[i].shown);
	}
}

#define MANAGED "AKVSYNC_AUTH=managed-identity|"

static void test_refused(void **state)
{
	static const struct {
		const char *env, *cause;
	} rows[] = {
		/* Required. */
		{ "AKVSYNC_VAULT=", "AKVSYNC_VAULT is not set" },
		{ "AKVSYNC_VAULT=shop_kv",
		  "AKVSYNC_VAULT: vault 'shop_kv' is neither a vault name" },
		{ "AKVSYNC_OBJECTS=", "AKVSYNC_OBJECTS is not set" },
		{ "AZURE_FEDERATED_TOKEN_FILE=|KUBERNETES_SERVICE_HOST=10.0.0.1",
		  "azure.workload.identity/use" },
		{ "AZURE_CLIENT_ID=", "AZURE_CLIENT_ID is not set" },
		{ "AZURE_TENANT_ID=", "AZURE_TENANT_ID is not set" },
		/* Values. */
		{ "AKVSYNC_DIR=secrets", "AKVSYNC_DIR: 'secrets' is not an absolute" },
		{ "AKVSYNC_FILE_MODE=0888",
		  "AKVSYNC_FILE_MODE: '0888' is not a file mode" },
		{ "AKVSYNC_FILE_MODE=4755", "is not a file mode" },
		{ "AKVSYNC_POLL_INTERVAL=30",
		  "AKVSYNC_POLL_INTERVAL: '30' is not a duration" },
		{ "AKVSYNC_POLL_INTERVAL=999ms", "'999ms' is outside 1s to 168h" },
		{ "AKVSYNC_POLL_INTERVAL=0", "is outside 1s to 168h" },
		{ "AKVSYNC_POLL_INTERVAL=169h", "is outside 1s to 168h" },
		{ "AKVSYNC_POLL_INTERVAL=9223372036854775807h", "is not a duration" },
		{ "AKVSYNC_INIT_TIMEOUT=25h", "is outside 1s to 24h" },
		{ "AKVSYNC_REQUEST_TIMEOUT=99ms", "is outside 100ms to 10m" },
		{ "AKVSYNC_RETAIN=-1s", "is not a duration" },
		{ "AKVSYNC_AUTH=MARKER",
		  "AKVSYNC_AUTH: the value is not one of auto, workload-identity" },
		{ "AKVSYNC_AUTH=client-secret", "no client secret: set" },
		{ "AKVSYNC_AUTH=client-certificate", "AZURE_CLIENT_CERTIFICATE_PATH" },
		{ "AKVSYNC_CLOUD=germany", "not one of public, usgov, china" },
		{ "AKVSYNC_LOG_LEVEL=loud", "AKVSYNC_LOG_LEVEL: 'loud'" },
		{ "AKVSYNC_LOG_FORMAT=xml", "AKVSYNC_LOG_FORMAT: 'xml'" },
		{ "AKVSYNC_INIT_STALE=yes", "not one of accept, refuse" },
		{ "AZURE_CLIENT_ID=MARKER",
		  "AZURE_CLIENT_ID: the value is not a client id (GUID)" },
		{ "AZURE_CLIENT_ID=3333333333333-3333-3333-3333-33333333333", "GUID" },
		{ "AZURE_CLIENT_ID=" GUID " x", "GUID" },
		{ "AZURE_TENANT_ID=MARKER~8Q.x",
		  "AZURE_TENANT_ID: the value is neither" },
		{ "AZURE_TENANT_ID=common", "neither a tenant id (GUID) nor a domain" },
		{ "AZURE_TENANT_ID=../" GUID, "neither a tenant id" },
		{ "AZURE_TENANT_ID=a.b/c", "neither a tenant id" },
		{ "AZURE_AUTHORITY_HOST=http://login.microsoftonline.com", "https URL" },
		{ "AZURE_AUTHORITY_HOST=login.microsoftonline.com", "https URL" },
		{ "AZURE_AUTHORITY_HOST=https://", "https URL" },
		{ "AZURE_AUTHORITY_HOST=/", "https URL" },
		{ "AZURE_AUTHORITY_HOST=https://user@evil.example", "https URL" },
		{ "AZURE_AUTHORITY_HOST=https://login.example?x", "https URL" },
		{ "AKVSYNC_AUTH=managed-identity|IDENTITY_ENDPOINT=http://"
		  "x|IDENTITY_HEADER=MARKER\r\nX: y",
		  "IDENTITY_HEADER: it holds a line break" },
		{ "AKVSYNC_AUTH=managed-identity|IDENTITY_ENDPOINT=https://"
		  "MARKER@x|IDENTITY_HEADER=x",
		  "IDENTITY_ENDPOINT: it must be an http URL" },
		{ "AKVSYNC_AUTH=managed-identity|AKVSYNC_IDENTITY_RESOURCE_ID=MARKER",
		  "does not start with /subscriptions/" },
		{ "AKVSYNC_AUTH=managed-identity|AKVSYNC_IDENTITY_OBJECT_ID=MARKER",
		  "is not an object id (GUID)" },
		{ "AZURE_KUBERNETES_TOKEN_PROXY=https://x|AZURE_KUBERNETES_SNI_NAME=MA/"
		  "RKER",
		  "AZURE_KUBERNETES_SNI_NAME: it must be a host's full name" },
		{ "HTTPS_PROXY=MARKER://user@x", "HTTPS_PROXY: its scheme" },
		{ "HTTPS_PROXY=user:MARK ER",
		  "HTTPS_PROXY: what stands behind its host" },
		{ "HTTPS_PROXY=http://user:MARKER@", "HTTPS_PROXY: it names no host" },
		/* Platforms whose endpoint cannot be asked, and half of App Service's. */
		{ MANAGED "IDENTITY_ENDPOINT=http://localhost:40342/metadata",
		  "IDENTITY_ENDPOINT is set, but IDENTITY_HEADER is not, as on Azure "
		  "Arc" },
		{ MANAGED "IDENTITY_ENDPOINT=http://localhost:40342/"
			  "metadata|IMDS_ENDPOINT=http://localhost:40342",
		  "IMDS_ENDPOINT is set, so this is Azure Arc" },
		{ MANAGED "IMDS_ENDPOINT=http://localhost:40342", "this is Azure Arc" },
		{ MANAGED "MSI_ENDPOINT=http://localhost:50342", "this is Cloud Shell" },
		{ MANAGED "IDENTITY_ENDPOINT=https://localhost:2377|IDENTITY_HEADER=x|"
			  "IDENTITY_SERVER_THUMBPRINT=ab",
		  "this is Service Fabric" },
		{ MANAGED "IDENTITY_HEADER=x", "IDENTITY_ENDPOINT is not; set both" },
		{ "AKVSYNC_REQUEST_TIMEOUT=3m", "longer than AKVSYNC_INIT_TIMEOUT" },
		{ "AKVSYNC_MAX_STALENESS=599s", "is shorter than two polls" },
		/* Names. */
		{ "AKVSYNC_VUALT=x", "unknown variable AKVSYNC_VUALT; did you mean "
				     "AKVSYNC_VAULT?" },
		{ "AKVSYNC_POLL_INTERVALL=", "did you mean AKVSYNC_POLL_INTERVAL?" },
		{ "AKVSYNC_COMPLETELY_DIFFERENT=1", "'akvsync help' lists" },
		{ "AKVSYNC_=1", "unknown variable AKVSYNC_" },
		{ "AKVSYNC_LISTEN=80", "AKVSYNC_LISTEN: '80' is not an address" },
		{ "AKVSYNC_dir=/x", "did you mean AKVSYNC_DIR?" },
		/* Nearly service links. */
		{ "AKVSYNC_PORTS=1", "unknown variable" },
		{ "AKVSYNC_PORT_X=1", "unknown variable" },
		{ "AKVSYNC_SERVICE_HOSTS=1", "unknown variable" },
		{ "AKVSYNC_SERVICE_PORTS=1", "unknown variable" },
		{ "AKVSYNC_SUPPORT=1", "unknown variable" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct settings s;
		struct err err;

		check_err(rows[i].env, load(rows[i].env, &s, &err), &err, ERR_CONFIG,
			  rows[i].cause);
		check(rows[i].env, strstr(err.msg, "MARKER") == NULL);
		check(rows[i].env, s.termination_log != NULL);
		settings_done(&s);
	}
}

/* Whoever says where IMDS is, or injects all of App Service, is heard. */
static void test_platforms(void **state)
{
	static const char *const rows[] = {
		MANAGED "IDENTITY_ENDPOINT=http://x/msi|IDENTITY_HEADER=h",
		MANAGED "IDENTITY_ENDPOINT=http://x/msi|IDENTITY_HEADER=h|"
			"IMDS_ENDPOINT=http://x|MSI_ENDPOINT=http://x|MSI_SECRET=s",
		MANAGED
		"AZURE_POD_IDENTITY_AUTHORITY_HOST=http://x|IMDS_ENDPOINT=http://x",
		MANAGED "AZURE_POD_IDENTITY_AUTHORITY_HOST=http://x|IDENTITY_HEADER=h",
		MANAGED "IMDS_ENDPOINT=|MSI_ENDPOINT=",
		/* Of no interest to another credential. */
		"IDENTITY_ENDPOINT=http://localhost:40342/metadata",
		"IMDS_ENDPOINT=http://localhost:40342",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct settings s;
		struct err err;

		check_ok(rows[i], load(rows[i], &s, &err), &err);
		settings_done(&s);
	}
}

/* A running process sees every change, also of what is not shown. */
static void test_needs_restart(void **state)
{
	static const struct {
		const char *is, *will, *name;
	} rows[] = {
		{ "", "", NULL },
		{ "AZURE_CLIENT_SECRET=a", "AZURE_CLIENT_SECRET=b",
		  "AZURE_CLIENT_SECRET" },
		{ "AKVSYNC_CLIENT_SECRET_FILE=a", "AKVSYNC_CLIENT_SECRET_FILE=b",
		  "AKVSYNC_CLIENT_SECRET_FILE" },
		{ "", "POD_UID=x", "POD_UID" },
		{ "AKVSYNC_RETAIN=1s", "AKVSYNC_RETAIN=2s", "AKVSYNC_RETAIN" },
		{ "AKVSYNC_CLOUD=public", "AKVSYNC_CLOUD=usgov", "AKVSYNC_CLOUD" },
		{ "AKVSYNC_VERIFY_CHALLENGE=no", "", "AKVSYNC_VERIFY_CHALLENGE" },
		/* These are taken over. */
		{ "AKVSYNC_POLL_INTERVAL=1m", "AKVSYNC_FILE_MODE=0400", NULL },
		{ "AKVSYNC_VAULT=other", "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct settings is, will;
		struct err err;

		check_ok(rows[i].is, load(rows[i].is, &is, &err), &err);
		check_ok(rows[i].will, load(rows[i].will, &will, &err), &err);
		check_text(rows[i].will, settings_needs_restart(&is, &will),
			   rows[i].name);
		check_text(rows[i].is, settings_needs_restart(&will, &is), rows[i].name);
		settings_done(&is);
		settings_done(&will);
	}
}

/* What Kubernetes injects for Services named akvsync… is nobody's mistake. */
static void test_service_links(void **state)
{
	static const char *const rows[] = {
		"AKVSYNC_SERVICE_HOST=10.0.0.1",
		"AKVSYNC_SERVICE_PORT=80",
		"AKVSYNC_SERVICE_PORT_HTTP=80",
		"AKVSYNC_PORT=tcp://10.0.0.1:80",
		"AKVSYNC_PORT_80_TCP=tcp://10.0.0.1:80",
		"AKVSYNC_PORT_80_TCP_ADDR=10.0.0.1",
		"AKVSYNC_METRICS_SERVICE_HOST=10.0.0.1",
		"AKVSYNC_METRICS_PORT_9090_TCP_PROTO=tcp",
		/* Of a Service named akvsync-port-web, and akvsync-service-port-x. */
		"AKVSYNC_PORT_WEB_PORT=tcp://10.0.0.1:80",
		"AKVSYNC_PORT_WEB_PORT_80_TCP=tcp://10.0.0.1:80",
		"AKVSYNC_SERVICE_PORTX_SERVICE_PORT=80",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct settings s;
		struct err err;

		check_ok(rows[i], load(rows[i], &s, &err), &err);
		settings_done(&s);
	}
}

/* Bad settings are told in the form and at the place that were asked for. */
static void test_early(void **state)
{
	struct settings s;
	struct err err;

	(void)state;
	assert_int_equal(load("AKVSYNC_XYZ=1|AKVSYNC_LOG_FORMAT=text|"
			      "AKVSYNC_LOG_LEVEL=bad|AKVSYNC_TERMINATION_LOG=/t",
			      &s, &err),
			 -1);
	assert_int_equal(s.log_format, FORMAT_TEXT);
	assert_int_equal(s.log_level, LEVEL_INFO);
	assert_string_equal(s.termination_log, "/t");
	settings_done(&s);
}

static void test_help(void **state)
{
	auto_buf struct buf text = BUF_INIT(16384);

	(void)state;
	settings_help(&text);
	assert_non_null(strstr(buf_str(&text), "  AKVSYNC_POLL_INTERVAL=5m\n"));
	assert_non_null(strstr(buf_str(&text), "  AKVSYNC_VAULT\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),  cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_refused),   cmocka_unit_test(test_service_links),
		cmocka_unit_test(test_platforms), cmocka_unit_test(test_needs_restart),
		cmocka_unit_test(test_early),     cmocka_unit_test(test_help),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
