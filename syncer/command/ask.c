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

extern char **environ;

/* Less than the timeoutSeconds of the manifests' probes, so that this program says why
 * and not the kubelet. */
#define ANSWER_TIMEOUT_MS 4000

/* Stands in messages of what went wrong; the socket says where it is. */
#define HOST "sidecar"

struct sidecar_answer {
	bool done;
	int status; /* 0: none came */
	char text[512];
};

/* The other end may be anyone of our uid: what it says is shown as one plain line. */
static void on_answer(void *arg, struct http_reply *reply, const struct err *err)
{
	struct sidecar_answer *answer = arg;
	char *c = answer->text;

	answer->done = true;
	answer->status = reply->status;
	snprintf(answer->text, sizeof(answer->text), "%s",
		 err ? err->msg : buf_str(&reply->body));
	for (; *c && *c != '\n'; c++)
		if (!isprint((unsigned char)*c))
			*c = '?';
	*c = '\0';
}

static int wait_for(struct http *http, const struct sidecar_answer *answer,
		    struct err *err)
{
	int64_t until = clock_now_ms() + 2 * (int64_t)ANSWER_TIMEOUT_MS;
	int64_t now;

	while (!answer->done && (now = clock_now_ms()) < until) {
		if (http_wait(http, NULL, 0, clock_ms_until(until, now), err) < 0)
			return -1;
		http_run(http);
	}
	return 0;
}

static int ask(const char *dir, const char *url, bool post, struct sidecar_answer *answer,
	       struct err *err)
{
	auto_close int dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct buf empty = BUF_INIT(1);
	char path[ENDPOINT_PATH_LEN];
	struct http *http;
	int result;

	if (dir_fd < 0)
		return err_set_errno(err, ERR_IO, "cannot open the directory '%s'", dir);
	endpoint_path(path, dir_fd);
	if (http_global_init(err) < 0 ||
	    http_new(&http,
		     &(struct http_options){ .timeout_ms = ANSWER_TIMEOUT_MS,
					     .local_only = true },
		     err) < 0)
		return -1;
	http_start(http,
		   &(struct http_request){ .url = url,
					   .form = post ? &empty : NULL,
					   .unix_socket = path },
		   on_answer, answer);
	result = wait_for(http, answer, err);
	http_free(http);
	return result;
}

static int tell_of_none(const char *dir, const char *cause)
{
	static const char unconnected[] = "cannot connect to '" HOST "': ";
	bool absent = text_starts(cause, unconnected);

	return command_error(
		EXIT_LOCAL, "no sidecar answers on '%s/" ENDPOINT_SOCKET "': %s%s", dir,
		cause + (absent ? strlen(unconnected) : 0),
		absent ? "; does 'akvsync sidecar' run with this AKVSYNC_DIR?" : "");
}

static int ask_sidecar(const char *url, bool post)
{
	char **env = environment_take(environ);
	auto_free char *dir = configuration_dir(env);
	struct sidecar_answer answer = { 0 };
	struct err err;

	environment_untake(env);
	if (ask(dir, url, post, &answer, &err) < 0)
		return command_error(EXIT_LOCAL, "%s", err.msg);
	if (answer.status == 0)
		return tell_of_none(dir, answer.text);
	if (answer.status >= 300)
		return command_error(EXIT_UNAVAILABLE, "%s", answer.text);
	return EXIT_DONE;
}

int command_probe(int argc, char **argv)
{
	static const struct {
		const char *name, *url;
	} questions[] = {
		{ "startup", "http://" HOST "/startup" },
		{ "ready", "http://" HOST "/ready" },
		{ "live", "http://" HOST "/live" },
	};

	for (size_t i = 0; argc == 2 && i < ARRAY_LEN(questions); i++)
		if (strcmp(argv[1], questions[i].name) == 0)
			return ask_sidecar(questions[i].url, false);
	return command_usage_error("usage: akvsync probe startup|ready|live");
}

int command_refresh(int argc, char **argv)
{
	if (argc > 1)
		return command_usage_error("'%s' takes no arguments", argv[0]);
	return ask_sidecar("http://" HOST "/refresh", true);
}
