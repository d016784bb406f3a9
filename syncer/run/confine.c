#include "run/confine.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "deliver/targets.h"
#include "net/proxy.h"
#include "net/trust.h"
#include "report/log.h"
#include "sandbox/seccomp.h"
#include "sync/compose.h"

#define PORT_DNS 53
#define PORT_HTTP 80
#define PORT_HTTPS 443

/* What resolving a name and checking a date read, wherever it is there. */
static const char *const confine_system_files[] = {
	"/etc/resolv.conf",
	"/etc/hosts",
	"/etc/nsswitch.conf",
	"/etc/host.conf",
	"/etc/services",
	"/etc/gai.conf",
	"/etc/svc.conf",
	"/etc/netsvc.conf",
	"/etc/localtime",
	"/proc",
#ifdef __GLIBC__
	/* Name services are shared libraries, which are loaded when they are needed. */
	"/etc/ld.so.cache",
	"/lib",
	"/lib64",
	"/usr/lib",
	"/usr/lib64",
	"/usr/local/lib",
#endif
};

/* ---- paths ---- */

/* The directory of a path, or the deepest one above it that is there; the caller
 * frees.  Of a volume that the kubelet fills it is the volume: below ..<time>, where
 * links lead to, each change has a directory of its own. */
static char *confine_parent(const char *path)
{
	char *dir = xstrdup(path), *real, *change;

	do {
		char *slash = strrchr(dir, '/');

		if (slash == NULL || slash == dir) {
			free(dir);
			return xstrdup("/");
		}
		*slash = '\0';
		real = realpath(dir, NULL);
	} while (real == NULL);
	free(dir);
	dir = xstrdup(real);
	free(real);
	change = strstr(dir, "/..");
	if (change != NULL && change != dir)
		*change = '\0';
	return dir;
}

/* A file that may be replaced: by another file of its directory, or where links lead to,
 * as in the volumes of Kubernetes. */
static void confine_read(struct landlock_rules *rules, const char *path)
{
	auto_free char *dir = NULL, *real_dir = NULL;
	char *real;

	if (path == NULL)
		return;
	dir = confine_parent(path);
	/* All files would be too much. */
	landlock_add_path(rules, LANDLOCK_READ, strcmp(dir, "/") == 0 ? path : dir);
	real = realpath(path, NULL);
	if (real == NULL)
		return;
	real_dir = confine_parent(real);
	if (strcmp(real_dir, "/") != 0 && strcmp(real_dir, dir) != 0)
		landlock_add_path(rules, LANDLOCK_READ, real_dir);
	free(real);
}

static void confine_make(struct landlock_rules *rules, const char *path)
{
	auto_free char *dir = confine_parent(path);

	/* The root stands for a directory that is missing only when it is named. */
	if (strcmp(dir, "/") != 0 || strrchr(path, '/') == path)
		landlock_add_path(rules, LANDLOCK_MAKE, dir);
}

/* ---- ports ---- */

/* The port of a URL that was checked. */
static void confine_url(struct landlock_rules *rules, const char *url)
{
	auto_free char *host = NULL;
	const char *start, *colon;
	int64_t port = 0;

	if (url == NULL)
		return;
	start = strstr(url, "://");
	start = start != NULL ? start + strlen("://") : url;
	host = xstrndup(start, strcspn(start, "/?#"));
	colon = strrchr(host, ':');
	if (colon == NULL || text_number(colon + 1, UINT16_MAX, &port) < 0)
		port = text_starts(url, "http:") ? PORT_HTTP : PORT_HTTPS;
	landlock_add_port(rules, (uint16_t)port);
}

static void confine_proxy(struct landlock_rules *rules, const char *text)
{
	struct proxy proxy = { 0 };
	struct err err;

	if (proxy_parse(&proxy, text, &err) == 0)
		confine_url(rules, proxy.url);
	proxy_done(&proxy);
}

/* ---- parts of the configuration ---- */

static void confine_templates(struct landlock_rules *rules, const struct templates *all)
{
	for (size_t i = 0; i < all->count; i++) {
		confine_read(rules, all->items[i].file);
		if (templates_is_env(&all->items[i]))
			confine_make(rules, all->items[i].path);
	}
}

static void confine_identity(struct landlock_rules *rules, const struct settings *s)
{
	const char *const files[] = {
		s->assertion_file,      s->client_secret_file,
		s->certificate_file,    s->certificate_password_file,
		s->token_proxy_ca_file,
	};

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		confine_read(rules, files[i]);
	confine_url(rules, s->authority);
	confine_url(rules, s->token_proxy);
	confine_url(rules, s->identity_endpoint);
	confine_url(rules, s->imds_base);
	if (s->credential == AUTH_MANAGED_IDENTITY)
		landlock_add_port(rules, PORT_HTTP);
}

static void confine_network(struct landlock_rules *rules, const struct settings *s,
			    const struct sources *sources)
{
	confine_read(rules, s->ca_file != NULL ? s->ca_file : TRUST_SYSTEM_FILE);
	confine_read(rules, s->extra_ca_file);
	landlock_add_port(rules, PORT_DNS);
	confine_proxy(rules, s->https_proxy);
	for (const struct source *one = sources->first; one != NULL; one = one->next)
		confine_url(rules, one->vault.url);
}

static void confine_kubernetes(struct landlock_rules *rules, const struct settings *s)
{
	auto_free char *token = NULL;
	int64_t port;

	if (!s->kubernetes_secrets)
		return;
	token = xasprintf("%s/token", s->kubernetes_credentials);
	confine_read(rules, token);
	if (s->kubernetes_port != NULL &&
	    text_number(s->kubernetes_port, UINT16_MAX, &port) == 0)
		landlock_add_port(rules, (uint16_t)port);
}

static void confine_target(struct sandbox_needs *out, const struct target *t)
{
	out->runs_programs |= t->argv != NULL;
	confine_read(&out->rules, t->pidfile);
	confine_read(&out->rules, t->header_file);
	if (t->socket == NULL)
		confine_url(&out->rules, t->url);
	if (t->path != NULL)
		confine_make(&out->rules, t->path);
}

static void confine_targets(struct sandbox_needs *out, const char *text)
{
	struct targets all = { 0 };
	struct err err;

	if (targets_parse(&all, text, &err) == 0) {
		for (size_t i = 0; i < all.count; i++)
			confine_target(out, &all.items[i]);
		for (size_t i = 0; i < all.precheck_count; i++)
			confine_target(out, &all.prechecks[i]);
	}
	targets_done(&all);
}

static void confine_needs(struct sandbox_needs *out, const struct configuration *c,
			  const struct sources *sources)
{
	const struct settings *s = &c->settings;
	struct landlock_rules *rules = &out->rules;

	*out = (struct sandbox_needs){ 0 };
	for (size_t i = 0; i < ARRAY_LEN(confine_system_files); i++)
		landlock_add_path(rules, LANDLOCK_READ, confine_system_files[i]);
	landlock_add_path(rules, LANDLOCK_WRITE, "/dev/null");
	landlock_add_path(rules, LANDLOCK_WRITE, s->termination_log);
	landlock_add_path(rules, LANDLOCK_MAKE, s->dir);
	confine_read(rules, c->path);
	confine_templates(rules, &c->objects.templates);
	confine_identity(rules, s);
	confine_network(rules, s, sources);
	confine_kubernetes(rules, s);
	confine_targets(out, s->notify);
}

int confine_enter(struct confine *out, const struct configuration *c,
		  const struct sources *sources, const struct publish *publish,
		  struct err *err)
{
	struct templates earlier = compose_earlier(publish, objects_number(&c->objects));

	confine_needs(&out->needs, c, sources);
	confine_templates(&out->needs.rules, &earlier);
	templates_done(&earlier);
	return sandbox_enter(&out->sandbox, c->settings.sandbox, &out->needs, err);
}

int confine_check(const struct confine *confine, const struct configuration *c,
		  const struct sources *sources, struct err *err)
{
	struct sandbox_needs wants;
	int result;

	confine_needs(&wants, c, sources);
	result = sandbox_covers(&confine->sandbox, &confine->needs, &wants, err);
	sandbox_needs_done(&wants);
	return result;
}

void confine_done(struct confine *confine)
{
	sandbox_needs_done(&confine->needs);
}

void confine_report(void)
{
	char call[64];

	seccomp_refused(call, sizeof(call));
	if (*call == '\0')
		return;
	log_event(
		LOG_WARN, "sandbox-refused", LOG_FIELDS(log_str("call", call)),
		"the sandbox refused the system call '%s', which akvsync does not need: "
		"report it, and look at what changed; AKVSYNC_SANDBOX=off switches the "
		"sandbox off",
		call);
}
