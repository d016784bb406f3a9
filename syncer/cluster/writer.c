#include "cluster/writer.h"

#include <stdlib.h>

#include "base/mem.h"
#include "cluster/status.h"

#define MANAGER "akvsync"
/* Somebody else may write at the same time. */
#define CONFLICTS_MAX 3
/* A Secret that another program changes at once is not written on and on. */
#define WRITES_MAX 2
#define OWNS_MAX 16
/* Kubernetes takes less. */
#define BODY_MAX (4 * CLUSTER_SECRET_DATA_MAX)

struct writer {
	struct http *http;
	struct api_server *server;
	const struct settings *settings;
	struct cluster_secret *secret;
	enum writer_step step;
	enum writer_result result; /* of the data, so far */
	struct cluster_found found;
	struct http_call *call;
	struct buf body;
	int conflicts, writes, owns;
	bool token_read_anew;
	struct err err; /* of the failure, or of the look that was refused */
};

static void writer_begin(struct writer *w, enum writer_step step);

static void writer_end(struct writer *w, enum writer_result result)
{
	w->step = WRITER_OVER;
	w->result = result;
	buf_done(&w->body);
}

static void writer_fail(struct writer *w, const struct err *err)
{
	w->err = *err;
	writer_end(w, WRITER_FAILED);
}

/* The token may have been replaced since it was read. */
static void writer_try_new_token(struct writer *w)
{
	struct err err;

	w->token_read_anew = true;
	api_server_close(w->server);
	if (api_server_open(w->server, w->settings, &err) < 0)
		writer_fail(w, &err);
	else
		writer_begin(w, w->step);
}

/* ---- steps ---- */

static void writer_decide(struct writer *w)
{
	const struct cluster_found *f = &w->found;
	bool same = f->same_list && f->same_data;

	if (!f->yields && !same && w->writes < WRITES_MAX)
		writer_begin(w, WRITER_WRITES);
	else if (f->manager[0] != '\0' && w->owns++ < OWNS_MAX)
		writer_begin(w, WRITER_OWNS);
	else
		writer_end(w, w->writes > 0 ? w->result
			      : f->yields   ? WRITER_YIELDED
					    : WRITER_UNCHANGED);
}

static void writer_take_absence(struct writer *w)
{
	struct err err;

	w->secret->shown_ms = w->secret->since_ms;
	if (w->secret->object->owner != SECRET_OWNER_EXISTING) {
		writer_begin(w, WRITER_WRITES);
		return;
	}
	err_set(&err, ERR_NOTFOUND,
		"it does not exist, and owner: existing makes none; make it first, with "
		"the label " CLUSTER_SECRET_LABEL ": \"true\"");
	writer_fail(w, &err);
}

/* What the answer says of the Secret; of one that does not exist the look's is no news.
 */
static void writer_take_answer(struct writer *w, const struct http_reply *reply)
{
	bool existed = w->found.exists;
	struct err err;

	cluster_found_done(&w->found);
	if (w->step == WRITER_LOOKS && reply->status == 201) {
		writer_take_absence(w);
		return;
	}
	if (w->step == WRITER_WRITES && w->writes++ == 0)
		w->result = existed ? WRITER_CHANGED : WRITER_CREATED;
	if (cluster_secret_read(w->secret, buf_str(&reply->body), reply->body.len,
				&w->found, &err) < 0)
		writer_fail(w, &err);
	else
		writer_decide(w);
}

/* Somebody else wrote, or made the Secret anew, which is a 422 for its uid. */
static bool writer_is_conflict(const struct writer *w, int status)
{
	return w->step != WRITER_TRIES &&
	       (status == 409 || (status == 422 && w->step == WRITER_OWNS));
}

static void writer_take_refusal(struct writer *w, const struct http_reply *reply)
{
	if (w->step != WRITER_TRIES) /* the reason that counts is that of the look */
		cluster_status_error(reply, w->server->space, &w->err);
	if (w->step == WRITER_LOOKS &&
	    (w->err.kind == ERR_DENIED || w->err.kind == ERR_CONFIG))
		writer_begin(w, WRITER_TRIES);
	else
		writer_end(w, WRITER_FAILED);
}

static void writer_take(struct writer *w, const struct http_reply *reply)
{
	bool absent = w->step == WRITER_TRIES && reply->status == 201;

	if (w->secret->object->owner == SECRET_OWNER_EXISTING)
		absent |= cluster_status_is_absent(reply);
	if (reply->status == 401 && !w->token_read_anew)
		writer_try_new_token(w);
	else if (absent)
		writer_take_absence(w);
	else if (writer_is_conflict(w, reply->status) && w->conflicts++ < CONFLICTS_MAX)
		writer_begin(w, WRITER_LOOKS);
	else if (w->step == WRITER_TRIES ||
		 (reply->status != 200 && reply->status != 201))
		writer_take_refusal(w, reply);
	else
		writer_take_answer(w, reply);
}

static void writer_done(void *arg, struct http_reply *reply, const struct err *err)
{
	struct writer *w = arg;

	w->call = NULL;
	if (err == NULL) {
		writer_take(w, reply);
		return;
	}
	writer_fail(w, err);
}

/* ---- requests ---- */

static char *writer_url(const struct writer *w, enum writer_step step)
{
	const char *name = w->secret->object->name;
	const char *url = w->server->url;

	switch (step) {
	case WRITER_LOOKS:
		return xasprintf("%s/%s?fieldManager=" MANAGER "-look&dryRun=All", url,
				 name);
	case WRITER_TRIES:
		return xasprintf("%s/%s?fieldManager=" MANAGER "&dryRun=All", url, name);
	case WRITER_OWNS:
		return xasprintf("%s/%s?fieldManager=%s&force=true", url, name,
				 w->found.manager);
	case WRITER_WRITES:
	case WRITER_OVER:
		break;
	}
	return xasprintf("%s/%s?fieldManager=" MANAGER "&force=true", url, name);
}

static void writer_begin(struct writer *w, enum writer_step step)
{
	static const char *const headers[] = { "Accept: application/json",
					       "Content-Type: "
					       "application/apply-patch+yaml",
					       NULL };
	auto_free char *url = writer_url(w, step);
	const struct http_request request = {
		.url = url,
		.bearer = buf_str(&w->server->token),
		.form = &w->body,
		.method = "PATCH",
		.headers = headers,
		.max_bytes = CLUSTER_SECRET_REPLY_MAX,
		.direct = true,
		.trust = w->server->trust,
	};

	w->step = step;
	buf_done(&w->body);
	w->body = BUF_INIT(BODY_MAX);
	if (step == WRITER_LOOKS)
		cluster_secret_write_question(w->secret, &w->body);
	else if (step == WRITER_OWNS)
		cluster_secret_write_owner(w->secret, &w->found, &w->body);
	else
		cluster_secret_write(w->secret, &w->body);
	w->call = http_start(w->http, &request, writer_done, w);
}

struct writer *writer_new(struct http *http, struct api_server *server,
			  const struct settings *settings, struct cluster_secret *secret)
{
	struct writer *w = xcalloc(1, sizeof(*w));

	w->http = http;
	w->server = server;
	w->settings = settings;
	w->secret = secret;
	writer_begin(w, WRITER_LOOKS);
	return w;
}

void writer_free(struct writer *w)
{
	if (w == NULL)
		return;
	if (w->call != NULL)
		http_cancel(w->http, w->call);
	cluster_found_done(&w->found);
	buf_done(&w->body);
	free(w);
}

enum writer_step writer_state(const struct writer *w, enum writer_result *result,
			      struct err *err)
{
	if (w->step == WRITER_OVER) {
		*result = w->result;
		*err = w->err;
	}
	return w->step;
}
