#include "config/environment.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/shape.h"
#include "base/text.h"
#include "config/auth.h"
#include "config/cloud.h"
#include "config/listen.h"
#include "config/variable.h"
#include "net/proxy.h"

#define PREFIX "AKVSYNC_"

/* AKVSYNC_SERVICE_HOST, AKVSYNC_PORT_443_TCP_ADDR, …: what Kubernetes injects for a
 * Service named akvsync, or akvsync-something. */
static bool is_service_link(const char *name, size_t len)
{
	auto_free char *s = xstrndup(name, len);
	const char *end;

	if (text_ends_same(s, "_SERVICE_HOST"))
		return true;
	/* The Service's own name may hold "port", too, so each place in the name is
	 * tried. */
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
	auto_free const char **names = xcalloc(variable_count, sizeof(*names));
	const char *nearest;
	size_t count = 0;

	for (size_t i = 0; i < variable_count; i++)
		if (text_starts(variables[i].name, PREFIX))
			names[count++] = variables[i].name;
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
		for (size_t i = 0; i < variable_count; i++)
			known |= variable_is_named(&variables[i], *env, len);
		if (!known)
			return refuse_unknown(*env, len, err);
	}
	return 0;
}

/* ---- rules that span variables ---- */

static int check_proxy(const struct settings *s, struct err *err)
{
	struct proxy proxy = { 0 };

	if (proxy_parse(&proxy, s->https_proxy, err) < 0)
		return -1;
	proxy_done(&proxy);
	return 0;
}

/* Objects that name no vault are in this one, so a mistake in it is reported here and not
 * for each of them. */
static int check_vault(const struct settings *s, struct err *err)
{
	struct cloud_vault resolved = { 0 };

	if (cloud_vault_resolve(&resolved, s->vault, cloud_at(s->cloud),
				!s->verify_challenge, err) < 0)
		return err_wrap(err, "AKVSYNC_VAULT");
	cloud_vault_done(&resolved);
	return 0;
}

static int check_listen(const struct settings *s, struct err *err)
{
	struct listen parsed;

	return s->listen == NULL ? 0 : listen_parse(&parsed, s->listen, err);
}

static int check_dir(const struct settings *s, struct err *err)
{
	return s->dir[0] == '/'
		       ? 0
		       : err_set(err, ERR_CONFIG,
				 "AKVSYNC_DIR: '%.100s' is not an absolute path", s->dir);
}

/* With a shorter time a pod would be unready before each poll though nothing fails. */
static int check_staleness(const struct settings *s, struct err *err)
{
	if (s->max_staleness_ms == 0 || s->max_staleness_ms >= 2 * s->poll_interval_ms)
		return 0;
	return err_set(
		err, ERR_CONFIG,
		"AKVSYNC_MAX_STALENESS is shorter than two polls "
		"(AKVSYNC_POLL_INTERVAL): ready would say no before each poll; set "
		"it to twice the interval or longer, or to 0s");
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
	if (check_dir(s, err) < 0)
		return -1;
	if (request_timeout_given && s->request_timeout_ms > s->init_timeout_ms)
		return err_set(
			err, ERR_CONFIG,
			"AKVSYNC_REQUEST_TIMEOUT is longer than AKVSYNC_INIT_TIMEOUT: "
			"init would stop before its first request may time out");
	return check_staleness(s, err) < 0 ? -1 : check_listen(s, err);
}

static int load_row(struct settings *s, const struct variable *v, char *const *env,
		    struct err *err)
{
	const char *value = variable_find(env, v->name);

	if (value == NULL && v->alias != NULL)
		value = variable_find(env, v->alias);
	if (value == NULL)
		value = v->fallback;
	return value == NULL ? 0 : variable_set(s, v, value, err);
}

static int load_early(struct settings *s, char *const *env, struct err *err)
{
	struct err none;
	int result = 0;

	for (size_t i = 0; i < variable_count; i++) {
		if (!variables[i].early || load_row(s, &variables[i], env, err) == 0)
			continue;
		(void)!variable_set(s, &variables[i], variables[i].fallback, &none);
		result = -1;
	}
	return result;
}

static int load(struct settings *s, char *const *env, struct err *err)
{
	const char *host;

	if (load_early(s, env, err) < 0 || check_names(env, err) < 0)
		return -1;
	for (size_t i = 0; i < variable_count; i++)
		if (!variables[i].early && load_row(s, &variables[i], env, err) < 0)
			return -1;
	host = variable_find(env, "HOSTNAME");
	if (s->pod_uid == NULL && host != NULL)
		s->pod_uid = xstrdup(host);
	if (check_rest(s, variable_find(env, "AKVSYNC_REQUEST_TIMEOUT") != NULL, err) <
		    0 ||
	    auth_authority(s, variable_find(env, "AKVSYNC_CLOUD") != NULL, err) < 0 ||
	    check_vault(s, err) < 0)
		return -1;
	s->platform = auth_platform(env);
	auth_choose(s, variable_find(env, "KUBERNETES_SERVICE_HOST") != NULL);
	return check_proxy(s, err);
}

int environment_load(struct settings *out, char *const *env, struct err *err)
{
	*out = (struct settings){ 0 };
	return load(out, env, err);
}

int environment_load_reader(struct settings *out, char *const *env, struct err *err)
{
	static const size_t fields[] = {
		offsetof(struct settings, dir),
		offsetof(struct settings, init_timeout_ms),
		offsetof(struct settings, notify_splay_ms),
	};

	*out = (struct settings){ 0 };
	if (load_early(out, env, err) < 0 || check_names(env, err) < 0)
		return -1;
	for (size_t i = 0; i < variable_count; i++)
		for (size_t j = 0; j < ARRAY_LEN(fields); j++)
			if (variables[i].field == fields[j] &&
			    load_row(out, &variables[i], env, err) < 0)
				return -1;
	return check_dir(out, err);
}

char *environment_dir(char *const *env)
{
	struct settings s = { 0 };
	struct err err;

	for (size_t i = 0; i < variable_count; i++)
		if (variables[i].field == offsetof(struct settings, dir))
			(void)!load_row(&s, &variables[i], env, &err);
	return s.dir;
}

/* Of our variables only: others are not ours to change. */
static void environment_trim(char *variable)
{
	size_t len = strcspn(variable, "=");

	for (size_t i = 0; i < variable_count && variable[len] != '\0'; i++)
		if (variable_is_named(&variables[i], variable, len))
			variable_trim(variable, len, variable + len + 1);
}

static void forget(char *variable)
{
	size_t len = strcspn(variable, "=");

	for (size_t i = 0; i < variable_count; i++)
		if (variables[i].redact != TELL &&
		    variable_is_named(&variables[i], variable, len))
			wipe(variable + len, strlen(variable + len));
}

char **environment_take(char *const *env)
{
	char **copy;
	size_t count = 0;

	while (env[count] != NULL)
		count++;
	copy = xcalloc(count + 1, sizeof(*copy));
	for (size_t i = 0; i < count; i++) {
		copy[i] = wipe_strdup(env[i]);
		environment_trim(copy[i]);
		forget(env[i]);
	}
	return copy;
}

void environment_untake(char **env)
{
	for (char **variable = env; env && *variable; variable++)
		wipe_free(*variable);
	free(env);
}
