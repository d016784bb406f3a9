#include "command/sidecar.h"

#include <fcntl.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "command/plain.h"
#include "config/configuration.h"
#include "config/environment.h"
#include "net/http.h"
#include "run/endpoint.h"

extern char **environ;

/* Less than the timeoutSeconds of the manifests' probes, so that this program says why
 * and not the kubelet. */
#define ANSWER_TIMEOUT_MS 4000

/* How often a question that may wait tries to reach a sidecar that does not listen yet.
 */
#define LISTEN_RETRY_MS 100

/* Stands in messages of what went wrong; the socket says where it is. */
#define HOST "sidecar"

static const char unconnected[] = "cannot connect to '" HOST "': ";

struct sidecar_call {
	struct sidecar_answer *answer;
	bool done;
};

static void on_answer(void *arg, struct http_reply *reply, const struct err *err)
{
	struct sidecar_call *call = arg;
	struct sidecar_answer *answer = call->answer;

	call->done = true;
	answer->status = err != NULL ? 0 : reply->status;
	if (err != NULL) {
		answer->absent = text_starts(err->msg, unconnected);
		answer->text = BUF_INIT(sizeof(err->msg));
		buf_text(&answer->text,
			 err->msg + (answer->absent ? strlen(unconnected) : 0));
	} else {
		answer->text = reply->body;
		reply->body = BUF_INIT(1);
	}
}

static int sidecar_wait(struct http *http, const struct sidecar_call *call,
			int64_t timeout_ms, struct err *err)
{
	int64_t until = clock_now_ms() + 2 * timeout_ms;
	int64_t now;
	int result = 0;

	while (!call->done && result == 0 && (now = clock_now_ms()) < until) {
		result = http_wait(http, NULL, 0, clock_ms_until(until, now), err);
		http_run(http);
	}
	return result;
}

static int ask_once(const struct sidecar_question *question, const char *socket,
		    int64_t wait_ms, struct sidecar_answer *answer, struct err *err)
{
	auto_free char *url = wait_ms > 0
				      ? xasprintf("http://" HOST "%s?wait=%lld",
						  question->path, (long long)wait_ms)
				      : xasprintf("http://" HOST "%s", question->path);
	int64_t timeout_ms = ANSWER_TIMEOUT_MS + wait_ms;
	struct sidecar_call call = { .answer = answer };
	struct buf empty = BUF_INIT(1);
	struct http *http;
	int result;

	if (http_new(&http,
		     &(struct http_options){ .timeout_ms = timeout_ms,
					     .local_only = true },
		     err) < 0)
		return -1;
	http_start(http,
		   &(struct http_request){ .url = url,
					   .form = question->post ? &empty : NULL,
					   .called = HOST,
					   .max_bytes = question->max_bytes,
					   .unix_socket = socket },
		   on_answer, &call);
	result = sidecar_wait(http, &call, timeout_ms, err);
	/* Nobody listens yet. */
	if (result == 0 && answer->absent && wait_ms > 0)
		result = http_wait(http, NULL, 0,
				   (int)clock_sooner(LISTEN_RETRY_MS, wait_ms), err);
	http_free(http);
	return result;
}

char *sidecar_dir(void)
{
	char **env = environment_take(environ);
	char *dir = configuration_dir(env);

	environment_untake(env);
	return dir;
}

int sidecar_ask(const char *dir, const struct sidecar_question *question,
		struct sidecar_answer *answer, struct err *err)
{
	auto_close int dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int64_t until = clock_now_ms() + question->wait_ms, left_ms;
	char path[ENDPOINT_PATH_LEN];

	*answer = (struct sidecar_answer){ .text = BUF_INIT(1) };
	if (dir_fd < 0)
		return err_set_errno(err, ERR_IO, "cannot open the directory '%s'", dir);
	endpoint_path(path, dir_fd);
	if (http_global_init(err) < 0)
		return -1;
	do {
		left_ms = clock_later(until - clock_now_ms(), 0);
		sidecar_answer_done(answer);
		if (ask_once(question, path, left_ms, answer, err) < 0)
			return -1;
	} while (answer->absent && left_ms > 0);
	return 0;
}

void sidecar_tell_none(const char *dir, const struct sidecar_answer *answer,
		       struct buf *out)
{
	buf_printf(out, "no sidecar answers on '%s/" ENDPOINT_SOCKET "': ", dir);
	plain_add(out, buf_str(&answer->text), answer->text.len, false);
	if (answer->absent)
		buf_text(out, "; does 'akvsync sidecar' run with this AKVSYNC_DIR?");
}

void sidecar_answer_done(struct sidecar_answer *answer)
{
	buf_done(&answer->text);
	*answer = (struct sidecar_answer){ .text = BUF_INIT(1) };
}
