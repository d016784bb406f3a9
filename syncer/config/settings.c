#include "config/settings.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/auth.h"

#define PREFIX "AKVSYNC_"

enum type { TEXT, DURATION, MODE, CHOICE, BOOL };

/* What of a value may be told. */
enum redact { TELL, TELL_NOTHING, TELL_NO_USER };

/* Words of a CHOICE, in the order of its enum. */
static const char *const auth_words[] = {
	"auto",          "workload-identity",  "managed-identity",
	"client-secret", "client-certificate", NULL
};
static const char *const cloud_words[] = { "public", "usgov", "china", NULL };
static const char *const stale_words[] = { "accept", "refuse", NULL };
static const char *const level_words[] = { "debug", "info", "warn", "error", NULL };
static const char *const format_words[] = { "json", "text", NULL };

/* One row per variable: parsing, help and the start-up line walk this table. */
static const struct row {
	const char *name, *alias;
	enum type type;
	size_t field;
	const char *fallback;     /* NULL: none */
	int64_t min_ms, max_ms;   /* DURATION */
	const char *const *words; /* CHOICE */
	enum redact redact;
	bool reloads; /* a running process takes a new value over */
	bool early;   /* loaded first: how and where to tell of what is wrong */
	const char *help;
} rows[] = {
#define F(f) offsetof(struct settings, f)
	{ .name = "AKVSYNC_VAULT",
	  .reloads = true,
	  .type = TEXT,
	  .field = F(vault),
	  .help = "vault name (shop-kv) or full https URL; required" },
	{ .name = "AKVSYNC_OBJECTS",
	  .reloads = true,
	  .type = TEXT,
	  .field = F(objects),
	  .help = "what to sync, such as 'db-password, api-key=keys/api'; required" },
	{ .name = "AKVSYNC_CONFIG",
	  .type = TEXT,
	  .field = F(config),
	  .help = "a YAML file with these settings in camelCase, or a whole "
		  "SecretProviderClass; read again when it changes" },
	{ .name = "AKVSYNC_DIR",
	  .type = TEXT,
	  .field = F(dir),
	  .fallback = "/secrets",
	  .help = "where the files appear: a memory emptyDir" },
	{ .name = "AKVSYNC_FILE_MODE",
	  .reloads = true,
	  .type = MODE,
	  .field = F(file_mode),
	  .fallback = "0440",
	  .help = "mode of the files, octal" },
	{ .name = "AKVSYNC_POLL_INTERVAL",
	  .reloads = true,
	  .type = DURATION,
	  .field = F(poll_interval_ms),
	  .fallback = "5m",
	  .min_ms = 1000,
	  .max_ms = INT64_C(7) * 86400000,
	  .help = "time between polls, +-20% at random; at least 1s" },
	{ .name = "AKVSYNC_INIT_TIMEOUT",
	  .type = DURATION,
	  .field = F(init_timeout_ms),
	  .fallback = "2m",
	  .min_ms = 1000,
	  .max_ms = 86400000,
	  .help = "how long init tries" },
	{ .name = "AKVSYNC_INIT_STALE",
	  .type = CHOICE,
	  .field = F(stale),
	  .fallback = "accept",
	  .words = stale_words,
	  .help = "accept: init succeeds with the files of an earlier start when the "
		  "vault cannot be reached; refuse: it fails" },
	{ .name = "AKVSYNC_REQUEST_TIMEOUT",
	  .type = DURATION,
	  .field = F(request_timeout_ms),
	  .fallback = "10s",
	  .min_ms = 100,
	  .max_ms = 600000,
	  .help = "of one HTTP request" },
	{ .name = "AKVSYNC_NOTIFY",
	  .reloads = true,
	  .type = TEXT,
	  .field = F(notify),
	  .help = "whom to tell after a swap, such as 'signal=HUP,process=nginx'" },
	{ .name = "AKVSYNC_NOTIFY_SPLAY",
	  .reloads = true,
	  .type = DURATION,
	  .field = F(notify_splay_ms),
	  .fallback = "0s",
	  .max_ms = 86400000,
	  .help = "random delay before it, so that replicas do not reload together" },
	{ .name = "AKVSYNC_RETAIN",
	  .type = DURATION,
	  .field = F(retain_ms),
	  .fallback = "10s",
	  .max_ms = 86400000,
	  .help = "how long the previous set stays for readers in flight" },
	{ .name = "AKVSYNC_AUTH",
	  .type = CHOICE,
	  .field = F(auth),
	  .fallback = "auto",
	  .words = auth_words,
	  .help = "auto, workload-identity, managed-identity, client-secret, "
		  "client-certificate; auto: by what is set" },
	{ .name = "AKVSYNC_CLOUD",
	  .type = CHOICE,
	  .field = F(cloud),
	  .words = cloud_words,
	  .help = "public, usgov, china; default: the cloud of AZURE_AUTHORITY_HOST, "
		  "else public" },
	{ .name = "AKVSYNC_VERIFY_CHALLENGE",
	  .type = BOOL,
	  .field = F(verify_challenge),
	  .fallback = "true",
	  .help = "false: send tokens to a vault whose challenge names another domain; "
		  "for "
		  "test vaults only" },
	{ .name = "AKVSYNC_EXTRA_CA_FILE",
	  .type = TEXT,
	  .field = F(extra_ca_file),
	  .help = "certificates (PEM) to trust besides the system's; read anew when the "
		  "file changes" },
	{ .name = "AKVSYNC_CLIENT_SECRET_FILE",
	  .type = TEXT,
	  .field = F(client_secret_file),
	  .help = "file with the client secret, read for each token" },
	{ .name = "AKVSYNC_CLIENT_CERTIFICATE_PASSWORD_FILE",
	  .type = TEXT,
	  .field = F(certificate_password_file),
	  .help = "file with the password of the client certificate's key" },
	{ .name = "AKVSYNC_IDENTITY_OBJECT_ID",
	  .type = TEXT,
	  .field = F(object_id),
	  .help = "managed identity by object id instead of AZURE_CLIENT_ID" },
	{ .name = "AKVSYNC_IDENTITY_RESOURCE_ID",
	  .type = TEXT,
	  .field = F(resource_id),
	  .help = "managed identity by Azure resource id instead" },
	{ .name = "AKVSYNC_LOG_LEVEL",
	  .type = CHOICE,
	  .field = F(log_level),
	  .fallback = "info",
	  .words = level_words,
	  .early = true,
	  .help = "debug, info, warn, error" },
	{ .name = "AKVSYNC_LOG_FORMAT",
	  .type = CHOICE,
	  .field = F(log_format),
	  .fallback = "json",
	  .words = format_words,
	  .early = true,
	  .help = "json, text" },
	{ .name = "AKVSYNC_TERMINATION_LOG",
	  .type = TEXT,
	  .field = F(termination_log),
	  .fallback = "/dev/termination-log",
	  .early = true,
	  .help = "file for the cause of a failed start; the pod's "
		  "terminationMessagePath" },
	{ .name = "AZURE_CLIENT_ID",
	  .type = TEXT,
	  .field = F(client_id),
	  .help = "the identity; injected by workload identity" },
	{ .name = "AZURE_TENANT_ID",
	  .type = TEXT,
	  .field = F(tenant_id),
	  .help = "its tenant; injected" },
	{ .name = "AZURE_FEDERATED_TOKEN_FILE",
	  .type = TEXT,
	  .field = F(assertion_file),
	  .help = "the projected service account token; injected" },
	{ .name = "AZURE_AUTHORITY_HOST",
	  .type = TEXT,
	  .field = F(authority),
	  .help = "Entra's URL; injected; default: that of the cloud" },
	{ .name = "AZURE_CLIENT_SECRET",
	  .type = TEXT,
	  .field = F(client_secret),
	  .redact = TELL_NOTHING,
	  .help = "an application's client secret; a file is better" },
	{ .name = "AZURE_CLIENT_CERTIFICATE_PATH",
	  .type = TEXT,
	  .field = F(certificate_file),
	  .help = "an application's certificate with its key, PEM or PFX" },
	{ .name = "AZURE_CLIENT_CERTIFICATE_PASSWORD",
	  .type = TEXT,
	  .field = F(certificate_password),
	  .redact = TELL_NOTHING,
	  .help = "of its key, if any" },
	{ .name = "AZURE_CLIENT_SEND_CERTIFICATE_CHAIN",
	  .type = BOOL,
	  .field = F(send_chain),
	  .fallback = "false",
	  .help = "true: send the chain, for subject name and issuer authentication" },
	{ .name = "AZURE_POD_IDENTITY_AUTHORITY_HOST",
	  .type = TEXT,
	  .field = F(imds_base),
	  .help = "base URL of IMDS, when it is not http://169.254.169.254" },
	{ .name = "IDENTITY_ENDPOINT",
	  .type = TEXT,
	  .field = F(identity_endpoint),
	  .help = "managed identity of App Service and Container Apps; injected" },
	{ .name = "IDENTITY_HEADER",
	  .type = TEXT,
	  .field = F(identity_header),
	  .redact = TELL_NOTHING,
	  .help = "what proves that we may ask it; injected" },
	{ .name = "AZURE_KUBERNETES_TOKEN_PROXY",
	  .type = TEXT,
	  .field = F(token_proxy),
	  .help = "identity binding: where tokens are asked for instead; injected" },
	{ .name = "AZURE_KUBERNETES_SNI_NAME",
	  .type = TEXT,
	  .field = F(token_proxy_name),
	  .help = "the name in its certificate; injected" },
	{ .name = "AZURE_KUBERNETES_CA_FILE",
	  .type = TEXT,
	  .field = F(token_proxy_ca_file),
	  .help = "its CA; injected" },
	{ .name = "AZURE_KUBERNETES_CA_DATA",
	  .type = TEXT,
	  .field = F(token_proxy_ca),
	  .help = "its CA, as PEM text" },
	{ .name = "HTTPS_PROXY",
	  .alias = "https_proxy",
	  .type = TEXT,
	  .field = F(https_proxy),
	  .redact = TELL_NO_USER,
	  .help = "proxy for vault and Entra: http[s]://[USER:PASSWORD@]HOST:PORT" },
	{ .name = "NO_PROXY",
	  .alias = "no_proxy",
	  .type = TEXT,
	  .field = F(no_proxy),
	  .help = "hosts, domains and networks to reach without it" },
	{ .name = "SSL_CERT_FILE",
	  .type = TEXT,
	  .field = F(ca_file),
	  .help = "trusted certificates (PEM); default: the system's" },
	{ .name = "POD_UID",
	  .type = TEXT,
	  .field = F(pod_uid),
	  .help = "seeds the random delays; default: HOSTNAME" },
#undef F
};

/* Documented variables of features that are not built yet. */
static const char *const not_yet[] = { "AKVSYNC_LISTEN" };

static void *field_of(const struct settings *s, const struct row *row)
{
	return (char *)(uintptr_t)s + row->field;
}

/* The value of a variable; NULL when unset or empty. */
static const char *find(char *const *env, const char *name)
{
	size_t len = strlen(name);

	for (; *env; env++)
		if (strncmp(*env, name, len) == 0 && (*env)[len] == '=')
			return (*env)[len + 1] ? *env + len + 1 : NULL;
	return NULL;
}

/* Whether the first len bytes of text are the row's name, in one of its spellings. */
static bool is_name(const struct row *row, const char *text, size_t len)
{
	return (strlen(row->name) == len && strncmp(row->name, text, len) == 0) ||
	       (row->alias && strlen(row->alias) == len &&
		strncmp(row->alias, text, len) == 0);
}

static bool is_word(const char *const *words, const char *value, int *index)
{
	for (int i = 0; words && words[i]; i++) {
		if (text_same(words[i], value)) {
			*index = i;
			return true;
		}
	}
	return false;
}

static int set_choice(struct settings *s, const struct row *row, const char *value,
		      struct err *err)
{
	auto_buf struct buf accepted = BUF_INIT(256);
	int index;

	if (is_word(row->words, value, &index)) {
		*(int *)field_of(s, row) = index;
		return 0;
	}
	for (int i = 0; row->words[i]; i++)
		buf_printf(&accepted, "%s%s", i ? ", " : "", row->words[i]);
	return err_set(err, ERR_CONFIG, "%s: '%.40s' is not one of %s", row->name, value,
		       buf_str(&accepted));
}

static int set_duration(struct settings *s, const struct row *row, const char *value,
			struct err *err)
{
	auto_free char *min = text_from_duration(row->min_ms);
	auto_free char *max = text_from_duration(row->max_ms);
	int64_t ms;

	if (text_duration(value, &ms) < 0)
		return err_set(err, ERR_CONFIG,
			       "%s: '%.40s' is not a duration; write a number with its "
			       "unit, such as 30s, 5m or 1h30m",
			       row->name, value);
	if (ms < row->min_ms || ms > row->max_ms)
		return err_set(err, ERR_CONFIG, "%s: '%.40s' is outside %s to %s",
			       row->name, value, min, max);
	*(int64_t *)field_of(s, row) = ms;
	return 0;
}

static int set_field(struct settings *s, const struct row *row, const char *value,
		     struct err *err)
{
	switch (row->type) {
	case TEXT:
		*(char **)field_of(s, row) = xstrdup(value);
		return 0;
	case DURATION:
		return set_duration(s, row, value, err);
	case CHOICE:
		return set_choice(s, row, value, err);
	case BOOL:
		if (text_bool(value, field_of(s, row)) == 0)
			return 0;
		return err_set(err, ERR_CONFIG, "%s: '%.40s' is neither true nor false",
			       row->name, value);
	case MODE:
		break;
	}
	if (text_mode(value, field_of(s, row)) < 0)
		return err_set(err, ERR_CONFIG,
			       "%s: '%.40s' is not a file mode; write octal digits from "
			       "0000 to 0777, such as 0440",
			       row->name, value);
	return 0;
}

/* AKVSYNC_SERVICE_HOST, AKVSYNC_PORT_443_TCP_ADDR, …: what Kubernetes injects for a
 * Service named akvsync, or akvsync-something. */
static bool is_service_link(const char *name, size_t len)
{
	auto_free char *s = xstrndup(name, len);
	const char *end;

	if (text_ends_same(s, "_SERVICE_HOST"))
		return true;
	/* The Service's own name may hold "port" too, so any place will do. */
	for (end = s; (end = strstr(end, "_SERVICE_PORT")) != NULL; end++)
		if (end[13] == '\0' || end[13] == '_')
			return true;
	for (end = s; (end = strstr(end, "_PORT")) != NULL; end++)
		if (end[5] == '\0' || (end[5] == '_' && isdigit((unsigned char)end[6])))
			return true;
	return false;
}

static int refuse_unknown(const char *name, size_t len, struct err *err)
{
	auto_free char *unknown = xstrndup(name, len);
	const char *names[ARRAY_LEN(rows)];
	const char *nearest;
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_LEN(not_yet); i++)
		if (strcmp(unknown, not_yet[i]) == 0)
			return err_set(err, ERR_CONFIG,
				       "%s is not supported yet; remove it", unknown);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (text_starts(rows[i].name, PREFIX))
			names[count++] = rows[i].name;
	nearest = text_nearest(unknown, names, count);
	err_set(err, ERR_CONFIG, "unknown variable %.80s", unknown);
	if (nearest != NULL)
		return err_hint(err, "did you mean %s?", nearest);
	return err_hint(err, "'akvsync help' lists all variables");
}

static int check_names(char *const *env, struct err *err)
{
	for (; *env; env++) {
		size_t len = strcspn(*env, "=");
		bool known = false;

		if (!text_starts(*env, PREFIX) || is_service_link(*env, len))
			continue;
		for (size_t i = 0; i < ARRAY_LEN(rows); i++)
			known |= is_name(&rows[i], *env, len);
		if (!known)
			return refuse_unknown(*env, len, err);
	}
	return 0;
}

/* ---- rules that span variables ---- */

/* Messages must not hold what may be part of a password. */
static int check_proxy(const struct settings *s, struct err *err)
{
	const char *proxy = s->https_proxy ? s->https_proxy : "";
	size_t len = strspn(proxy, "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-");
	bool has_scheme = text_starts(proxy + len, "://");
	const char *rest = proxy + (has_scheme ? len + strlen("://") : 0);

	if (has_scheme && !text_starts(proxy, "http://") &&
	    !text_starts(proxy, "https://"))
		return err_set(err, ERR_CONFIG,
			       "HTTPS_PROXY: '%.*s' is not a proxy's scheme; write "
			       "http://[USER:PASSWORD@]HOST:PORT, or https://",
			       (int)len, proxy);
	if (strchr(rest + strcspn(rest, "/?#"), '@') != NULL)
		return err_set(err, ERR_CONFIG,
			       "HTTPS_PROXY: '/', '?' and '#' of a user or password are "
			       "written as %%2F, %%3F and %%23");
	return 0;
}

static int check_rest(const struct settings *s, bool request_timeout_given,
		      struct err *err)
{
	if (s->vault == NULL)
		return err_set(err, ERR_CONFIG,
			       "AKVSYNC_VAULT is not set; give the vault's name, such as "
			       "shop-kv");
	if (s->objects == NULL)
		return err_set(err, ERR_CONFIG,
			       "AKVSYNC_OBJECTS is not set; list what to sync, such as "
			       "'db-password, api-key=keys/api'");
	if (s->dir[0] != '/')
		return err_set(err, ERR_CONFIG,
			       "AKVSYNC_DIR: '%.100s' is not an absolute path", s->dir);
	if (request_timeout_given && s->request_timeout_ms > s->init_timeout_ms)
		return err_set(
			err, ERR_CONFIG,
			"AKVSYNC_REQUEST_TIMEOUT is longer than AKVSYNC_INIT_TIMEOUT: "
			"init would stop before its first request may time out");
	return 0;
}

static int load_row(struct settings *s, const struct row *row, char *const *env,
		    struct err *err)
{
	const char *value = find(env, row->name);

	if (value == NULL && row->alias != NULL)
		value = find(env, row->alias);
	if (value == NULL)
		value = row->fallback;
	return value == NULL ? 0 : set_field(s, row, value, err);
}

static int load_early(struct settings *s, char *const *env, struct err *err)
{
	struct err none;
	int result = 0;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (!rows[i].early || load_row(s, &rows[i], env, err) == 0)
			continue;
		(void)!set_field(s, &rows[i], rows[i].fallback, &none);
		result = -1;
	}
	return result;
}

static int load(struct settings *s, char *const *env, struct err *err)
{
	const char *host;

	if (load_early(s, env, err) < 0 || check_names(env, err) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (!rows[i].early && load_row(s, &rows[i], env, err) < 0)
			return -1;
	host = find(env, "HOSTNAME");
	if (s->pod_uid == NULL && host != NULL)
		s->pod_uid = xstrdup(host);
	if (check_rest(s, find(env, "AKVSYNC_REQUEST_TIMEOUT") != NULL, err) < 0 ||
	    auth_authority(s, find(env, "AKVSYNC_CLOUD") != NULL, err) < 0)
		return -1;
	auth_choose(s, find(env, "KUBERNETES_SERVICE_HOST") != NULL);
	return check_proxy(s, err);
}

int settings_load(struct settings *out, char *const *env, struct err *err)
{
	*out = (struct settings){ 0 };
	return load(out, env, err);
}

char *settings_dir(char *const *env)
{
	struct settings s = { 0 };
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].field == offsetof(struct settings, dir))
			(void)!load_row(&s, &rows[i], env, &err);
	return s.dir;
}

static void forget(char *variable)
{
	size_t len = strcspn(variable, "=");

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].redact != TELL && is_name(&rows[i], variable, len))
			wipe(variable + len, strlen(variable + len));
}

char **settings_take(char *const *env)
{
	char **copy;
	size_t count = 0;

	while (env[count] != NULL)
		count++;
	copy = xcalloc(count + 1, sizeof(*copy));
	for (size_t i = 0; i < count; i++) {
		copy[i] = wipe_strdup(env[i]);
		forget(env[i]);
	}
	return copy;
}

void settings_untake(char **env)
{
	for (char **variable = env; env && *variable; variable++)
		wipe_free(*variable);
	free(env);
}

void settings_done(struct settings *s)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *text =
			rows[i].type == TEXT ? *(char **)field_of(s, &rows[i]) : NULL;

		if (text != NULL && rows[i].redact != TELL)
			wipe(text, strlen(text));
		free(text);
	}
	*s = (struct settings){ 0 };
}

/* ---- telling ---- */

/* A list of hundreds of objects would drown the rest: its begin tells which it is. */
#define SHOWN_MAX 1024

static void describe_plain(const char *text, struct buf *out)
{
	auto_free char *begin = NULL;
	size_t len = SHOWN_MAX;

	if (strlen(text) <= SHOWN_MAX) {
		json_quote(out, text);
		return;
	}
	while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
		len--; /* not in the middle of a character */
	begin = xasprintf("%.*s…", (int)len, text);
	json_quote(out, begin);
}

static void describe_text(const char *text, enum redact redact, struct buf *out)
{
	const char *at = text ? strrchr(text, '@') : NULL;
	const char *scheme = text ? strstr(text, "://") : NULL;
	auto_free char *shown = NULL;

	if (text == NULL) {
		buf_text(out, "null");
	} else if (redact == TELL_NOTHING) {
		json_quote(out, "(set)");
	} else if (redact == TELL_NO_USER && at != NULL) {
		shown = xasprintf("%.*s(user)%s", scheme ? (int)(scheme + 3 - text) : 0,
				  text, at);
		json_quote(out, shown);
	} else {
		describe_plain(text, out);
	}
}

static void describe_value(const struct settings *s, const struct row *row,
			   struct buf *out)
{
	const void *field = field_of(s, row);
	auto_free char *duration = NULL;

	switch (row->type) {
	case TEXT:
		describe_text(*(char *const *)field, row->redact, out);
		return;
	case BOOL:
		buf_text(out, *(const bool *)field ? "true" : "false");
		return;
	case DURATION:
		duration = text_from_duration(*(const int64_t *)field);
		json_quote(out, duration);
		return;
	case MODE:
		buf_printf(out, "\"%04o\"", (unsigned)*(const mode_t *)field);
		return;
	case CHOICE:
		json_quote(out, row->words[*(const int *)field]);
		return;
	}
}

void settings_describe(const struct settings *s, struct buf *out)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		buf_printf(out, "%s\"%s\":", i ? "," : "", rows[i].name);
		describe_value(s, &rows[i], out);
	}
}

const char *settings_variable(size_t i, bool *secret)
{
	if (i >= ARRAY_LEN(rows))
		return NULL;
	*secret = rows[i].redact;
	return rows[i].name;
}

void settings_value(const struct settings *s, size_t i, struct buf *out)
{
	describe_value(s, &rows[i], out);
}

const char *settings_needs_restart(const struct settings *running,
				   const struct settings *wanted)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf struct buf is = BUF_INIT(64 * 1024), will = BUF_INIT(64 * 1024);

		describe_value(running, &rows[i], &is);
		describe_value(wanted, &rows[i], &will);
		if (!rows[i].reloads && strcmp(buf_str(&is), buf_str(&will)) != 0)
			return rows[i].name;
	}
	return NULL;
}

void settings_help(struct buf *out)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *row = &rows[i];

		buf_printf(out, "  %s%s%s\n      %s\n", row->name,
			   row->fallback ? "=" : "", row->fallback ? row->fallback : "",
			   row->help);
	}
}
