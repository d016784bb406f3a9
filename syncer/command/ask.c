/* ask.c: `probe` and `refresh`: a question to the running sidecar, over its socket. */
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "command/command.h"
#include "config/configuration.h"
#include "config/environment.h"
#include "net/http.h"
#include "run/endpoint.h"
#include "run/health.h"

extern char **environ;

/* Less than the timeoutSeconds of the manifests' probes, so that this program says why
 * and not the kubelet. */
#define ANSWER_TIMEOUT_MS 4000

/* How often a probe that may wait tries to reach a sidecar that does not listen yet. */
#define LISTEN_RETRY_MS 100

/* Stands in messages of what went wrong; the socket says where it is. */
#define HOST "sidecar"

static const char unconnected[] = "cannot connect to '" HOST "': ";

#define HTTP_YES 200

struct sidecar_answer {
	bool done;
	int status; /* 0: none came */
	char text[16384];
};

/* The other end may be anyone of our uid: what it says is shown as plain text, and the
 * reason of a no as one line. */
static void on_answer(void *arg, struct http_reply *reply, const struct err *err)
{
	struct sidecar_answer *answer = arg;
	char *c = answer->text;

	answer->done = true;
	answer->status = reply->status;
	snprintf(answer->text, sizeof(answer->text), "%s",
		 err ? err->msg : buf_str(&reply->body));
	for (; *c && (*c != '\n' || answer->status == HTTP_YES); c++)
		if (!isprint((unsigned char)*c) && *c != '\n')
			*c = '?';
	*c = '\0';
}

static int wait_for(struct http *http, const struct sidecar_answer *answer,
		    int64_t timeout_ms, struct err *err)
{
	int64_t until = clock_now_ms() + 2 * timeout_ms;
	int64_t now;

	while (!answer->done && (now = clock_now_ms()) < until) {
		if (http_wait(http, NULL, 0, clock_ms_until(until, now), err) < 0)
			return -1;
		http_run(http);
	}
	return 0;
}

/* A question to the sidecar. */
struct sidecar_question {
	const char *path;
	bool post;
	int64_t wait_ms; /* for a yes; 0: the answer is wanted at once */
};

static int ask_once(const struct sidecar_question *question, const char *socket,
		    int64_t wait_ms, struct sidecar_answer *answer, struct err *err)
{
	auto_free char *url = wait_ms > 0
				      ? xasprintf("http://" HOST "%s?wait=%lld",
						  question->path, (long long)wait_ms)
				      : xasprintf("http://" HOST "%s", question->path);
	int64_t timeout_ms = ANSWER_TIMEOUT_MS + wait_ms;
	struct buf empty = BUF_INIT(1);
	struct http *http;
	int result;

	*answer = (struct sidecar_answer){ 0 };
	if (http_new(&http,
		     &(struct http_options){ .timeout_ms = timeout_ms,
					     .local_only = true },
		     err) < 0)
		return -1;
	http_start(http,
		   &(struct http_request){ .url = url,
					   .form = question->post ? &empty : NULL,
					   .called = HOST,
					   .unix_socket = socket },
		   on_answer, answer);
	result = wait_for(http, answer, timeout_ms, err);
	/* Nobody listens yet. */
	if (result == 0 && text_starts(answer->text, unconnected) && wait_ms > 0)
		result = http_wait(http, NULL, 0,
				   (int)clock_sooner(LISTEN_RETRY_MS, wait_ms), err);
	http_free(http);
	return result;
}

static int ask(const char *dir, const struct sidecar_question *question,
	       struct sidecar_answer *answer, struct err *err)
{
	auto_close int dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int64_t until = clock_now_ms() + question->wait_ms, left_ms;
	char path[ENDPOINT_PATH_LEN];

	if (dir_fd < 0)
		return err_set_errno(err, ERR_IO, "cannot open the directory '%s'", dir);
	endpoint_path(path, dir_fd);
	if (http_global_init(err) < 0)
		return -1;
	do {
		left_ms = clock_later(until - clock_now_ms(), 0);
		if (ask_once(question, path, left_ms, answer, err) < 0)
			return -1;
	} while (answer->status == 0 && text_starts(answer->text, unconnected) &&
		 left_ms > 0);
	return 0;
}

static int tell_of_none(const char *dir, const char *cause)
{
	bool absent = text_starts(cause, unconnected);

	return command_error(
		EXIT_LOCAL, "no sidecar answers on '%s/" ENDPOINT_SOCKET "': %s%s", dir,
		cause + (absent ? strlen(unconnected) : 0),
		absent ? "; does 'akvsync sidecar' run with this AKVSYNC_DIR?" : "");
}

static int ask_sidecar(const struct sidecar_question *question)
{
	char **env = environment_take(environ);
	auto_free char *dir = configuration_dir(env);
	struct sidecar_answer answer = { 0 };
	struct err err;

	environment_untake(env);
	if (ask(dir, question, &answer, &err) < 0)
		return command_error(EXIT_LOCAL, "%s", err.msg);
	if (answer.status == 0)
		return tell_of_none(dir, answer.text);
	if (answer.status >= 300)
		return command_error(EXIT_UNAVAILABLE, "%s", answer.text);
	if (text_starts(answer.text, "ok; but:"))
		fputs(answer.text, stdout);
	return command_printed(EXIT_DONE);
}

/* --wait 5s, or --wait=5s. */
static int take_wait(int argc, char **argv, int64_t *out_ms)
{
	const char *value = NULL;

	if (argc == 1 && text_starts(argv[0], "--wait="))
		value = argv[0] + strlen("--wait=");
	else if (argc == 2 && strcmp(argv[0], "--wait") == 0)
		value = argv[1];
	return value == NULL || text_duration(value, out_ms) < 0 ||
			       *out_ms > HEALTH_WAIT_MAX_MS
		       ? -1
		       : 0;
}

int command_probe(int argc, char **argv)
{
	static const struct {
		const char *name, *path;
	} questions[] = {
		{ "startup", "/startup" },
		{ "ready", "/ready" },
		{ "live", "/live" },
	};
	struct sidecar_question question = { 0 };

	for (size_t i = 0; argc > 1 && i < ARRAY_LEN(questions); i++)
		if (strcmp(argv[1], questions[i].name) == 0)
			question.path = questions[i].path;
	if (question.path != NULL &&
	    (argc == 2 || (question.path == questions[0].path &&
			   take_wait(argc - 2, argv + 2, &question.wait_ms) == 0)))
		return ask_sidecar(&question);
	return command_usage_error(
		"usage: akvsync probe startup|ready|live; startup takes --wait, and how "
		"long it waits for a yes, up to 1m: akvsync probe startup --wait 5s");
}

int command_refresh(int argc, char **argv)
{
	static const struct sidecar_question question = { .path = "/refresh",
							  .post = true };

	if (argc > 1)
		return command_usage_error("'%s' takes no arguments", argv[0]);
	return ask_sidecar(&question);
}
