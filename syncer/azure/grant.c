#include "azure/grant.h"

#include <ctype.h>
#include <string.h>

#include "azure/aadsts.h"
#include "azure/form.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"

#define TOKEN_MAX (32 * 1024)
#define LIFETIME_MAX_S (7 * 86400)
#define SKEW_MIN_S 120

int grant_request(const struct identity *identity, const char *resource,
		  struct credential_request *out, struct err *err)
{
	static int (*const make[])(const struct identity *, const char *,
				   struct credential_request *, struct err *) = {
		[IDENTITY_WORKLOAD] = workload_request,
		[IDENTITY_SECRET] = secret_request,
		[IDENTITY_CERTIFICATE] = certificate_request,
		[IDENTITY_APP_SERVICE] = managed_request,
		[IDENTITY_IMDS] = managed_request,
	};

	*out = (struct credential_request){ .form = BUF_INIT(FORM_MAX),
					    .header = BUF_INIT(16 * 1024) };
	if (make[identity->kind](identity, resource, out, err) < 0)
		return -1;
	out->http.url = out->url;
	out->http.form = out->form.len ? &out->form : NULL;
	out->http.header = out->header.len ? buf_str(&out->header) : NULL;
	out->http.connect_to = out->connect_to;
	out->http.trust = out->trust;
	return 0;
}

/* ---- replies ---- */

/* "06/20/2026 02:57:58 +00:00" and "6/20/2026 2:57:58 AM +00:00"; 0: neither. */
static int64_t parse_date(const char *text)
{
	int64_t ms = clock_read(text, "%m/%d/%Y %I:%M:%S %p");

	if (ms == 0)
		ms = clock_read(text, "%m/%d/%Y %H:%M:%S");
	return ms / 1000;
}

/* Seconds that a token lives: expires_in, else until expires_on; App Service leaves the
 * first out, and its old builds write the second as "06/20/2026 02:57:58 +00:00".  False:
 * the reply names neither. */
static bool read_lifetime_s(const struct json *body, int64_t *seconds)
{
	int64_t until = json_loose_int(body, "expires_on", 0);
	const char *text = json_string(body, "expires_on");

	*seconds = json_loose_int(body, "expires_in", 0);
	if (*seconds > 0)
		return true;
	if (until == 0 && text != NULL)
		until = parse_date(text);
	*seconds = until - clock_wall_ms() / 1000;
	return until > 0;
}

static int64_t within(int64_t value, int64_t max)
{
	return value < max ? value : max;
}

/* A clock that is minutes off makes good credentials look expired, or not yet valid. */
static bool add_skew(int64_t skew_s, struct err *err)
{
	int64_t off_s = skew_s < 0 ? -skew_s : skew_s;

	if (off_s < SKEW_MIN_S)
		return false;
	err_hint(err, "this node's clock is %lld s %s that of Azure", (long long)off_s,
		 skew_s < 0 ? "behind" : "ahead of");
	return true;
}

/* A token that names the time of its end and not how long it lives: by our clock that
 * time is over. */
static int has_expired(int64_t seconds, int64_t skew_s, struct err *err)
{
	err_set(err, ERR_UNAVAILABLE,
		"the token endpoint's access token expired %lld s ago by this node's "
		"clock",
		(long long)-seconds);
	if (!add_skew(skew_s, err))
		err_hint(err, "is this node's clock right?");
	return -1;
}

static int read_grant(const struct json *body, int64_t skew_s, struct grant *out,
		      struct err *err)
{
	const char *token = json_string(body, "access_token");
	int64_t seconds;
	bool named = read_lifetime_s(body, &seconds);
	int64_t renew = within(json_loose_int(body, "refresh_in", 0), LIFETIME_MAX_S);
	size_t len = token ? strlen(token) : 0;

	/* What follows goes into a header: one line of visible characters. */
	for (size_t i = 0; i < len; i++)
		if (!isgraph((unsigned char)token[i]))
			len = 0;
	if (len == 0 || len > TOKEN_MAX || !named)
		return err_set(err, ERR_UNAVAILABLE,
			       "the token endpoint's reply holds no usable access token");
	if (seconds <= 0)
		return has_expired(seconds, skew_s, err);
	seconds = within(seconds, LIFETIME_MAX_S);
	out->access_token = wipe_strdup(token);
	out->lifetime_ms = seconds * 1000;
	out->renew_in_ms = (renew > 0 && renew < seconds ? renew : seconds / 2) * 1000;
	return 0;
}

int grant_read(const struct identity *identity, const struct http_reply *reply,
	       struct grant *out, struct err *err)
{
	auto_json struct json *body = NULL;
	struct err ignored;

	if (json_parse(buf_str(&reply->body), reply->body.len, &body, &ignored) < 0)
		body = NULL;
	if (reply->status == 200 && body != NULL)
		return read_grant(body, reply->clock_skew_s, out, err);
	if (reply->status == 200)
		return err_set(err, ERR_UNAVAILABLE,
			       "the token endpoint's reply is not JSON");
	if (identity_is_managed(identity))
		managed_error(identity, reply->status, body, err);
	else
		aadsts_error(identity, reply->status, body, err);
	if (err->kind == ERR_IDENTITY)
		(void)add_skew(reply->clock_skew_s, err);
	err_wrap(err, "%s %s", identity_label(identity), identity_id(identity));
	if (err->retry_after_ms < reply->retry_after_ms)
		err->retry_after_ms = reply->retry_after_ms;
	return -1;
}

void grant_done(struct grant *grant)
{
	wipe_free(grant->access_token);
	*grant = (struct grant){ 0 };
}
