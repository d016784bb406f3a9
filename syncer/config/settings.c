#include "config/settings.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/cloud.h"

#define PREFIX "AKVSYNC_"

enum type { TEXT, DURATION, MODE, CHOICE };

/* Words of a CHOICE, in the order of its enum; those behind "later" are known but not
 * built yet. */
static const char *const auth_words[] = { "auto", "workload-identity", NULL };
static const char *const auth_later[] = { "managed-identity", "client-secret",
					  "client-certificate", NULL };
static const char *const cloud_words[] = { "public", "usgov", "china", NULL };
static const char *const stale_words[] = { "accept", "refuse", NULL };
static const char *const level_words[] = { "debug", "info", "warn", "error", NULL };
static const char *const format_words[] = { "json", "text", NULL };

/* One row per variable: parsing, help and the start-up line walk this table. */
static const struct row {
	const char *name;
	enum type type;
	size_t field;
	const char *fallback;     /* NULL: none */
	int64_t min_ms, max_ms;   /* DURATION */
	const char *const *words; /* CHOICE */
	const char *const *later;
	bool redact;
	bool early; /* loaded first: how and where to tell of what is wrong */
	const char *help;
} rows[] = {
#define F(f) offsetof(struct settings, f)
	{ .name = "AKVSYNC_VAULT",
	  .type = TEXT,
	  .field = F(vault),
	  .help = "vault name (shop-kv) or full https URL; required" },
	{ .name = "AKVSYNC_OBJECTS",
	  .type = TEXT,
	  .field = F(objects),
	  .help = "what to sync, such as 'db-password, api-key=keys/api'; required" },
	{ .name = "AKVSYNC_DIR",
	  .type = TEXT,
	  .field = F(dir),
	  .fallback = "/secrets",
	  .help = "where the files appear: a memory emptyDir" },
	{ .name = "AKVSYNC_FILE_MODE",
	  .type = MODE,
	  .field = F(file_mode),
	  .fallback = "0440",
	  .help = "mode of the files, octal" },
	{ .name = "AKVSYNC_POLL_INTERVAL",
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
	  .type = TEXT,
	  .field = F(notify),
	  .help = "whom to tell after a swap, such as 'signal=HUP,process=nginx'" },
	{ .name = "AKVSYNC_NOTIFY_SPLAY",
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
	  .later = auth_later,
	  .help = "auto, workload-identity" },
	{ .name = "AKVSYNC_CLOUD",
	  .type = CHOICE,
	  .field = F(cloud),
	  .words = cloud_words,
	  .help = "public, usgov, china; default: the cloud of AZURE_AUTHORITY_HOST, "
		  "else public" },
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
static const char *const not_yet[] = { "AKVSYNC_CONFIG", "AKVSYNC_LISTEN" };

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
	if (is_word(row->later, value, &index))
		return err_set(err, ERR_CONFIG, "%s: '%s' is not supported yet; use '%s'",
			       row->name, row->later[index], row->words[1]);
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
			known |= strlen(rows[i].name) == len &&
				 strncmp(rows[i].name, *env, len) == 0;
		if (!known)
			return refuse_unknown(*env, len, err);
	}
	return 0;
}

/* ---- rules that span variables ---- */

static bool is_guid(const char *s)
{
	static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

	if (strlen(s) != strlen(shape))
		return false;
	for (size_t i = 0; shape[i]; i++)
		if (shape[i] == '-' ? s[i] != '-' : !isxdigit((unsigned char)s[i]))
			return false;
	return true;
}

static bool is_domain(const char *s)
{
	return strchr(s, '.') && strlen(s) < 64 &&
	       strspn(s, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ."
			 "-") == strlen(s);
}

static int check_identity(const struct settings *s, struct err *err)
{
	static const char label[] =
		"is the label azure.workload.identity/use: \"true\" set on the pod, not "
		"only on its service account or deployment?";

	if (s->assertion_file == NULL)
		return err_set(
			err, ERR_CONFIG,
			"no federated token: AZURE_FEDERATED_TOKEN_FILE is not set; %s",
			label);
	if (s->client_id == NULL)
		return err_set(err, ERR_CONFIG,
			       "no identity: AZURE_CLIENT_ID is not set; annotate the "
			       "service account with azure.workload.identity/client-id");
	if (s->tenant_id == NULL)
		return err_set(err, ERR_CONFIG,
			       "no tenant: AZURE_TENANT_ID is not set; %s", label);
	if (!is_guid(s->client_id))
		return err_set(err, ERR_CONFIG,
			       "AZURE_CLIENT_ID: '%.60s' is not a client id (GUID), such "
			       "as 33333333-3333-3333-3333-333333333333",
			       s->client_id);
	if (!is_guid(s->tenant_id) && !is_domain(s->tenant_id))
		return err_set(err, ERR_CONFIG,
			       "AZURE_TENANT_ID: '%.60s' is neither a tenant id (GUID) "
			       "nor a domain",
			       s->tenant_id);
	return 0;
}

static int check_authority(struct settings *s, bool cloud_given, struct err *err)
{
	size_t len;
	int cloud;

	if (s->authority == NULL) {
		s->authority = xstrdup(cloud_at(s->cloud)->authority);
		return 0;
	}
	len = strlen(s->authority);
	while (len > 0 && s->authority[len - 1] == '/')
		s->authority[--len] = '\0';
	if (!text_starts(s->authority, "https://") || len == strlen("https://") ||
	    strpbrk(s->authority, "@?# ") != NULL)
		return err_set(err, ERR_CONFIG,
			       "AZURE_AUTHORITY_HOST: it must be an https URL, such as "
			       "https://login.microsoftonline.com/");
	cloud = cloud_by_authority(s->authority);
	if (!cloud_given && cloud >= 0)
		s->cloud = cloud;
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
	    check_identity(s, err) < 0)
		return -1;
	return check_authority(s, find(env, "AKVSYNC_CLOUD") != NULL, err);
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

void settings_done(struct settings *s)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].type == TEXT)
			free(*(char **)field_of(s, &rows[i]));
	*s = (struct settings){ 0 };
}

/* ---- telling ---- */

/* A list of hundreds of objects would drown the rest: its begin tells which it is. */
#define SHOWN_MAX 1024

static void describe_text(const char *text, struct buf *out)
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

static void describe_value(const struct settings *s, const struct row *row,
			   struct buf *out)
{
	const void *field = field_of(s, row);
	auto_free char *duration = NULL;
	const char *text;

	switch (row->type) {
	case TEXT:
		text = *(char *const *)field;
		if (text == NULL)
			buf_text(out, "null");
		else
			describe_text(row->redact ? "(set)" : text, out);
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

void settings_help(struct buf *out)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *row = &rows[i];

		buf_printf(out, "  %s%s%s\n      %s\n", row->name,
			   row->fallback ? "=" : "", row->fallback ? row->fallback : "",
			   row->help);
	}
}
