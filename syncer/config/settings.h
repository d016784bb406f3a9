/*
 * settings.h: what the user asks of the program, from the environment and the
 * configuration file: one field for each variable, and how they are shown.  Pure.
 *
 * One typed row per variable drives parsing, help, the README table and the start-up
 * line.  Secrets of objects never come from here; those of credentials are redacted and
 * wiped.
 */
#ifndef CONFIG_SETTINGS_H
#define CONFIG_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "sandbox/sandbox.h"

/* The longest AKVSYNC_POLL_INTERVAL. */
#define SETTINGS_POLL_MAX_MS (INT64_C(7) * 86400000)

enum settings_auth {
	AUTH_AUTO,
	AUTH_WORKLOAD_IDENTITY,
	AUTH_MANAGED_IDENTITY,
	AUTH_CLIENT_SECRET,
	AUTH_CLIENT_CERTIFICATE,
};
/* Who runs this process, as far as managed identities go. */
enum settings_platform {
	PLATFORM_AZURE, /* a machine with IMDS, or App Service and its like */
	PLATFORM_SERVICE_FABRIC,
	PLATFORM_ARC,
	PLATFORM_CLOUD_SHELL,
};
enum settings_stale { STALE_ACCEPT, STALE_REFUSE };
enum settings_log_level { LEVEL_DEBUG, LEVEL_INFO, LEVEL_WARN, LEVEL_ERROR };
enum settings_log_format { FORMAT_JSON, FORMAT_TEXT };

struct settings {
	char *config;                  /* AKVSYNC_CONFIG: a file; NULL: none */
	char *vault;                   /* AKVSYNC_VAULT as given: name or URL */
	char *objects;                 /* AKVSYNC_OBJECTS as given */
	char *templates, *env_files;   /* AKVSYNC_TEMPLATES, _ENV_FILES as given */
	char *dir;                     /* AKVSYNC_DIR */
	mode_t file_mode;              /* AKVSYNC_FILE_MODE */
	int64_t poll_interval_ms;      /* AKVSYNC_POLL_INTERVAL, 1000 to
					  SETTINGS_POLL_MAX_MS */
	int64_t init_timeout_ms;       /* AKVSYNC_INIT_TIMEOUT */
	int64_t request_timeout_ms;    /* AKVSYNC_REQUEST_TIMEOUT */
	enum settings_stale stale;     /* AKVSYNC_INIT_STALE: accept, refuse */
	char *notify;                  /* AKVSYNC_NOTIFY as given; NULL: none */
	int64_t notify_splay_ms;       /* AKVSYNC_NOTIFY_SPLAY */
	int64_t restart_min_ms;        /* AKVSYNC_RESTART_MIN */
	int64_t retain_ms;             /* AKVSYNC_RETAIN */
	enum settings_auth auth;       /* AKVSYNC_AUTH */
	enum settings_auth credential; /* what it came to: never AUTH_AUTO */
	bool verify_challenge;         /* AKVSYNC_VERIFY_CHALLENGE */
	enum sandbox_wish sandbox;     /* AKVSYNC_SANDBOX */
	bool kubernetes_secrets;       /* AKVSYNC_KUBERNETES_SECRETS */
	char *secret_objects;          /* AKVSYNC_SECRET_OBJECTS as given */
	char *kubernetes_credentials;  /* AKVSYNC_KUBERNETES_CREDENTIALS: a directory */
	char *kubernetes_host, *kubernetes_port; /* KUBERNETES_SERVICE_HOST, _PORT */
	int cloud;    /* AKVSYNC_CLOUD: an index for cloud_at(), see cloud.h */
	char *listen; /* AKVSYNC_LISTEN as given; NULL: no port */
	int64_t max_staleness_ms; /* AKVSYNC_MAX_STALENESS; 0: none */
	enum settings_log_level log_level;
	enum settings_log_format log_format;
	char *termination_log; /* AKVSYNC_TERMINATION_LOG */
	bool is_of_exec; /* no variable: exec runs this sidecar, and the app as its uid */

	char *client_id;      /* AZURE_CLIENT_ID */
	char *tenant_id;      /* AZURE_TENANT_ID */
	char *assertion_file; /* AZURE_FEDERATED_TOKEN_FILE */
	char *authority; /* AZURE_AUTHORITY_HOST without its final '/'; default of the
			    cloud */
	char *client_secret, *client_secret_file;
	char *certificate_file, *certificate_password, *certificate_password_file;
	bool send_chain;               /* AZURE_CLIENT_SEND_CERTIFICATE_CHAIN */
	char *object_id, *resource_id; /* AKVSYNC_IDENTITY_OBJECT_ID, _RESOURCE_ID */
	char *identity_endpoint, *identity_header;
	enum settings_platform platform;
	char *imds_base; /* AZURE_POD_IDENTITY_AUTHORITY_HOST; NULL: IMDS itself */
	char *token_proxy,
		*token_proxy_name; /* AZURE_KUBERNETES_TOKEN_PROXY, _SNI_NAME */
	char *token_proxy_ca_file, *token_proxy_ca;

	char *https_proxy, *no_proxy;
	char *ca_file;       /* SSL_CERT_FILE; NULL: the system bundle */
	char *extra_ca_file; /* AKVSYNC_EXTRA_CA_FILE */
	char *pod_name;      /* POD_NAME; NULL: not set */
	char *pod_uid;       /* POD_UID or HOSTNAME, seeds jitter; NULL: neither */
};

/* Wipes the values of credentials and frees all. */
void settings_done(struct settings *s);

/* Appends the members of a JSON object (without braces) with every effective setting,
 * e.g. "AKVSYNC_DIR":"/secrets".  Redacted rows show "(set)", or leave out the user of a
 * URL. */
void settings_describe(const struct settings *s, struct buf *out);

/* The name of variable i, NULL behind the last; secret: its value is never shown. */
const char *settings_variable(size_t i, bool *secret);

/* The value of variable i as JSON: a text, or null. */
void settings_value(const struct settings *s, size_t i, struct buf *out);

/* The first variable that differs and that a running process cannot take over; NULL:
 * none. */
const char *settings_needs_restart(const struct settings *running,
				   const struct settings *wanted);

/* Appends the table of variables for `help`. */
void settings_help(struct buf *out);

#endif
