#include "cluster/status.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "net/retry.h"

#define FIELD_LETTERS                                                                    \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.[]\"/_-"

/* The verb that is missing: `... cannot patch resource "secrets" in API group "" ...`.
 * "": the message does not say. */
static const char *status_verb(const struct json *status)
{
	static const char *const verbs[] = { "create", "patch", "update", "delete",
					     "get" };
	const char *message = json_string(status, "message");
	const char *at = message ? strstr(message, " cannot ") : NULL;

	for (size_t i = 0; at && i < ARRAY_LEN(verbs); i++)
		if (strncmp(at + strlen(" cannot "), verbs[i], strlen(verbs[i])) == 0)
			return verbs[i];
	/* OwnerReferencesPermissionEnforcement, which OpenShift has on. */
	if (message && strstr(message, "cannot set an ownerRef") != NULL)
		return "delete";
	return "";
}

/* Which fields the server objects to, such as "data[.dockerconfigjson]"; never why, which
 * may quote their values. */
static void status_add_fields(const struct json *status, struct buf *out)
{
	const struct json *cause =
		json_first(json_get(json_get(status, "details"), "causes"));

	for (; cause != NULL; cause = json_next(cause)) {
		const char *field = json_string(cause, "field");

		if (field != NULL && strspn(field, FIELD_LETTERS) == strlen(field))
			buf_printf(out, "%s%.100s", out->len ? ", " : "", field);
	}
}

static void status_add_hint(int status, const struct json *body, const char *space,
			    struct err *err)
{
	const char *verb = status_verb(body);
	auto_buf struct buf fields = BUF_INIT(300);

	switch (status) {
	case 401:
		err_hint(err, "the API server does not accept the token: was it made for "
			      "another audience?");
		return;
	case 403:
		if (*verb != '\0')
			err_hint(err,
				 "the pod's service account needs the verb \"%s\" on "
				 "this Secret; 'akvsync check' prints the Role",
				 verb);
		else
			err_hint(err,
				 "an admission policy or a quota of namespace '%.100s' "
				 "may refuse it, or a Role is missing; 'akvsync check' "
				 "prints the Role",
				 space);
		return;
	case 404:
		err_hint(err, "is namespace '%.100s' being deleted?", space);
		return;
	case 422:
		status_add_fields(body, &fields);
		if (fields.len > 0)
			err_hint(err, "Kubernetes does not accept the field %s",
				 buf_str(&fields));
		return;
	default:
		return;
	}
}

static enum err_kind status_kind(int status)
{
	switch (status) {
	case 401:
		return ERR_IDENTITY;
	case 403:
		return ERR_DENIED;
	case 404:
		return ERR_NOTFOUND;
	default:
		return status_passes(status) ? ERR_UNAVAILABLE : ERR_CONFIG;
	}
}

bool cluster_status_lacks(const struct http_reply *reply, const char *verb)
{
	auto_json struct json *body = NULL;
	struct err ignored;

	return reply->status == 403 &&
	       json_parse(buf_str(&reply->body), reply->body.len, &body, &ignored) == 0 &&
	       strcmp(status_verb(body), verb) == 0;
}

int cluster_status_error(const struct http_reply *reply, const char *space,
			 struct err *err)
{
	auto_json struct json *body = NULL;
	const char *reason;

	if (json_parse(buf_str(&reply->body), reply->body.len, &body, err) < 0)
		body = NULL;
	reason = json_string(body, "reason");
	if (reason == NULL || strspn(reason, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ"
					     "RSTUVWXYZ") != strlen(reason))
		reason = "";
	err_set(err, status_kind(reply->status), "the API server answers %d%s%.60s",
		reply->status, *reason ? " " : "", reason);
	status_add_hint(reply->status, body, space, err);
	err->retry_after_ms = reply->retry_after_ms;
	return -1;
}
