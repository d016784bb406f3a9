#include "cluster/status.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "net/retry.h"

#define FIELD_LETTERS                                                                    \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.[]\"/_%-"

#define REFUSER_LETTERS "abcdefghijklmnopqrstuvwxyz0123456789.-"
#define CREATE_IS_FORBIDDEN " is forbidden: "

/* The verb that is missing: `... cannot patch resource "secrets" in API group "" ...`.
 * "": the message does not say. */
static const char *status_verb(const char *message)
{
	static const char *const verbs[] = { "create", "patch", "update", "delete",
					     "get" };
	const char *at = strstr(message, " cannot ");

	for (size_t i = 0; at && i < ARRAY_LEN(verbs); i++)
		if (strncmp(at + strlen(" cannot "), verbs[i], strlen(verbs[i])) == 0)
			return verbs[i];
	/* OwnerReferencesPermissionEnforcement, which OpenShift has on. */
	if (strstr(message, "cannot set an ownerRef") != NULL)
		return "delete";
	/* Kubernetes 1.20 says nothing more of an apply that may not create. */
	at = strstr(message, CREATE_IS_FORBIDDEN);
	return at != NULL && at[strlen(CREATE_IS_FORBIDDEN)] == '\0' ? "create" : "";
}

/* What refuses what a Role permits, and how its message begins the name. */
static bool status_add_refuser(const char *message, struct err *err)
{
	static const struct {
		const char *what, *before;
	} refusers[] = {
		{ "admission policy", "ValidatingAdmissionPolicy '" },
		{ "admission webhook", "admission webhook \"" },
		{ "quota", "exceeded quota: " },
	};

	for (size_t i = 0; i < ARRAY_LEN(refusers); i++) {
		const char *name = strstr(message, refusers[i].before);

		if (name == NULL)
			continue;
		name += strlen(refusers[i].before);
		err_hint(err, "%s '%.*s' refuses it", refusers[i].what,
			 (int)strspn(name, REFUSER_LETTERS), name);
		return true;
	}
	return false;
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
	const char *told = json_string(body, "message");
	const char *message = told != NULL ? told : "";
	const char *verb = status_verb(message);
	auto_buf struct buf fields = BUF_INIT(300);

	if (status_add_refuser(message, err))
		return;
	switch (status) {
	case 401:
		err_hint(err, "the API server does not accept the token: was it made for "
			      "another audience?");
		return;
	case 403:
		if (strstr(message, "being terminated") != NULL)
			break;
		if (*verb != '\0')
			err_hint(err,
				 "the pod's service account needs the verb \"%s\" on "
				 "this Secret; 'akvsync check' prints the Role",
				 verb);
		else
			err_hint(err, "something in the cluster refuses it, besides its "
				      "Roles");
		return;
	case 404:
		break;
	case 422:
		status_add_fields(body, &fields);
		if (fields.len > 0)
			err_hint(err, "Kubernetes does not accept the field %s",
				 buf_str(&fields));
		return;
	default:
		return;
	}
	err_hint(err, "is namespace '%.100s' being deleted?", space);
}

bool cluster_status_is_absent(const struct http_reply *reply)
{
	auto_json struct json *body = NULL;
	const char *message;
	struct err err;

	if (reply->status != 403 ||
	    json_parse(buf_str(&reply->body), reply->body.len, &body, &err) < 0)
		return false;
	message = json_string(body, "message");
	return message != NULL && strcmp(status_verb(message), "create") == 0;
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
